"""Create, replace, delete, unlock: every write to the Secret Service, on secretstorage."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
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
from git_credential_hf.model.repository import HF_USER, HUB
from git_credential_hf.model.token import Token
from git_credential_hf.options import Options
from git_credential_hf.secret_service import NO_KEYRING, Locked, NoCollection, NoKeyring, Unavailable, messages
from git_credential_hf.secret_service.dbus import opening
from git_credential_hf.secret_service.dbus.connection import AT_ONCE
from git_credential_hf.secret_service.quirks import keepassxc, oo7, pass_secret_service
from git_credential_hf.secret_service.reader import Reader, password_store
from git_credential_hf.secret_service.unlock import unlock

_IS_LOCKED = "org.freedesktop.Secret.Error.IsLocked"

_STOPPED = (DBUS_NO_REPLY, DBUS_SERVICE_UNKNOWN)

_LEFT = "it ended, or crashed, while it was asked: start it, unless that is done for you"

_EACH_LOCKED = "its items are locked though it is open: have KeePassXC not confirm when they are retrieved"

_LARGEST_REPLY = 1 << 16  # bytes: what is written is answered in a few hundred


_Any = TypeVar("_Any")


class _Connection(DBusConnection):  # type: ignore[misc]  # jeepney has no types
    """A connection on which every wait ends at one deadline; secretstorage's own would wait without end.

    What it makes of a connection that is open and let in is jeepney's; how that begins is `opening`'s.
    """

    def __init__(self, options: Options) -> None:
        self._options = options
        connection = opening.opened(options)
        try:
            opening.begin(connection, b"", options)
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
    """Our items in every open collection, over one connection, within `options.timeout` seconds.

    New items go to the default collection, the rest stays in its collection. Every method raises Unavailable if it
    fails: Locked, or a kind of Absent, if that is the reason. Each item is then unchanged, or finished.

    locked: the labels of the locked collections that have items of ours, which could not be changed.
    fleeting: whether what was put is in the collection that is gone at logout.
    """

    def __init__(self, options: Options) -> None:
        self._options = options
        self.locked: tuple[str, ...] = ()
        self.fleeting = False
        self._replaces_in_place = False
        self._has_looked = False
        with _told():
            self._connection = _Connection(options)
        try:
            with _told(at_start=True):
                add_match_rules(self._connection)
                # The first call of a connection: gnome-keyring can come to it before it knows of the connection, and
                # aborts if it is about a property or OpenSession.
                self._default = self._collection("default")
                if self._default == "/" and self._has_loaded():
                    self._default = self._collection("default")
                self._session = _plain_session(self._connection)
                self._closed = self._why_closed()
        except BaseException:
            self._connection.close()
            raise

    def __enter__(self) -> "Writer":
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def put(
        self, tokens: list[tuple[bytes, Token]], origin: bytes, *, force: bool = False, dry_run: bool = False
    ) -> list[str]:
        """Make each token, after its server, the secret of the one item for its server, user and scope.

        origin: item.SEEDED or item.DECLARED, which take the place of one that git stored, too; or item.STORED, which
        changes no other. Returns for each "unchanged" where it is that already and `force` is not set, else "replaced"
        or "created"; with `dry_run`, what would be done. "left" is what can neither be replaced nor be created, since
        the default collection is closed; where that is so of all, it raises NoCollection or Locked.
        """
        with _told():
            plans, fleeting = self._plans(tokens, origin, force)
            if origin != item.STORED and any(plan.done != "unchanged" for plan in plans):
                self._add_copies(plans)
            written = [plan for plan in plans if plan.done != "unchanged"]
            if self._closed and any(plan.kept is None for plan in written):
                if all(plan.kept is None for plan in plans):
                    raise self._closed
                for plan in written:
                    if plan.kept is None:
                        plan.done = "left"
            written = [plan for plan in written if plan.done != "left"]
            self.fleeting = any(plan.done != "left" and plan.target == fleeting for plan in plans)
            if written and not dry_run:
                self._carry_out(written)
        return [plan.done for plan in plans]

    def withdraw(self, kept: set[tuple[bytes, bytes]], *, dry_run: bool = False) -> list[tuple[bytes, bytes, bytes]]:
        """Delete what was declared, but for the places (as in item.MARK) and users in `kept`.

        Returns place, user and the token of each that was deleted; with `dry_run`, that would be.
        """
        gone = []
        with _told():
            (found,) = self._find([{item.ORIGIN: item.DECLARED}])
            for one in found:
                if one.item is None:
                    continue
                place, user = one.item.place(), one.item.user or b""
                if (place, user) not in kept:
                    gone.append((place, user, one.text()))
                    if not dry_run:
                        self._delete(one.path, dialog=False)
        return gone

    def ours(self, server: bytes, scope: bytes, user: bytes | None) -> list[Token]:
        """Return what our items for `server` hold: those of `scope`, all if it is empty; of `user`, of all if None."""
        ours = []
        with _told():
            which = item.of_place(server, scope, user)
            anywhere = which if scope else {} if user is None else {b"user": user}
            # What is locked tells nothing but whether it has the attributes that are asked for.
            named = [
                {item.ORIGIN: origin, **attributes}
                for origin in (item.SEEDED, item.DECLARED, item.STORED)
                for attributes in (item.of_server(server) | anywhere, which)
            ]
            searches = self._find(item.searches(server), name_locked=False) + self._find(named)
            if self._closed and not any(searches):
                raise self._closed
        for path, one in {one.path: one for found in searches for one in found}.items():
            if one.item is None:
                continue
            whose, part = one.item.user, one.item.scope
            if one.item.server == server and scope in (b"", part) and user in (None, whose):
                token = item.from_secret(one.secret, whose, path=path, scope=part)
                ours.append(token or Token(b"", user=whose, item=path, scope=part))
        return ours

    def delete(self, items: list[bytes], *, dialog: bool = False) -> None:
        """Delete our items with these object paths. One that is gone, or another program's, is no error.

        dialog: whether a person may be asked first.
        """
        with _told():
            for path in items:
                try:
                    if self._is_ours(path):
                        self._delete(path, dialog=dialog)
                except PromptDismissedException:  # which is one of those that follow
                    raise
                except ItemNotFoundException:
                    pass

    # What these find is gone when they return: items of others may be many and large.

    def _plans(self, tokens: list[tuple[bytes, Token]], origin: bytes, force: bool) -> "tuple[list[_Plan], bytes]":
        """Return what is to be done for each token, and the collection whose items are gone at logout (see put)."""
        places = [item.of_place(server, token.scope, token.user) for server, token in tokens]
        found = self._find(places)
        default = self._default.encode()
        fleeting = self._fleeting({default, *(one.collection for here in found for one in here)})
        leaving = b"" if self._closed or default == fleeting else fleeting
        plans = [
            _Plan(server, token, origin, here, force, default, leaving)
            for (server, token), here in zip(tokens, found, strict=True)
        ]
        return plans, fleeting

    def _add_copies(self, plans: "list[_Plan]") -> None:
        (stored,) = self._find([{item.ORIGIN: item.STORED}], name_locked=False)
        for plan in plans:
            plan.add_copies(stored)

    def _is_ours(self, path: bytes) -> bool:
        stored = StorageItem(self._connection, path.decode(), self._session)
        stored.ensure_not_locked()  # oo7-daemon then tells no attributes
        attributes = {name.encode(): value.encode() for name, value in stored.get_attributes().items()}
        return item.ours(attributes) is not None

    def _why_closed(self) -> Unavailable | None:
        """Return why nothing can be created in the default collection, None once it is open."""
        if self._default == "/":
            return NoCollection("it has no default collection")
        try:
            store = password_store(self._options.environ)
            pass_secret_service.leave_alone(self._default.encode(), store, self._options)
        except Locked as locked:
            return locked
        collection = Collection(self._connection, self._default)
        if collection.is_locked():
            if self._options.unlock == "prompt":
                collection.unlock()
            else:
                with Reader(self._options) as reader:
                    # For a search it could show its dialog.
                    if keepassxc.is_locked(reader):
                        raise Locked("it is locked")
                    unlock(reader, [self._default.encode()], self._options)
        return Locked("it is locked") if collection.is_locked() else None

    def _has_loaded(self) -> bool:
        with Reader(self._options) as reader:
            return oo7.has_loaded(reader, self._options)

    def _collection(self, alias: str) -> str:
        service = DBusAddressWrapper(SS_PATH, SERVICE_IFACE, self._connection)
        (path,) = service.call("ReadAlias", "s", alias)
        return str(path)

    def _fleeting(self, collections: set[bytes]) -> bytes:
        """Return which of `collections` is in memory alone; empty for none. Another may have the same path."""
        with suppress(DBusErrorResponse, ItemNotFoundException):  # what some say of an alias that is not there
            if messages.OF_SESSION in collections and self._collection("session").encode() == messages.OF_SESSION:
                return messages.OF_SESSION
        return b""

    def _carry_out(self, plans: "list[_Plan]") -> None:
        """Write what is planned, then delete what it replaces, so that an interruption loses nothing."""
        self._write([call for plan in plans for call in self._calls(plan)])
        gone: set[bytes] = set()
        again = []
        for plan, found in zip(plans, self._written(plans), strict=True):
            kept, surplus = plan.divided(found)
            for one in surplus:
                if one.path not in gone:
                    self._delete(one.path, dialog=False)
                    gone.add(one.path)
            # oo7-daemon deletes with an item all those on its disk that have its attributes among others.
            if not self._is_in_place(plan) and any(kept.goes_with(one) for one in surplus):
                again.append(plan)
        self._write([call for plan in again for call in self._calls(plan)])
        if gone:
            self._written(plans)

    def _calls(self, plan: "_Plan") -> Iterator[Message]:
        """Return the calls that write what is planned; secretstorage would make three for each, one after another."""
        secret = format_secret(self._session, plan.secret, "text/plain")
        kept = plan.kept
        if kept is not None and self._is_in_place(plan):
            address = DBusAddress(kept.path.decode(), BUS_NAME, ITEM_IFACE)
            if kept.attributes.get(item.ORIGIN) != plan.item.origin:
                yield Properties(address).set("Attributes", "a{ss}", _text(plan.attributes))
            yield new_method_call(address, "SetSecret", "(oayays)", (secret,))
            return
        collection = DBusAddress(plan.target.decode(), BUS_NAME, COLLECTION_IFACE)
        properties = {
            SS_PREFIX + "Item.Label": ("s", plan.item.label()),
            SS_PREFIX + "Item.Attributes": ("a{ss}", _text(plan.attributes)),
        }
        # With replace, an item that has these attributes among others would be overwritten, too. Without, and with
        # SetSecret, oo7-daemon and others have forgotten the new secret after their next start.
        replace = not plan.is_among_others
        yield new_method_call(collection, "CreateItem", "a{sv}(oayays)b", (properties, secret, replace))

    def _is_in_place(self, plan: "_Plan") -> bool:
        return plan.is_among_others or self._replaces_in_place

    def _write(self, calls: list[Message]) -> None:
        for batch in _batches(calls):
            for body in self._connection.ask(batch):
                _, prompt = body or ("", "/")
                if prompt != "/" and exec_prompt(self._connection, prompt)[0]:
                    raise PromptDismissedException

    def _find(self, wanted: list[dict[bytes, bytes]], *, name_locked: bool = True) -> "list[list[_Stored]]":
        """Return the items that have each of the sets of attributes; those of others have no `item`.

        The collections of those that are locked are named in `locked`. Raises Locked where an item is locked and its
        collection is not: a second one beside an item that nobody can read would be one more each time.
        """
        with Reader(self._options, unlocks_all=True) as reader:
            # One dialog is enough, whatever comes of it.
            reader.may_unlock = reader.may_unlock and not self._has_looked
            self._has_looked = True
            paths = reader.search(wanted)
            self._replaces_in_place = keepassxc.is_provider(reader)
            if name_locked:
                self._name_locked(reader)
            known: dict[bytes, _Stored] = {}
            for some in _batches(list(dict.fromkeys(path for found in paths for path in found))):
                for path, (secret, attributes) in reader.marked(some).items():
                    known[path] = _Stored(path, secret, attributes)
        return [[known[path] for path in found if path in known] for found in paths]

    def _name_locked(self, reader: Reader) -> None:
        collections = list(dict.fromkeys(path.rpartition(b"/")[0] for path in reader.locked))
        if not collections:
            return
        asked = [(one, name) for name in (b"Locked", b"Label") for one in collections]
        replies = reader.ask(*(messages.property_of(one, messages.COLLECTION, name) for one, name in asked))
        for one, is_locked, label in zip(collections, replies, replies[len(collections) :], strict=False):
            if is_locked.as_flag() is False:
                raise Locked(_EACH_LOCKED)
            name = messages.read_label(label, one)
            if name not in self.locked:
                self.locked += (name,)

    def _delete(self, path: bytes, *, dialog: bool) -> None:
        StorageItem(self._connection, path.decode(), self._session).ensure_not_locked()
        (prompt,) = DBusAddressWrapper(path.decode(), ITEM_IFACE, self._connection).call("Delete", "")
        if prompt == "/":
            return
        if not dialog and self._options.unlock != "prompt" and keepassxc.asks_before_it_deletes(self._options.environ):
            raise Unavailable("KeePassXC asks before an item goes: remove it there, or with `git-credential-hf forget`")
        if exec_prompt(self._connection, prompt)[0]:
            raise PromptDismissedException

    def _written(self, plans: "list[_Plan]") -> "list[list[_Stored]]":
        """Return what is now in the place of each plan, which is among it. Raises Unavailable where it is not."""
        places = [item.of_place(plan.item.server, plan.item.scope, plan.item.user) for plan in plans]
        try:
            found = self._find(places)
        except Locked:
            raise Unavailable(f"what was written cannot be read back, {_EACH_LOCKED}") from None
        if not all(any(plan.is_done_by(one) for one in here) for plan, here in zip(plans, found, strict=True)):
            raise Unavailable("what was written cannot be read back")
        return found


class _Plan:
    """What is to be done so that one item, and no other, holds a token: see Writer.put.

    found: what a search for its place and user finds.
    default: the path of the default collection, where of several items the one to be replaced is looked for first.
    leaving: that of the collection whose items move to the default one, since they would be gone at logout.

    done: "unchanged", "replaced" or "created".
    kept: the item that the new one takes the place of, None where it is to be created.
    attributes: those of the new one: this program's, and what a person or the keyring added to those that it replaces.
    old: the texts of the tokens that it takes the place of.
    target: the path of the collection that the new item is in.
    is_among_others: whether another program has an item there with the same attributes and more.
    """

    def __init__(
        self,
        server: bytes,
        token: Token,
        origin: bytes,
        found: "list[_Stored]",
        force: bool,
        default: bytes,
        leaving: bytes,
    ) -> None:
        self.item = Item(server, token.scope, token.user, bearer=token.authtype is not None, origin=origin)
        self.secret = item.to_secret(token)
        here = self._replaced(found)
        seeded = [one for one in here if one.is_stored == self.item.is_stored]
        alike = [one for one in seeded if one.item is not None and one.item.bearer == self.item.bearer]
        alike = [one for one in alike if one.collection != leaving]
        alike.sort(key=lambda one: one.collection != default)
        self.kept = alike[0] if alike else None
        ours = self.item.attributes()
        self.attributes = {name: value for one in [*here, *alike[:1]] for name, value in one.added().items()} | ours
        self.old = {one.text() for one in seeded} - {token.text}
        self._copies: list[_Stored] = []
        self.target = self.kept.collection if self.kept else default
        self.is_among_others = any(
            ours.items() <= one.attributes.items() and one.collection == self.target for one in found if one not in here
        )
        if not here:
            self.done = "created"
        elif here == [self.kept] and not force and self.is_done_by(here[0]):
            self.done = "unchanged"
        else:
            self.done = "replaced"

    def is_done_by(self, one: "_Stored") -> bool:
        """Return whether that item holds the token as it is to be held."""
        ours = one.item
        return ours is not None and ours.attributes() == self.item.attributes() and one.secret == self.secret

    def add_copies(self, stored: "list[_Stored]") -> None:
        """Mark those of `stored` for deletion that have an old token, or that `get` would give before this one."""
        for one in stored:
            if one.item is None or one.item.server != self.item.server:
                continue
            is_here = one.item.scope == self.item.scope
            # At the Hub one with a longer scope was stored where the token for the host was rejected (see store).
            is_below = one.item.scope.startswith(self.item.scope and self.item.scope + b"/")
            is_whose = self.item.user in (None, HF_USER) or one.item.user in (None, HF_USER, self.item.user)
            is_before = one.item.user == HF_USER if is_here else is_below and is_whose and self.item.server == HUB
            if is_before or one.text() in self.old:
                self._copies.append(one)

    def divided(self, found: "list[_Stored]") -> "tuple[_Stored, list[_Stored]]":
        """Return the item that is done and stays, of what a search now finds in its place, and those that are to go."""
        here = self._replaced(found)
        before = self.kept.path if self.kept else b""
        done = filter(self.is_done_by, here)
        # Of two the one with more attributes goes: oo7-daemon then deletes that alone.
        kept = min(done, key=lambda one: (one.collection != self.target, len(one.attributes), one.path != before))
        return kept, [one for one in [*here, *self._copies] if one.path != kept.path]

    def _replaced(self, found: "list[_Stored]") -> "list[_Stored]":
        """Return those of `found` that the new item takes the place of."""
        # A search finds what has more attributes, too: the items of other users, and of other programs.
        here = [one for one in found if one.item is not None and one.item.is_at(self.item)]
        return [one for one in here if one.is_stored or not self.item.is_stored]


class _Stored:
    """An item as it was found: its object path, its secret and its attributes, and what it is for if it is ours."""

    def __init__(self, path: bytes, secret: bytes, attributes: dict[bytes, bytes]) -> None:
        self.path = path
        self.collection = path.rpartition(b"/")[0]
        self.secret = secret
        self.attributes = attributes
        self.item = item.ours(attributes)

    @property
    def is_stored(self) -> bool:
        return self.item is not None and self.item.is_stored

    def added(self) -> dict[bytes, bytes]:
        """Return the attributes that this program did not give the item: a person did, or the keyring."""
        ours = self.item.attributes() if self.item else {}
        return {name: value for name, value in self.attributes.items() if name not in ours.keys() | keepassxc.ADDED}

    def goes_with(self, other: "_Stored") -> bool:
        """Return whether to delete `other` may delete this one too."""
        return self.collection == other.collection and other.attributes.items() <= self.attributes.items()

    def text(self) -> bytes:
        return item.text_of(self.secret)


def _batches(everything: list[_Any]) -> list[list[_Any]]:
    return [everything[start : start + AT_ONCE] for start in range(0, len(everything), AT_ONCE)]


def _text(attributes: dict[bytes, bytes]) -> dict[str, str]:
    return {name.decode(): value.decode() for name, value in attributes.items()}


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
        raise (NoKeyring(NO_KEYRING) if at_start else Unavailable(_LEFT)) from None
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
