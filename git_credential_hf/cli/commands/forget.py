"""forget: remove what login, seed and store stored in the keyring, and the same token from the token file."""

import os
import sys
from collections.abc import Iterator
from typing import NamedTuple

from git_credential_hf import hub
from git_credential_hf.cli import owner
from git_credential_hf.cli.asked import Asked
from git_credential_hf.cli.output import PARTLY, Failed, complain, shown, shown_token
from git_credential_hf.cli.token_file import TokenFile, unreadable
from git_credential_hf.model.item import place
from git_credential_hf.model.repository import HF_USER, HUB
from git_credential_hf.model.token import Token, of_hub
from git_credential_hf.options import Options, UsageError
from git_credential_hf.secret_service import Absent, Locked, Unavailable
from git_credential_hf.sources import keyring
from git_credential_hf.sources.token_file import is_login, is_ours, path
from git_credential_hf.state import locks, safe_read, trace

_WAIT = 30.0  # seconds, for the runs that came before
_DIALOG = 60.0  # seconds, for a keyring that has a person confirm what goes, as KeePassXC does


# What to do about a shortfall. {}: the command that forgets again.
_AGAIN = "Try: {}"
_UNLOCK = "Unlock it, then: {}"
_FIX = "Then: {}"  # the line itself says what to fix
_LOOK = "Try: git-credential-hf status"


class Forget(Asked):
    """What one run of forget is asked to do; each attribute is the option of that name."""

    command = "forget"

    def __init__(self) -> None:
        self.scope = b""  # empty for the whole host with all its scopes
        self.user: bytes | None = None  # None for everybody
        self.host = HUB
        self.revoke = False
        self.yes = False


class _Shortfall(NamedTuple):
    """What was not done and why, and which of the remedies above helps."""

    what: str
    remedy: str


class _Found:
    """What one run has found.

    items: what is to go from the keyring. absent: why there is no keyring, empty where there is one.
    in_file: the token that the token file holds. from_file: the same, None where it is to stay.
    copies: lines about the places that keep a token which is to be revoked.
    shortfalls: what a person must hear. locked: what of it is about locked collections beside the open ones.
    """

    def __init__(self) -> None:
        self.items: list[Token] = []
        self.in_file: bytes | None = None
        self.from_file: bytes | None = None
        self.absent = ""
        self.copies: list[str] = []
        self.shortfalls: list[_Shortfall] = []
        self.locked: list[_Shortfall] = []

    def tokens(self) -> list[bytes]:
        """Return what is to go from keyring and token file, each once."""
        texts = [token.text for token in self.items] + [self.from_file or b""]
        return list(dict.fromkeys(filter(None, texts)))


def forget(asked: Forget, options: Options) -> int:
    """Remove the items of ours that `asked` names, and the same token from the token file; return the exit code.

    options: environ and timeout, for the look into the keyring. Raises Failed where nothing was removed, and
    UsageError where a person is to be asked and there is no terminal.
    """
    trace.begin(options, "forget")
    if asked.revoke and asked.host != HUB:
        raise UsageError("`--revoke` is for tokens of huggingface.co alone")
    if not asked.yes and not os.isatty(0):
        raise UsageError("forget asks before it removes, and there is no terminal to ask on", asked.again(yes=True))
    owner.check_home(options.environ, "forget")
    file = TokenFile(options.environ) if asked.host == HUB and not asked.scope else None
    try:
        with locks.own_lock(options.environ, _WAIT):  # a seed that is half way has yet to write what is to go, too
            found = _look(asked, file, options)
            if asked.yes:
                return _remove(asked, file, found, options)
        if (found.items or found.from_file) and not _may_remove(asked, file, found):
            nothing = "nothing was removed or revoked" if asked.revoke else "nothing was removed"
            raise Failed(f"{nothing}, since the answer was not yes")
        with locks.own_lock(options.environ, _WAIT):
            return _remove(asked, file, found, options)
    except TimeoutError as error:
        raise Failed(f"nothing was removed: {error.strerror}, end it and forget again") from None


def _look(asked: Forget, file: TokenFile | None, options: Options) -> _Found:
    found = _Found()
    every: list[Token] = []
    try:
        with keyring.writer(options) as writer:
            found.items = writer.ours(asked.host, asked.scope, asked.user)
            every = writer.ours(asked.host, b"", None) if asked.revoke else []
            found.locked = [
                _Shortfall(f'the keyring "{shown(one)}" is locked, and was left', _UNLOCK) for one in writer.locked
            ]
    except Absent as reason:
        found.absent = str(reason)
    except Unavailable as reason:
        remedy = _UNLOCK if isinstance(reason, Locked) else _LOOK
        found.shortfalls.append(_Shortfall(f"the keyring cannot be searched, {reason}", remedy))
    found.in_file = file.token() if file else None
    if file and asked.user in (None, HF_USER) and (why := unreadable(file.path)):
        found.shortfalls.append(_Shortfall(f"the token file {file.shown} cannot be read: {why}", _LOOK))
    if found.in_file and _goes_too(found.in_file, asked, found, options):
        found.from_file = found.in_file
    if asked.revoke:
        found.copies = _copies(every, found, options)
    return found


def _goes_too(held: bytes, asked: Forget, found: _Found, options: Options) -> bool:
    """Return whether the token file is to lose `held`, the token that it holds."""
    if found.absent and asked.user is None:
        # Without a keyring seed fills the token file alone, and hf lists what it has put there.
        return not is_login(held, options.environ)
    if any(token.text == held and not token.scope for token in found.items):
        return True
    return not found.shortfalls and asked.user in (None, HF_USER) and is_ours(held, options.environ)


def _copies(every: list[Token], found: _Found, options: Options) -> list[str]:
    """Return a line for each place, beside those that are to be emptied, that holds a token which is to go."""
    going, items = found.tokens(), [token.item for token in found.items]
    lines = [f"keyring: {_name(one, HUB)}" for one in every if one.text in going and one.item not in items]
    file = path(options.environ)
    held = of_hub(safe_read.read(file))
    if held and held in going and found.from_file is None:
        lines.append(f"token file: token {shown_token(held)}, {shown(file)}")
    return lines


def _remove(asked: Forget, file: TokenFile | None, found: _Found, options: Options) -> int:
    """Remove what was found and has not changed since; return the exit code. Raises Failed."""
    absent, shortfalls = found.absent, found.shortfalls + found.locked
    if not found.items and not found.from_file and not shortfalls:
        print(f"nothing to remove: {absent}" if absent else "nothing to remove")
        _tell_what_stays(asked, file, found.in_file)
        return 0
    revoked = asked.revoke and _revoke(found)
    removed = 0
    try:
        for line in _removed_from_keyring(asked, found.items, options):
            print(line)
            removed += 1
    except Unavailable as reason:
        remedy = _UNLOCK if isinstance(reason, Locked) else _AGAIN
        shortfalls.append(_Shortfall(f"the keyring did not remove everything, {reason}", remedy))
    if file and found.from_file:
        try:
            print(file.remove(found.from_file))
            removed += 1
        except Failed as reason:
            shortfalls.append(_Shortfall(str(reason), _FIX))
    again = asked.again(revoke=asked.revoke and not revoked)
    if shortfalls != found.locked and not removed and not revoked:
        whats = "; ".join(one.what for one in shortfalls)
        raise Failed(f"nothing was removed: {whats}. {shortfalls[0].remedy.format(again)}")
    if not found.from_file:
        _tell_what_stays(asked, file, found.in_file)
    if absent:
        print(f"keyring: not searched, {absent}")
    for shortfall in shortfalls:
        complain(f"{shortfall.what}. {shortfall.remedy.format(again)}")
    for copy in found.copies if revoked else ():
        complain(f"revoked and left, {copy}. Try: git-credential-hf list")
    return PARTLY if shortfalls or (revoked and found.copies) else 0


def _revoke(found: _Found) -> bool:
    """Have the Hub end the tokens that are about to be removed, while they are still there; return whether it did.

    Raises Failed.
    """
    tokens = found.tokens()
    if not tokens:
        return False
    if why := hub.revoke(tokens):
        raise Failed(f"the Hub did not revoke {_count(tokens)}: {why}. Nothing was removed")
    print(f"the Hub: revoked, {', '.join(f'token {shown_token(token)}' for token in tokens)}", flush=True)
    return True


def _count(tokens: list[bytes]) -> str:
    return f"{len(tokens)} token{'s'[: len(tokens) != 1]}"


def _removed_from_keyring(asked: Forget, items: list[Token], options: Options) -> Iterator[str]:
    """Remove `items`; return the line that says so after each. Raises Unavailable."""
    if not items:
        return
    with_dialog = Options(options.environ)  # the time of `options` has passed while a person read what is to go
    with_dialog.timeout = _DIALOG
    with_dialog.trace = options.trace
    with keyring.writer(with_dialog) as writer:
        now = {token.item: token.text for token in writer.ours(asked.host, asked.scope, asked.user)}
        for token in items:
            if now.get(token.item) == token.text:
                writer.delete([token.item], dialog=True)
                yield f"keyring: removed, {_name(token, asked.host)}"
            else:  # it was not this one that the answer was about
                yield f"keyring: changed in the meantime and left, {_name(token, asked.host)}"


def _tell_what_stays(asked: Forget, file: TokenFile | None, token: bytes | None) -> None:
    if file is None or asked.user is not None:
        return
    if token:
        print(f"token file: left, token {shown_token(token)} is not known to be from seed, {file.shown}")
    elif line := file.link():
        print(line)


def _may_remove(asked: Forget, file: TokenFile | None, found: _Found) -> bool:
    for token in found.items:
        print(f"keyring: {_name(token, asked.host)}")
    if file and found.from_file:
        print(f"token file: token {shown_token(found.from_file)}, {file.shown}")
    for copy in found.copies:
        print(f"left, and revoked too, {copy}")
    if not _is_yes("Remove this?"):
        return False
    tokens = found.tokens()
    return not asked.revoke or not tokens or _is_yes(f"Revoke {_count(tokens)} at the Hub, everywhere and for good?")


def _is_yes(question: str) -> bool:
    print(f"{question} [y/N] ", end="", flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _name(token: Token, host: bytes) -> str:
    user = "any user" if token.user is None else shown(token.user)
    what = f"token {shown_token(token.text)}" if token.text else "an item without a token"
    return f"{what} for {shown(place(host, token.scope))} as {user}"
