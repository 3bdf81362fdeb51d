"""The parts of docs/*.md that scripts write: between two comments, in a page that is otherwise written by hand."""


def begin(script: str) -> str:
    """Return the comment after which the part of `script` (as `scripts/bench`) begins."""
    return f"<!-- made by {script}: begin -->\n"


def end(script: str) -> str:
    """Return the comment before which the part of `script` ends."""
    return f"<!-- made by {script}: end -->\n"


def with_part(page: str, script: str, part: str) -> str:
    """Return `page` with `part` in the place of what `script` wrote there. Raises ValueError where it has no place."""
    before, found, rest = page.partition(begin(script))
    _, found_too, after = rest.partition(end(script))
    if not (found and found_too):
        raise ValueError(f"there is no part of {script}")
    return before + begin(script) + part + end(script) + after
