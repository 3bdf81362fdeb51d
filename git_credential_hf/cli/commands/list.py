"""list: which tokens are stored, for what, and where. It changes nothing."""

import shutil
import sys
from typing import NamedTuple

from git_credential_hf.cli.output import date, shown, shown_token
from git_credential_hf.cli.token_file import unreadable
from git_credential_hf.model.repository import HUB
from git_credential_hf.model.token import fingerprint, of_hub
from git_credential_hf.options import Options
from git_credential_hf.secret_service import Unavailable
from git_credential_hf.sources import keyring, token_file
from git_credential_hf.state import safe_read

SCHEMA = 1

_HEADINGS = ("SCOPE", "USER", "TOKEN", "WHERE", "EXPIRES", "ORIGIN")
_GAP = 2  # columns
_NARROWEST = 8  # columns: no cell is cut to fewer


class _Row(NamedTuple):
    """What is known of one token; None is for what a locked keyring does not tell, or is not known.

    scope: the part of the host that it is for, None for the whole of it, too. expires: seconds since the epoch.
    origin: "seed", "tokens.toml" or "store" in the keyring, "hf" for a login of hf's in the token file.
    """

    host: str | None
    scope: str | None
    user: str | None
    token: bytes | None
    where: str
    locked: bool
    expires: int | None
    origin: str | None


def list_tokens(options: Options, *, as_json: bool) -> int:
    """Print the tokens that are stored; return the exit code. options: environ and timeout, for the keyring."""
    rows, skipped = [], ""
    try:
        rows = _of_keyring(options)
    except Unavailable as reason:
        skipped = str(reason)
    rows += _of_file(options.environ)
    file = token_file.path(options.environ)
    why_not = unreadable(file)
    if as_json:
        import json

        tokens = [_json(row) for row in rows]
        known = {
            "schema": SCHEMA,
            "keyring_skipped": skipped or None,
            "token_file_skipped": why_not or None,
            "tokens": tokens,
        }
        print(json.dumps(known, indent=2))
        return 0
    if rows:
        print(_table(rows, shutil.get_terminal_size().columns if sys.stdout.isatty() else None), end="")
    notes = [] if rows else ["0 tokens stored"]
    notes += [f"keyring: skipped ({shown(skipped)})"] if skipped else []
    notes += [f"token file: skipped, {shown(file)} cannot be read: {why_not}"] if why_not else []
    if notes:
        print("; ".join(notes))
    return 0


def _of_keyring(options: Options) -> list[_Row]:
    """Return what our items in the keyring hold. Raises Unavailable."""
    if not keyring.SECRET_SERVICE:  # that keyring lists no items, and tells no origin
        return [
            _Row(shown(HUB), None, _name(token.user), token.text, "keyring", False, token.expires, None)
            for token in keyring.by_library().Writer().ours(HUB, b"", None)
        ]
    from git_credential_hf.secret_service import inventory

    rows = []
    for one in inventory.items(options):
        ours = one.item
        host, scope, user = (ours.server, ours.scope or None, ours.user) if ours else (None, None, None)
        text, expires = (one.token.text, one.token.expires) if one.token else (None, None)
        where, origin = f"keyring {shown(one.collection)}", _name(one.origin) or None
        rows.append(_Row(_name(host), _name(scope), _name(user), text, where, one.locked, expires, origin))
    return sorted(rows, key=lambda row: (row.host is None, row.host or "", row.scope or "", row.user or "", row.where))


def _of_file(environ: dict[bytes, bytes]) -> list[_Row]:
    file = token_file.path(environ)
    text = of_hub(safe_read.read(file))
    if text is None:
        return []
    expires, _ = token_file.login(text, environ)
    home = environ.get(b"HOME", b"").rstrip(b"/")
    where = b"~" + file[len(home) :] if home and file.startswith(home + b"/") else file
    is_hfs, is_declared = token_file.is_login(text, environ), token_file.is_declared(text, environ)
    origin = "hf" if is_hfs else "tokens.toml" if is_declared else None
    return [_Row(shown(HUB), None, None, text, shown(where), False, expires, origin)]


def _name(value: bytes | None) -> str | None:
    return None if value is None else shown(value)


def _json(row: _Row) -> dict[str, object]:
    token = None if row.token is None else shown_token(row.token)
    return row._asdict() | {"token": token, "fingerprint": None if row.token is None else fingerprint(row.token)}


def _table(rows: list[_Row], columns: int | None) -> str:
    """Return the rows under their headings; on a terminal with so many `columns` cut to that."""
    lines = [_HEADINGS, *map(_cells, rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    while columns is not None and sum(widths) + _GAP * (len(widths) - 1) > columns and max(widths) > _NARROWEST:
        widths[widths.index(max(widths))] -= 1
    return "".join(
        (" " * _GAP).join(_cut(cell, width).ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        + "\n"
        for line in lines
    )


def _cells(row: _Row) -> tuple[str, ...]:
    unknown = "(locked)" if row.locked else "-"
    expires = date(row.expires, "%Y-%m-%d") if row.expires else "-"
    token = shown_token(row.token) if row.token is not None else unknown
    place = row.host + (f"/{row.scope}" if row.scope else "") if row.host else unknown
    return place, row.user or unknown, token, row.where, expires, row.origin or "-"


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"
