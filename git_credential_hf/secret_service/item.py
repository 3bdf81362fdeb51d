"""What an item of ours is in a keyring: its attributes, and those that find it.

The schema and the attributes are git-credential-libsecret's, so that it reads what stands for a whole host. Two more
tell our items from everybody else's: MARK says what an item is for, ORIGIN who wrote it.
"""

# Its value is the place that the item is for: `huggingface.co`, `git.example.com:8443`, `huggingface.co/my-org`. A
# search finds every item that has the attributes asked for among others, so one that asked for a host alone would
# find those of its other ports, and of its scopes.
MARK = b"git-credential-hf"
ORIGIN = b"git-credential-hf-origin"

SEEDED = b"seed"  # a person named the source
DECLARED = b"tokens.toml"  # which also has it removed once it is declared no more
STORED = b"store"

SCHEMA = b"org.git.Password"
BEARER_SCHEMA = b"git-credential-hf.Bearer"

# What KeePassXC adds to the attributes of an item.
PROVIDERS_OWN = (b"Notes", b"Path", b"Title", b"URL", b"UserName", b"Uuid")


def of_server(server: bytes) -> dict[bytes, bytes]:
    """Return the attributes by which git-credential-libsecret knows `server`, which is HOST or HOST:PORT."""
    host, colon, port = server.rpartition(b":")
    if colon and port.isdigit():
        return {b"protocol": b"https", b"server": host, b"port": port}
    return {b"protocol": b"https", b"server": server}


def of_place(server: bytes, scope: bytes = b"", user: bytes | None = None) -> dict[bytes, bytes]:
    """Return the attributes that find our items for the whole of `server`, or for `scope`: those of `user`, or all."""
    found = {MARK: server + b"/" + scope if scope else server}
    return found if user is None else found | {b"user": user}


def identity(server: bytes, user: bytes | None, scope: bytes, *, bearer: bool) -> dict[bytes, bytes]:
    """Return all attributes of an item but its origin: two items that agree in them are the same one."""
    attributes = of_place(server, scope, user) | {b"xdg:schema": BEARER_SCHEMA if bearer else SCHEMA}
    if not bearer:  # which git-credential-libsecret would find by these, and answer as a password
        attributes |= of_server(server)
        if scope:
            attributes[b"object"] = scope
    return attributes


def label(server: bytes, user: bytes | None, scope: bytes) -> str:
    """Return what a keyring's window shows for the item. KWallet would take a slash for a folder."""
    place = server + (b": " + scope if scope else b"")
    return f"{place.decode()} ({(user or b'any user').decode()}), git".replace("/", " ")
