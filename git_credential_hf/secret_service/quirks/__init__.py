"""What one keyring does differently from the Secret Service API, one file for each."""
