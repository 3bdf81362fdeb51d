"""Our items for a host, as `get` looks for them."""

from git_credential_hf.model import item
from git_credential_hf.model.repository import HF_USER
from git_credential_hf.model.token import preferred

TYPE_CHECKING = False  # as mypy reads it, without the import of typing
if TYPE_CHECKING:
    from collections.abc import Iterator

    from git_credential_hf.model.token import Token
    from git_credential_hf.secret_service.reader import Reader


def tokens(
    reader: "Reader", server: bytes, path_scopes: list[bytes], users: list[bytes], anybody: bool
) -> "Iterator[Token]":
    """Return the tokens of our unlocked items for `server`, the preferred first.

    path_scopes: the scopes that the request lies in, the most specific first. users: whose items may answer, the
    preferred first; with `anybody` everybody's do, after theirs. Raises Unavailable.
    """
    found = reader.search(
        [item.of_place(server, one) for one in path_scopes] + [item.of_place(server, user=user) for user in users]
    )
    items = [path for paths in found for path in paths]
    if not items:
        return
    secrets = reader.secrets(items)
    held = [
        [item.from_secret(secrets.get(path, b""), user, path=path, scope=scope) for path in paths]
        for (scope, user), paths in zip(
            [(scope, HF_USER) for scope in path_scopes] + [(b"", user) for user in users], found, strict=True
        )
    ]
    count = len(path_scopes)
    for of_place in [*held[:count], [token for of_user in held[count:] for token in of_user]]:
        here = preferred(of_place, users, anybody)
        if len(here) > (1 if anybody else len({token.user for token in here})):
            from git_credential_hf.secret_service import precedence

            here = precedence.ordered(here, reader, users, anybody)
        yield from here
