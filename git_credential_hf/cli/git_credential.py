"""git's side of the credential protocol: what it asks its helpers, and what it takes from their answers.

Source: git-credential(1), gitcredentials(7), git's credential.c.
"""

import os
import re
import subprocess
import time

from git_credential_hf.cli.git_config import Helper, is_true
from git_credential_hf.cli.output import shown
from git_credential_hf.model.token import seconds

# The last helper of all writes the request to standard error, and ends it.
_MARK = "git-credential-hf: git asks"
_ECHO = f"!{{ echo '{_MARK}'; while IFS= read -r line; do printf '%s\\n' \"$line\"; done; echo; }} >&2; echo quit=1; :"
FILL = ["git", "-c", "credential.helper=", "-c", f"credential.helper={_ECHO}", "credential", "fill"]

_KEPT = (b"protocol", b"host", b"path", b"username", b"password", b"oauth_refresh_token", b"password_expiry_utc")
_BEARER = (b"authtype", b"credential")
_AUTHTYPE = (b"capability[]", b"authtype")


class Credential:
    """What git knows of a credential: from the URL and its configuration at first, then from each helper that it asks.

    quits: whether a helper told git to ask nobody else.
    """

    def __init__(self, lines: bytes) -> None:
        pairs = [(key, value) for key, _, value in (line.partition(b"=") for line in lines.split(b"\n") if line)]
        self._capabilities = [pair for pair in pairs if pair[0].endswith(b"[]")]
        self.values = {key: value for key, value in pairs if not key.endswith(b"[]")}
        self.quits = False

    def request(self) -> bytes:
        """Return what git writes to the next helper."""
        return b"".join(b"%b=%b\n" % pair for pair in [*self._capabilities, *self.values.items()])

    def take(self, output: bytes, *, heeds_expiry: bool) -> None:
        """Take over what a helper printed, up to the first line that is empty or has no `=`.

        heeds_expiry: whether git drops a password that has expired, as it does since 2.40.
        """
        allowed: tuple[bytes, ...] = _KEPT
        for line in output.removesuffix(b"\n").split(b"\n"):
            key, equals, value = line.removesuffix(b"\r").partition(b"=")
            if not equals:
                break
            if (key, value) == _AUTHTYPE and _AUTHTYPE in self._capabilities:
                allowed = _KEPT + _BEARER
            elif key == b"quit":
                self.quits = is_true(value) is not False  # git stops, too, at what is no boolean
            elif key in allowed:
                self.values[key] = value
        end = seconds(self.values.get(b"password_expiry_utc"))
        if heeds_expiry and end and end < time.time():
            self.values.pop(b"password", None)
            del self.values[b"password_expiry_utc"]

    def secret(self) -> bytes | None:
        """Return the password, which may be empty, or the credential; None while git would ask on."""
        if (credential := self.values.get(b"credential")) is not None:
            return credential
        return self.values.get(b"password") if b"username" in self.values else None


def request(url: bytes) -> bytes:
    """Return the input of FILL for a URL."""
    return b"capability[]=authtype\ncapability[]=state\nurl=%b\n\n" % url


def read(output: bytes, errors: bytes) -> tuple[Credential | None, str]:
    """Return what FILL tells: git's credential before it asks anybody, else git's complaint.

    output, errors: what came on standard output, where git asks nobody, and on standard error.
    """
    if b"password=" in output:
        return Credential(output), ""
    asked = errors.partition(_MARK.encode() + b"\n")[2]
    if asked:
        return Credential(asked.partition(b"\n\n")[0]), ""
    fatal = re.search(rb"^fatal: (.*)$", errors, re.MULTILINE)
    return None, shown(fatal[1] if fatal else errors.partition(b"\n")[0])


def ask(helper: Helper, request: bytes, environ: dict[bytes, bytes], seconds: float) -> tuple[bytes, str]:
    """Run a helper's `get` as git does, where nothing can ask a person.

    Returns what it printed, and what went wrong: "fails", "hangs" or "nothing".

    environ: all of it, tokens too, since that is what git passes on.
    """
    quiet = {
        b"GIT_TERMINAL_PROMPT": b"0",
        b"GIT_ASKPASS": b"true",
        b"SSH_ASKPASS": b"true",
        b"GCM_INTERACTIVE": b"never",
    }
    try:
        # In a session of its own, so that what it starts ends with it, and finds no terminal to ask at.
        child = subprocess.Popen(
            ["sh", "-c", os.fsdecode(helper.command()) + " get"],
            env=environ | quiet,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError:
        return b"", "fails"
    with child:
        try:
            output, _ = child.communicate(request, seconds)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, 9)
            child.communicate()
            return b"", "hangs"
    return output, "fails" if child.returncode else "nothing"
