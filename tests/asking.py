"""What git asks, what it is answered, and where the tokens of a test come from."""

import shlex
from pathlib import Path

from tests.conftest import Environment, Result, Run

HUB = "huggingface.co"
NOTHING = Result(b"", b"", 0)
# A credential for the Authorization header, and what git says that knows such.
BEARER = {"authtype": "Bearer", "credential": "hf_bearer"}
KNOWS_BEARER = {"capability[]": "authtype"}
# A host beside the Hub, as git has it and as the option has it.
OTHER = {"host": "git.example.com:8443"}
FOR_OTHER = ("--host", "Git.Example.com:8443")


def request(**values: str) -> bytes:
    lines = {"protocol": "https", "host": HUB} | values
    return "".join(f"{key}={value}\n" for key, value in lines.items()).encode()


def answer(username: str, password: str) -> Result:
    return Result(f"username={username}\npassword={password}\n".encode(), b"", 0)


def explains(told: Result, token: str, source: str, remedy: str) -> bool:
    """Return whether that is how erase tells of a rejected token: one line with the token as people see it."""
    line = told.stderr.decode()
    return (
        (told.stdout, told.code, line.count("\n")) == (b"", 0, 1)
        and line.startswith("git-credential-hf: the Hub rejected the token ")
        and f" {token} from {source}: " in line
        and line.endswith(f". Try: {remedy}\n")
    )


def keyring_skipped(reason: str, *arguments: str) -> str:
    """Return the line with which seed, run with `arguments`, says that the keyring was not there for it."""
    return f"keyring: skipped ({reason}). {keyring_remedy(reason, *arguments)}"


def keyring_remedy(reason: str, *arguments: str) -> str:
    """Return what seed, run with `arguments`, advises about such a keyring where there is no display."""
    again = f"Run `{shlex.join(['git-credential-hf', 'seed', *arguments])}` again"
    when = {
        "it is locked": "once it is open",
        "no keyring is running": "once one is running",
        "it has no default collection": "after the next login, or create a keyring in it",
    }
    return f"{again} {when.get(reason, 'after logging in')}"


def seed(run: Run, token: str, *arguments: str) -> None:
    done = run("seed", "--from", "-", "--no-cache", *arguments, input=token.encode())
    assert (done.stderr, done.code) == (b"", 0)


def declare(environment: Environment, text: str) -> None:
    """Write tokens.toml."""
    file = Path(environment["HOME"], ".config/git-credential-hf/tokens.toml")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def write_token_file(environment: Environment, token: str) -> Path:
    file = Path(environment["HOME"], ".cache/huggingface/token")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(token)
    return file


def rejected_file(environment: Environment) -> Path:
    return Path(environment["HOME"], ".local/state/git-credential-hf/rejected")
