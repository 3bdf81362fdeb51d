"""Create, replace, delete, unlock: every write to the Secret Service, on secretstorage."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from jeepney import DBusAddress, DBusErrorResponse, HeaderFields, Message, Properties, new_method_call
from jeepney.io.blocking import DBusConnection
from jeepney.wrappers import unwrap_msg
from secretstorage import Collection
from secretstorage import Item as StorageItem
from secretstorage.collection import COLLECTION_IFACE
from secretstorage.defines import ALGORITHM_PLAIN, DBUS_NO_REPLY, DBUS_SERVICE_UNKNOWN, SS_PATH, SS_PREFIX
from secretstorage.dhcrypto import Session
from secretstorage.exceptions import (
    ItemNotFoundException,
    LockedException,
    PromptDismissedException,
    SecretServiceNotAvailableException,
)
from secretstorage.item import ITEM_IFACE
from secretstorage.util import BUS_NAME, SERVICE_IFACE, DBusAddressWrapper, add_match_rules, exec_prompt, format_secret

from git_credential_hf.model import item
from git_credential_hf.model.item import Item
from git_credential_hf.model.token import Token
from git_credential_hf.options import Options
from git_credential_hf.secret_service import Locked, NoCollection, NoKeyring, Unavailable, messages
from git_credential_hf.secret_service.dbus import opening
from git_credential_hf.secret_service.quirks import keepassxc
from git_credential_hf.secret_service.reader import Reader
from git_credential_hf.secret_service.unlock import unlock

_IS_LOCKED = "org.freedesktop.Secret.Error.IsLocked"

_STOPPED = (DBUS_NO_REPLY, DBUS_SERVICE_UNKNOWN)

_LEFT = "it ended, or crashed, while it was asked: start it, unless that is done for you"

_EACH_LOCKED = "its items are locked though it is open: have KeePassXC not confirm when they are retrieved"

_LARGEST_REPLY = 1 << 16  # bytes: what is written is answered in a few hundred

_AT_ONCE = 50  # calls: a bus lets no more than 128 wait for their replies, unless it is configured otherwise

_Any = TypeVar("_Any")


class _Connection(DBusConnection):  # type: ignore[misc]  # jeepney has no types
    """A connection on which every wait ends at one deadline, where secretstorage's own would wait for ever.

    What it makes of a connection that is open and let in is jeepney's; how that begins is `opening`'s.
    """

    def __init__(self, options: Options) -> None:
        self._options = options
        connection = opening.welcomed(options)
        try:
            opening.send(connection, opening.BEGIN, options)
            super().__init__(connection)
        except BaseException:
            connection.close()
            raise

    def send(self, message: Message, serial: int | None = None) -> None:
        data, _ = self._serialise(message, serial)
        opening.send(self.sock, data, self._options)

    send_message = send

    def send_and_get_reply(self, message: Message, *, timeout: float | None = None) -> Message:
        return super().send_and_get_reply(message, timeout=self._remaining())

    def ask(self, calls: list[Message]) -> list[Any]:
        """Make all the calls before the first is answered; return what they return. Raises DBusErrorResponse."""
        serials = [next(self.outgoing_serial) for _ in calls]
        for call, serial in zip(calls, serials, strict=True):
            self.send(call, serial=serial)
        replies: dict[int, Message] = {}
        while len(replies) < len(calls):
            reply = self.receive(timeout=self._remaining())
            if (serial := reply.header.fields.get(HeaderFields.reply_serial)) in serials:
                replies[serial] = reply
        return [unwrap_msg(replies[serial]) for serial in serials]

    def recv_until_filtered(self, queue: Any, *, timeout: float | None = None) -> Message:
        return super().recv_until_filtered(queue, timeout=self._remaining())

    def _receive(self, deadline: float | None) -> Message:
        try:
            return super()._receive(deadline)
        except (OSError, Unavailable):
            raise
        except Exception as error:
            raise Unavailable(f"what it sends is no D-Bus message ({type(error).__name__})") from None

    def _read_some_data(self, timeout: float | None = None) -> tuple[bytes, list[Any]]:
        # jeepney looks at the clock only while nothing comes, and lets a message be as large as it likes.
        if self.parser.bytes_desired() > _LARGEST_REPLY:
            raise Unavailable("a message is too large")
        return opening.receive(self.sock, self._options), []

    def _remaining(self) -> float:
        return opening.remaining(self._options)


class Writer:
    """Our items in the default collection, over one connection, within `options.timeout` seconds.

    Everything raises Unavailable where it cannot do what it says: Locked, or one of the kinds of Absent, where it is
    that. An item is then as it was, or as it was to be.
    """

    def __init__(self, options: Options) -> None:
        self._options = options
        with _told():
            self._connection = _Connection(options)
        try:
            with _told(at_start=True):
                add_match_rules(self._connection)
                # What it answers is of no use: gnome-keyring can come to the first call of a connection before it
                # knows of the connection, and aborts if that is about a property or OpenSession.
                self._default_collection()
                self._collection = Collection(self._connection)
                self._session = self._collection.session = _plain_session(self._connection)
                if self._collection.is_locked():
                    self._unlock()
                self._collection.ensure_not_locked()
        except BaseException:
            self._connection.close()
            raise

    def __enter__(self) -> "Writer":
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def put(self, server: bytes, token: Token, origin: bytes, *, force: bool = False, dry_run: bool = False) -> str:
        """Make `token` the secret of the one item for its server, user and scope.

        origin: item.SEEDED, item.DECLARED or item.STORED. Returns "unchanged" where it is that already and `force` is
        not set, else "replaced" or "created"; with `dry_run`, what would be done.
        """
        (done,) = self.put_all([(server, token)], origin, force=force, dry_run=dry_run)
        return done

    def put_all(
        self, tokens: list[tuple[bytes, Token]], origin: bytes, *, force: bool = False, dry_run: bool = False
    ) -> list[str]:
        """Do what put does with each server and token; return what was done with each."""
        with _told():
            places = [item.of_place(server, token.scope, token.user) for server, token in tokens]
            plans = [
                _Plan(server, token, origin, here, force)
                for (server, token), here in zip(tokens, self._find(places), strict=True)
            ]
            if not dry_run:
                written = [plan for plan in plans if plan.done != "unchanged"]
                self._write([call for plan in written for call in self._calls(plan)])
                for plan in written:
                    for one in plan.surplus:
                        self._delete(one.path, dialog=False)
                if not self._hold(written):
                    raise Unavailable("what was written cannot be read back")
        return [plan.done for plan in plans]

    def withdraw(self, kept: set[tuple[bytes, bytes]], *, dry_run: bool = False) -> list[tuple[bytes, bytes, bytes]]:
        """Delete what was declared, but for the places (as in item.MARK) and users in `kept`.

        Returns place, user and the token of each that was deleted; with `dry_run`, that would be.
        """
        gone = []
        with _told():
            (found,) = self._find([{item.ORIGIN: item.DECLARED}])
            for one in found:
                place, user = one.item.place(), one.item.user or b""
                if (place, user) not in kept:
                    gone.append((place, user, one.secret.partition(b"\n")[0]))
                    if not dry_run:
                        self._delete(one.path, dialog=False)
        return gone

    def ours(self, server: bytes, scope: bytes, user: bytes | None) -> list[Token]:
        """Return what our items for `server` hold: those of `scope`, all if it is empty; of `user`, of all if None."""
        ours = []
        with _told():
            # A Bearer item has no attribute of its host alone.
            searches = self._find([item.of_server(server), {b"xdg:schema": item.BEARER_SCHEMA}])
        for path, one in {one.path: one for found in searches for one in found}.items():
            whose, part = one.item.user, one.item.scope
            if one.item.server == server and scope in (b"", part) and user in (None, whose):
                token = item.from_secret(one.secret, whose, path=path, scope=part)
                ours.append(token or Token(b"", user=whose, item=path, scope=part))
        return ours

    def delete(self, items: list[bytes], *, dialog: bool = False) -> None:
        """Delete the items with these object paths; one that is gone already is fine.

        dialog: whether a person is there who may be asked first.
        """
        with _told():
            for path in items:
                try:
                    self._delete(path, dialog=dialog)
                except PromptDismissedException:
                    raise
                except ItemNotFoundException:
                    pass

    def _unlock(self) -> None:
        if self._options.unlock == "prompt":
            self._collection.unlock()
        elif self._options.unlock == "auto":
            path = self._default_collection().encode()
            with Reader(self._options) as reader:
                unlock(reader, [path], self._options)

    def _default_collection(self) -> str:
        service = DBusAddressWrapper(SS_PATH, SERVICE_IFACE, self._connection)
        (path,) = service.call("ReadAlias", "s", "default")
        return str(path)

    def _calls(self, plan: "_Plan") -> Iterator[Message]:
        """Return the calls that do what is planned; secretstorage would make three for each, one after another."""
        secret = format_secret(self._session, plan.secret, "text/plain")
        if plan.kept is None:
            collection = DBusAddress(self._collection.collection_path, BUS_NAME, COLLECTION_IFACE)
            properties = {
                SS_PREFIX + "Item.Label": ("s", plan.item.label()),
                SS_PREFIX + "Item.Attributes": ("a{ss}", _text(plan.item)),
            }
            # Not with replace, which would overwrite an item that has these attributes among others.
            yield new_method_call(collection, "CreateItem", "a{sv}(oayays)b", (properties, secret, False))
            return
        kept = DBusAddress(plan.kept.path.decode(), BUS_NAME, ITEM_IFACE)
        if plan.kept.item.origin != plan.item.origin:
            yield Properties(kept).set("Attributes", "a{ss}", _text(plan.item))
        yield new_method_call(kept, "SetSecret", "(oayays)", (secret,))

    def _write(self, calls: list[Message]) -> None:
        for batch in _batches(calls):
            for body in self._connection.ask(batch):
                _, prompt = body or ("", "/")
                if prompt != "/" and exec_prompt(self._connection, prompt)[0]:
                    raise PromptDismissedException

    def _find(self, wanted: list[dict[bytes, bytes]]) -> "list[list[_Stored]]":
        """Return our items that have each of the sets of attributes. Raises Locked where these are locked.

        A second one beside an item that nobody can read would be one more each time.
        """
        with Reader(self._options) as reader:
            paths = [found for batch in _batches(wanted) for found in reader.search(batch)]
            for batch in _batches([attributes for attributes, found in zip(wanted, paths, strict=True) if not found]):
                replies = reader.ask(*map(messages.search_items, batch))
                if any(locked for _, locked in map(messages.read_found, replies)):
                    raise Locked(_EACH_LOCKED)
            known: dict[bytes, _Stored] = {}
            for some in _batches(list(dict.fromkeys(path for found in paths for path in found))):
                for path, (secret, attributes) in reader.secrets_and_attributes(some).items():
                    if (ours := item.ours(attributes)) is not None:
                        known[path] = _Stored(path, secret, ours)
        return [[known[path] for path in found if path in known] for found in paths]

    def _delete(self, path: bytes, *, dialog: bool) -> None:
        StorageItem(self._connection, path.decode(), self._session).ensure_not_locked()
        (prompt,) = DBusAddressWrapper(path.decode(), ITEM_IFACE, self._connection).call("Delete", "")
        if prompt == "/":
            return
        if not dialog and self._options.unlock != "prompt" and keepassxc.asks_before_it_deletes(self._options.environ):
            raise Unavailable("KeePassXC asks before an item goes: remove it there, or with `git-credential-hf forget`")
        if exec_prompt(self._connection, prompt)[0]:
            raise PromptDismissedException

    def _hold(self, written: "list[_Plan]") -> bool:
        try:
            found = self._find([plan.item.attributes() for plan in written])
        except Locked:
            raise Unavailable(f"what was written cannot be read back, {_EACH_LOCKED}") from None
        return all(any(one.secret == plan.secret for one in here) for plan, here in zip(written, found, strict=True))


class _Plan:
    """What is to be done so that one item, and no other, holds a token: see Writer.put.

    here: what is in its place.
    done: "unchanged", "replaced" or "created".
    kept: the item that is to hold the token from now on, None where it is to be created.
    surplus: items of ours that are to go.
    """

    def __init__(self, server: bytes, token: Token, origin: bytes, here: "list[_Stored]", force: bool) -> None:
        self.item = Item(server, token.scope, token.user, bearer=token.authtype is not None, origin=origin)
        self.secret = item.to_secret(token)
        # A search finds what has more attributes, too: the items of scopes and of other users.
        here = [one for one in here if one.item.is_at(self.item)]
        found = [one for one in here if one.item.bearer == self.item.bearer]
        self.kept = found[0] if found else None
        self.surplus = [one for one in here if one is not self.kept]
        if not here:
            self.done = "created"
        elif (
            self.kept is not None
            and not (force or self.surplus)
            and (self.kept.item.origin, self.kept.secret) == (origin, self.secret)
        ):
            self.done = "unchanged"
        else:
            self.done = "replaced"


class _Stored:
    """An item of ours as it was found: its object path, its secret, and what it is for."""

    def __init__(self, path: bytes, secret: bytes, ours: Item) -> None:
        self.path = path
        self.secret = secret
        self.item = ours


def _batches(everything: list[_Any]) -> list[list[_Any]]:
    return [everything[start : start + _AT_ONCE] for start in range(0, len(everything), _AT_ONCE)]


def _text(ours: Item) -> dict[str, str]:
    return {name.decode(): value.decode() for name, value in ours.attributes().items()}


def _plain_session(connection: _Connection) -> Session:
    # secretstorage would agree on a key by Diffie-Hellman, which some versions of KWallet get wrong now and then.
    # The socket is the user's own either way.
    session = Session()
    session.encrypted = False
    service = DBusAddressWrapper(SS_PATH, SERVICE_IFACE, connection)
    _, session.object_path = service.call("OpenSession", "sv", ALGORITHM_PLAIN, ("s", ""))
    return session


@contextmanager
def _told(*, at_start: bool = False) -> Iterator[None]:
    """Turn what secretstorage, jeepney and the socket raise into this package's errors."""
    try:
        yield
    except LockedException:
        raise Locked("it is locked") from None
    except PromptDismissedException:
        raise Unavailable("its prompt was dismissed") from None
    except ItemNotFoundException:
        raise (NoCollection("it has no default collection") if at_start else Unavailable("an item vanished")) from None
    except SecretServiceNotAvailableException:
        raise (NoKeyring("no keyring is running") if at_start else Unavailable(_LEFT)) from None
    except DBusErrorResponse as error:
        if error.name == _IS_LOCKED:
            raise Locked("it is locked") from None
        if error.name in _STOPPED:
            raise Unavailable(_LEFT) from None
        raise Unavailable(f"it answers {error.name!r}") from None
    except OSError as error:
        raise Unavailable(f"the connection broke: {error.strerror or error}") from None
    except (AssertionError, AttributeError, LookupError, TypeError, ValueError) as error:  # at a body of another kind
        raise Unavailable(f"what it answers is of another kind ({type(error).__name__})") from None
