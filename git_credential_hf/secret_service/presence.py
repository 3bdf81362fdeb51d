"""A keyring that is not there yet: wait until the desktop has started it, or start the one that it left out."""

import time

from git_credential_hf.options import Options
from git_credential_hf.secret_service import Unavailable, messages
from git_credential_hf.secret_service.dbus.connection import Connection
from git_credential_hf.secret_service.dbus.encode import BUS, call, padding, string, u32
from git_credential_hf.secret_service.quirks import gnome_keyring, keepassxc, kwallet

_PAUSE = 0.25  # seconds between two looks
_SPARE = 1.0  # seconds, for what comes after the wait


def prepare(options: Options, *, wait: bool) -> None:
    """Have the keyring there for what writes to it, as far as that can be had within the time of `options`.

    One that can be started is started if `options.unlock` is "prompt". wait: whether to wait for one that is not there,
    or that has no default collection yet.
    """
    if options.unlock == "prompt":
        _start(options)
    if wait:
        _wait(options)


def _wait(options: Options) -> None:
    """Wait until the keyring and its default collection are there; give up when the time of `options` is nearly over.

    Nothing is unlocked, and nothing raised: what comes after meets whatever is wrong.
    """
    try:
        with Connection(options) as connection:
            # The first look has the bus start a keyring; one that cannot be started is not tried again and again.
            is_there = _has_collection(connection)
            while not is_there and options.remaining() > _SPARE:
                time.sleep(_PAUSE)
                is_there = _is_running(connection) and _has_collection(connection)
    except Unavailable as reason:
        options.note("keyring: %s", reason)


def _start(options: Options) -> None:
    """Have the bus start a keyring where none is running, and wait until it answers as the Secret Service.

    Nothing is raised: what comes after meets whatever is wrong. Source: D-Bus Specification, "StartServiceByName".
    """
    try:
        with Connection(options) as connection:
            names = () if _is_running(connection) else (messages.SECRETS, *kwallet.SERVICES)
            for name in names:
                text = string(name)
                body = text + padding(len(text), 4) + u32(0)
                (reply,) = connection.ask(call(BUS, b"StartServiceByName", b"su", body))
                if not reply.is_error:
                    options.note("keyring: started %s", name.decode())
                    while not _is_running(connection) and options.remaining() > _PAUSE:
                        time.sleep(_PAUSE)
                    return
    except Unavailable as reason:
        options.note("keyring: %s", reason)


def _is_running(connection: Connection) -> bool:
    (owner,) = connection.ask(keepassxc.owner_of(messages.SECRETS))
    return not owner.is_error


def _has_collection(connection: Connection) -> bool:
    """Return whether there is a default collection: gnome-keyring 42.1 names one that it does not have yet."""
    (alias,) = gnome_keyring.ask(connection, messages.read_alias(b"default"))
    if alias.is_error or (collection := messages.read_collection(alias)) == messages.NO_OBJECT:
        return False
    (locked,) = connection.ask(messages.property_of(collection, messages.COLLECTION, b"Locked"))
    return not locked.is_error
