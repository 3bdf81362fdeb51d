"""The Secret Service of the desktop, over D-Bus, and how it fails."""

KEYRING = "the keyring"  # for people: where an item of ours is


class Unavailable(Exception):
    """The keyring gave no answer that can be used; the text says why, without anything that came over the bus."""


class Absent(Unavailable):
    """There is no keyring: no bus, no provider, or no collection to put an item in."""


class Locked(Unavailable):
    """The keyring is locked."""
