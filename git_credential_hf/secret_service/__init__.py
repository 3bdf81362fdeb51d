"""The Secret Service of the desktop, over D-Bus, and how it fails."""

KEYRING = "the keyring"  # for people: where an item of ours is
NO_BUS = "no D-Bus session"  # for people
NO_KEYRING = "no keyring is running"  # for people


class Unavailable(Exception):
    """The keyring gave no answer that can be used; the text says why, without anything that came over the bus."""


class Locked(Unavailable):
    """The keyring is locked."""


class Absent(Unavailable):
    """There is no keyring to use: one of those below, where it is known which."""


class NoBus(Absent):
    """There is no session bus, or this process cannot open a connection to it."""


class NotYours(Absent):
    """The session bus belongs to neither the user nor root."""


class NoKeyring(Absent):
    """No keyring is running on the session bus."""


class NoCollection(Absent):
    """The keyring has no default collection to put an item in."""
