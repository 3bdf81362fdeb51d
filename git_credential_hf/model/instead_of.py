"""url.*.insteadOf: the URL that git uses in the place of one that it is given. Source: git-config(1), remote.c."""

INSTEAD_OF = b"insteadof"
PUSH_INSTEAD_OF = b"pushinsteadof"


def rewritten(
    text: bytes, settings: list[tuple[bytes, bytes | None]], name: bytes = INSTEAD_OF
) -> tuple[bytes, int] | None:
    """Return what git makes of the URL `text`, and which of `settings` does that; None where none does.

    settings: keys and values of git's configuration. Of these git applies the one that matches most, and only once.
    """
    longest = 0
    found = None
    for number, (key, value) in enumerate(settings):
        is_one = key.startswith(b"url.") and key.endswith(b"." + name)
        if is_one and value and len(value) > longest and text.startswith(value):
            longest = len(value)
            found = key[len(b"url.") : -len(name) - 1] + text[longest:], number
    return found
