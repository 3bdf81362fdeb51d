"""Which of several items of ours for one place answers: a seeded one before a stored one, then the newest.

One of which somebody changed a part of our identity comes after those that seed replaces and forget removes.
"""

from git_credential_hf.model import item
from git_credential_hf.model.token import Token, rank

TYPE_CHECKING = False  # as mypy reads it, without the import of typing
if TYPE_CHECKING:
    from git_credential_hf.secret_service.reader import Reader


def ordered(tokens: list[Token], reader: "Reader", users: list[bytes], anybody: bool) -> list[Token]:
    """Return `tokens`, those of our items for one place, the preferred first.

    users: whose items may answer, the preferred first. anybody: whether the request names no user, so that a token that
    somebody seeded is before one that git stored, whoever's they are. Raises Unavailable.
    """
    known = reader.origins([token.item for token in tokens])

    def key(token: Token) -> tuple[int, int, bool, int]:
        origin, modified, is_whole = known.get(token.item, (b"", 0, False))
        is_stored, user = int(origin == item.STORED), rank(token, users)
        first, second = (is_stored, user) if anybody else (user, is_stored)
        return first, second, not is_whole, -modified

    return sorted(tokens, key=key)
