"""D-Bus, as far as the Secret Service needs it: addresses, messages, one connection."""
