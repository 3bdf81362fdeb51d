"""Create, replace, delete, unlock: every write to the Secret Service, on secretstorage."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

from jeepney import DBusErrorResponse, Message
from jeepney.io.blocking import DBusConnection, prep_socket
from secretstorage import Collection, Item, search_items
from secretstorage.defines import ALGORITHM_PLAIN, SS_PATH
from secretstorage.dhcrypto import Session
from secretstorage.exceptions import (
    ItemNotFoundException,
    LockedException,
    PromptDismissedException,
    SecretServiceNotAvailableException,
)
from secretstorage.util import SERVICE_IFACE, DBusAddressWrapper, add_match_rules

from git_credential_hf.options import Options
from git_credential_hf.secret_service import Absent, Locked, Unavailable, bus_addresses, item, unlock
from git_credential_hf.secret_service.lookup import Lookup
from git_credential_hf.token import Token, from_secret

_IS_LOCKED = "org.freedesktop.Secret.Error.IsLocked"


class _Connection(DBusConnection):  # type: ignore[misc]  # jeepney has no types
    """A connection on which every wait ends at one deadline, where secretstorage's own would wait for ever."""

    def __init__(self, address: bytes, options: Options) -> None:
        self._options = options
        super().__init__(prep_socket(address, timeout=self._remaining()))

    def send_and_get_reply(self, message: Message, *, timeout: float | None = None) -> Message:
        return super().send_and_get_reply(message, timeout=self._remaining())

    def recv_until_filtered(self, queue: Any, *, timeout: float | None = None) -> Message:
        return super().recv_until_filtered(queue, timeout=self._remaining())

    def _remaining(self) -> float:
        return max(self._options.remaining(), 0.001)


class Vault:
    """Our items in the default collection, over one connection, within `options.timeout` seconds.

    Everything raises Absent, Locked or Unavailable where it cannot do what it says. An item is then as it was, or as
    it was to be.
    """

    def __init__(self, options: Options) -> None:
        self._options = options
        self._connection = _connect(options)
        try:
            with _told(options.timeout, at_start=True):
                add_match_rules(self._connection)
                # The collection first: an OpenSession must not be the first call of a connection (see Lookup).
                self._collection = Collection(self._connection)
                self._session = self._collection.session = _plain_session(self._connection)
                if self._collection.is_locked():
                    self._unlock()
                self._collection.ensure_not_locked()
        except BaseException:
            self._connection.close()
            raise

    def __enter__(self) -> "Vault":
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def put(self, server: bytes, token: Token, origin: bytes, *, force: bool = False, dry_run: bool = False) -> str:
        """Make `token` the secret of the one item for its server, user and scope.

        origin: item.SEEDED or item.STORED. Returns "unchanged" where it is that already and `force` is not set, else
        "replaced" or "created"; with `dry_run`, what would be done.
        """
        bearer = token.authtype is not None
        identity = _text(item.identity(server, token.user, token.scope, bearer=bearer))
        other_kind = _text(item.identity(server, token.user, token.scope, bearer=not bearer))
        attributes = identity | _text({item.ORIGIN: origin})
        secret = token.to_secret()
        with _told(self._options.timeout):
            place = _text(item.of_place(server, token.scope, token.user))
            here = list(search_items(self._connection, place))
            found, surplus = self._exact(here, identity), self._exact(here, other_kind)
            if not found and not surplus:
                done = "created"
            elif len(found) == 1 and not surplus and not force and self._is(found[0], attributes, secret):
                done = "unchanged"
            else:
                done = "replaced"
            if dry_run or done == "unchanged":
                return done
            if not found:
                self._create(item.label(server, token.user, token.scope), attributes, secret)
            for kept in found[:1]:
                if _attributes(kept) != attributes:
                    kept.set_attributes(attributes)
                kept.set_secret(secret)
            for one in found[1:] + surplus:
                one.delete()
        if not self._holds(identity, secret):
            raise Unavailable("what was written cannot be read back")
        return done

    def ours(self, server: bytes, scope: bytes, user: bytes | None) -> list[Token]:
        """Return what our items for `server` hold: those of `scope`, all if it is empty; of `user`, of all if None."""
        found = {}
        with _told(self._options.timeout):
            # A Bearer item has no attribute of its host alone.
            for wanted in (item.of_server(server), {b"xdg:schema": item.BEARER_SCHEMA}):
                for one in search_items(self._connection, _text(wanted)):
                    attributes = {name.encode(): value.encode() for name, value in one.get_attributes().items()}
                    place, _, part = attributes.get(item.MARK, b"").partition(b"/")
                    whose = attributes.get(b"user")
                    if place == server and scope in (b"", part) and user in (None, whose):
                        one.session = self._session
                        found[one.item_path.encode()] = (one.get_secret(), whose, part)
        return [
            from_secret(secret, "the keyring", whose, item=path, scope=part)
            or Token(b"", "the keyring", user=whose, item=path, scope=part)
            for path, (secret, whose, part) in found.items()
        ]

    def delete(self, items: list[bytes]) -> None:
        """Delete the items with these object paths; one that is gone already is fine."""
        with _told(self._options.timeout):
            for path in items:
                try:
                    Item(self._connection, path.decode(), self._session).delete()
                except PromptDismissedException:
                    raise
                except ItemNotFoundException:
                    pass

    def _unlock(self) -> None:
        if self._options.unlock == "prompt":
            self._collection.unlock()
        elif self._options.unlock == "auto":
            service = DBusAddressWrapper(SS_PATH, SERVICE_IFACE, self._connection)
            (path,) = service.call("ReadAlias", "s", "default")
            with closing(Lookup(self._options)) as lookup:
                unlock.unlock(lookup, [path.encode()], self._options)

    def _exact(self, items: list[Item], identity: dict[str, str]) -> list[Item]:
        """Return those of `items` whose attributes, but for the origin, are `identity` and nothing more.

        A search finds supersets too: those are somebody else's.
        """
        exact = []
        for found in items:
            found.session = self._session
            attributes = _attributes(found)
            attributes.pop(_ORIGIN, None)
            if attributes == identity:
                exact.append(found)
        return exact

    def _is(self, found: Item, attributes: dict[str, str], secret: bytes) -> bool:
        return _attributes(found) == attributes and found.get_secret() == secret

    def _create(self, label: str, attributes: dict[str, str], secret: bytes) -> None:
        try:
            self._collection.create_item(label, attributes, secret)
        except PromptDismissedException:
            raise
        except ItemNotFoundException:
            pass  # KWallet answers with the path of an item that is not there yet: reading it back decides

    def _holds(self, identity: dict[str, str], secret: bytes) -> bool:
        with closing(Lookup(self._options)) as lookup:
            (found,) = lookup.search([{name.encode(): value.encode() for name, value in identity.items()}])
            return bool(found) and secret in lookup.secrets(found).values()


_ORIGIN = item.ORIGIN.decode()
_PROVIDERS_OWN = [name.decode() for name in item.PROVIDERS_OWN]


def _attributes(found: Item) -> dict[str, str]:
    """Return the attributes of an item without those that the provider has added."""
    return {name: value for name, value in found.get_attributes().items() if name not in _PROVIDERS_OWN}


def _text(attributes: dict[bytes, bytes]) -> dict[str, str]:
    return {name.decode(): value.decode() for name, value in attributes.items()}


def _connect(options: Options) -> _Connection:
    for address in bus_addresses(options.environ):
        try:
            return _Connection(address, options)
        except TimeoutError:
            raise Unavailable(f"the session bus gave no answer within {options.timeout:g} s") from None
        except Exception:  # noqa: S112 - jeepney has no error of its own for a bus that is none; the next may be one
            continue
    raise Absent("there is no session bus")


def _plain_session(connection: _Connection) -> Session:
    # secretstorage would agree on a key by Diffie-Hellman, which some versions of KWallet get wrong now and then.
    # The socket is the user's own either way.
    session = Session()
    session.encrypted = False
    service = DBusAddressWrapper(SS_PATH, SERVICE_IFACE, connection)
    _, session.object_path = service.call("OpenSession", "sv", ALGORITHM_PLAIN, ("s", ""))
    return session


@contextmanager
def _told(timeout: float, *, at_start: bool = False) -> Iterator[None]:
    """Turn what secretstorage, jeepney and the socket raise into this package's errors."""
    try:
        yield
    except LockedException:
        raise Locked("it is locked") from None
    except PromptDismissedException:
        raise Unavailable("its prompt was dismissed") from None
    except ItemNotFoundException:
        raise (Absent("it has no default collection") if at_start else Unavailable("an item vanished")) from None
    except SecretServiceNotAvailableException:
        raise (Absent("no keyring is running") if at_start else Unavailable("it stopped answering")) from None
    except DBusErrorResponse as error:
        if error.name == _IS_LOCKED:
            raise Locked("it is locked") from None
        raise Unavailable(f"it answers {error.name!r}") from None
    except TimeoutError as error:
        raise Unavailable(error.strerror or f"it gave no answer within {timeout:g} s") from None
    except OSError as error:
        raise Unavailable(f"the connection broke: {error.strerror or error}") from None
