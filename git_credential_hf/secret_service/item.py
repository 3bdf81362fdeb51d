"""What an item of ours is in a keyring: its attributes, and those that find it.

The schema and the attributes are git-credential-libsecret's, so that it reads what stands for a whole host. Two more
tell our items from everybody else's: MARK says whether an item is for a host or for a scope, ORIGIN who wrote it.
"""

MARK = b"git-credential-hf"
ORIGIN = b"git-credential-hf-origin"

ATTRIBUTES = (b"xdg:schema", b"protocol", b"server", b"port", b"user", b"object", MARK, ORIGIN)

FOR_HOST = b"host"
FOR_SCOPE = b"scope"

SEEDED = b"seed"
STORED = b"store"

SCHEMA = b"org.git.Password"
# git-credential-libsecret would answer the credential of a Bearer item as a password.
BEARER_SCHEMA = b"git-credential-hf.Bearer"


def of_server(server: bytes) -> dict[bytes, bytes]:
    """Return the attributes that every item for `server` has, ours or git-credential-libsecret's.

    server: HOST or HOST:PORT.
    """
    host, colon, port = server.rpartition(b":")
    if colon and port.isdigit():
        return {b"protocol": b"https", b"server": host, b"port": port}
    return {b"protocol": b"https", b"server": server}


def of_host(server: bytes, user: bytes | None = None) -> dict[bytes, bytes]:
    """Return the attributes that find our items for the whole of `server`: those of `user`, or of anybody."""
    found = of_server(server) | {MARK: FOR_HOST}
    return found if user is None else found | {b"user": user}


def of_scope(server: bytes, scope: bytes) -> dict[bytes, bytes]:
    """Return the attributes that find our items for `scope`."""
    return of_server(server) | {MARK: FOR_SCOPE, b"object": scope}


def identity(server: bytes, user: bytes | None, scope: bytes, bearer: bool) -> dict[bytes, bytes]:
    """Return all attributes of an item but its origin: two items that agree in them are the same one."""
    attributes = of_scope(server, scope) if scope else of_host(server)
    attributes[b"xdg:schema"] = BEARER_SCHEMA if bearer else SCHEMA
    if user is not None:
        attributes[b"user"] = user
    return attributes


def label(server: bytes, user: bytes | None, scope: bytes) -> str:
    """Return what a keyring's window shows for the item. KWallet would take a slash for a folder."""
    place = server + (b": " + scope if scope else b"")
    return f"{place.decode()} ({(user or b'any user').decode()}), git".replace("/", " ")
