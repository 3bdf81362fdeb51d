"""What the documents tell people to run works as it stands there, and so does the demonstration."""

import itertools
import os
import re
import shlex
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from git_credential_hf.cli import tokens_toml as declared
from git_credential_hf.cli.parser import build
from git_credential_hf.cli.token_source import read
from tests.cli.terminal import at_a_terminal
from tests.conftest import Environment, Run
from tests.hub import Hub, Secret, fingerprint
from tests.keyring_items import Items

ROOT = Path(__file__).parents[1]
PAGES = [
    *("how-it-works.md", "keyrings.md", "nixos.md", "performance.md", "security.md", "servers.md", "setup.md"),
    *("status.md", "tokens.md"),
]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]

TOKENS = {
    name: Secret(f"hf_{name.title().replace('-', '')}0123456789AbCdEfGhIjKlMnOpQrSt")
    for name in ("huggingface", "my-org", "one-dataset", "alice", "mirror")
}
MODEL = "my-org/my-model"


@dataclass(frozen=True)
class Block:
    """A fenced block of shell commands.

    note: what a comment before it says: that it is not run, or that it asks for the token at a terminal.
    """

    document: Path
    line: int
    commands: str
    note: str

    @property
    def skipped(self) -> bool:
        return self.note.startswith("not run")

    def run(self, home: Path, environment: Environment) -> tuple[int, str]:
        """Run it in `home`, where the token is typed or on standard input; return exit code and output."""
        token = f"{TOKENS['huggingface']}\n"
        if self.note == "at a terminal":
            commands = f"cd {shlex.quote(str(home))}\n{self.commands}"
            with at_a_terminal(environment, "-euc", commands, program="/bin/sh") as conversation:
                conversation.until("(not shown): ")
                conversation.write(token.encode())
                return conversation.end(), conversation.shown
        done = subprocess.run(
            ["sh", "-euc", self.commands],
            input=token,
            cwd=home,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=100,
            check=False,
        )
        return done.returncode, done.stdout

    def __str__(self) -> str:
        return f"{self.document.name}:{self.line}"


def blocks(document: Path) -> list[Block]:
    text = document.read_text()
    return [
        Block(document, text.count("\n", 0, match.start(2)) + 1, match[2], match[1] or "")
        for match in re.finditer(r"^(?:<!-- ([^\n]*) -->\n)?```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    ]


BLOCKS = [block for document in DOCUMENTS for block in blocks(document)]
SKIPPED = [block for block in BLOCKS if block.skipped]
RUN = list(dict.fromkeys(block.document for block in BLOCKS if not block.skipped))


@pytest.fixture
def home(environment: Environment, hub: Hub, keyring: Items, tmp_path: Path) -> Path:
    """The home of somebody who has all the files that the documents name, on a machine with a Hub and a keyring."""
    environment |= hub.environ()
    environment |= {
        "GIT_ASKPASS": str(tmp_path / "askpass"),
        "SSH_ASKPASS": str(tmp_path / "askpass"),
        "SECRET_FROM_THE_CI": TOKENS["huggingface"],
    }
    askpass = tmp_path / "askpass"
    askpass.write_text(f"#!/bin/sh\n: >{shlex.quote(str(tmp_path / 'asked'))}\n")
    askpass.chmod(0o755)
    for token in TOKENS.values():
        hub.add_token(token, orgs=["my-org"], gated=[MODEL])
    hub.create(MODEL, private=True, gated=True, files={"config.json": "{}\n"}, lfs={"model.safetensors": b"weights"})
    home = Path(environment["HOME"])
    secrets = home / "secrets"
    secrets.mkdir(mode=0o700)
    for name, token in TOKENS.items():
        (secrets / f"{name}.token").touch(mode=0o600)
        (secrets / f"{name}.token").write_text(f"{token}\n")
    return home


@pytest.mark.parametrize("document", RUN, ids=lambda document: document.name)
def test_what_a_document_says_to_run_works(
    document: Path, home: Path, environment: Environment, hub: Hub, keyring: Items, tmp_path: Path
) -> None:
    if document.name == "README.md":
        # It tells how to make it.
        (home / "secrets/huggingface.token").unlink()
    on_a_server = document.name == "servers.md"
    if on_a_server:
        environment["DBUS_SESSION_BUS_ADDRESS"] = "disabled:"
    for block in blocks(document):
        if block.skipped:
            continue
        code, shown = block.run(home, environment)
        assert not any(token in shown for token in TOKENS.values()), f"{block} shows a token"
        assert code == 0, f"{block}\n{block.commands}\n{shown}"
    assert not (tmp_path / "asked").exists()
    assert (home / "my-model/model.safetensors").read_bytes() == b"weights"
    assert {one.fingerprint for one in hub.log} <= {None, *map(fingerprint, TOKENS.values())}
    assert (TOKENS["huggingface"].encode() in keyring.secrets()) == (not on_a_server)
    assert Path(environment["HOME"], ".cache/huggingface/token").exists() == (not on_a_server)
    if document.name == "README.md":
        assert (home / "my-config/config.json").read_text() == "{}\n"
        assert (home / "my-model-without-lfs/model.safetensors").read_bytes() == b"weights"
        assert (home / "secrets/huggingface.token").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("block", SKIPPED, ids=str)
def test_what_is_not_run_is_at_least_understood(block: Block, run: Run, environment: Environment) -> None:
    environment["GIT_CONFIG_GLOBAL"] = environment["HOME"] + "/.gitconfig"
    for command in block.commands.splitlines():
        program, *arguments = shlex.split(command, comments=True)
        if program == "git-credential-hf" and arguments[0] in ("exec", "serve"):
            # They would start another program, or wait for one.
            build().parse_args(list(itertools.takewhile(lambda word: word not in ("--", "&"), arguments)))
        elif program == "git-credential-hf":
            dry = ["--dry-run", "--optional"] if arguments[0] == "seed" else []
            result = run(*arguments, *dry)
            assert result.code == 0, (command, result.stderr)


def test_what_is_declared_is_understood(tmp_path: Path) -> None:
    found = [
        block
        for document in DOCUMENTS
        for block in re.findall(r"^```toml\n(.*?)^```$", document.read_text(), re.MULTILINE | re.DOTALL)
    ]
    assert found
    file = tmp_path / "tokens.toml"
    for text in found:
        file.write_text(text)
        assert len(declared.read(str(file))) == text.count("[tokens.")


def test_the_tokens_of_the_tests_are_what_seed_takes(tmp_path: Path) -> None:
    for name, token in TOKENS.items():
        file = tmp_path / name
        file.touch(mode=0o600)
        file.write_text(token)
        assert read(str(file), {}) == (token, [])


def test_the_documents_name_every_option_of_the_helper(run: Run) -> None:
    summary = run("--help").stdout.decode().partition("helper options")[2]
    options = re.findall(r"^  (--[a-z-]+)", summary, re.MULTILINE)
    assert options
    page = (ROOT / "docs/how-it-works.md").read_text()
    assert [option for option in options if f"| `{option}" not in page] == []


def test_every_page_is_there_and_the_readme_leads_to_it() -> None:
    assert [document.name for document in DOCUMENTS[1:]] == PAGES
    readme = (ROOT / "README.md").read_text()
    assert [page for page in PAGES if f"(docs/{page})" not in readme] == []
    python = re.findall(r'^requires-python = ">=(.*)"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert f"badge/python-{python[0]}%2B-" in readme
    assert "MIT License" in (ROOT / "LICENSE").read_text()
    assert "badge/licence-MIT-" in readme


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.name)
def test_links_lead_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", document.read_text()):
        if target.startswith("https://"):
            continue
        path, _, anchor = target.partition("#")
        file = document.parent / path if path else document
        assert file.exists(), target
        headings = re.findall(r"^#+ (.*)$", file.read_text(), re.MULTILINE) if anchor else []
        assert not anchor or anchor in [
            re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings
        ]


# The demonstration.


def demonstrate(folder: Path, **more: str) -> subprocess.CompletedProcess[str]:
    """Run scripts/demo with `folder` as the one for temporary files, which must be empty afterwards."""
    temporary = folder / "t"
    temporary.mkdir()
    done = subprocess.run(
        [ROOT / "scripts/demo"],
        env=os.environ | {"TMPDIR": str(temporary)} | more,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert re.search("hf_[0-9a-f]{8}", done.stdout + done.stderr) is None, "a token was shown"
    assert list(temporary.iterdir()) == []
    return done


def fake(folder: Path, name: str) -> str:
    """Return a PATH on which the program `name` only fails."""
    program = folder / "bin" / name
    program.parent.mkdir()
    program.write_text("#!/bin/sh\nexit 7\n")
    program.chmod(0o755)
    return f"{program.parent}:{os.environ['PATH']}"


def sources(output: str) -> list[str]:
    return re.findall(r"-> answered by (.*), token [0-9a-f]{8}, within [0-9]+", output)


@pytest.mark.usefixtures("gnome_keyring")  # so that this is skipped where there can be none
def test_the_demonstration(tmp_path: Path) -> None:
    done = demonstrate(tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert sources(done.stdout) == [*["the keyring"] * 4, "~/.cache/huggingface/token", "the forwarded socket"]
    assert "user: alice" in done.stdout
    assert "-> answered by OIDC with a token that was exchanged once" in done.stdout
    assert "in the keyring: huggingface.co (hf_user), git, token " in done.stdout
    assert "\nAll 13 steps went well.\n" in done.stdout
    assert "\033" not in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 100


def test_the_demonstration_without_a_keyring(tmp_path: Path) -> None:
    done = demonstrate(tmp_path, PATH=fake(tmp_path, "gnome-keyring-daemon"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "There is NO KEYRING" in done.stdout
    assert sources(done.stdout) == [*["~/.cache/huggingface/token"] * 5, "the forwarded socket"]
    assert "\nAll 13 steps went well.\n" in done.stdout


def test_the_demonstration_names_the_step_that_fails(tmp_path: Path) -> None:
    done = demonstrate(tmp_path, PATH=fake(tmp_path, "git-lfs"))
    assert done.returncode == 1
    assert 'demo: step 1, "Put the token where it belongs", failed: exit code 3' in done.stderr
    assert "went well" not in done.stdout


def test_the_demonstration_takes_no_arguments() -> None:
    done = subprocess.run([ROOT / "scripts/demo", "-x"], capture_output=True, text=True, timeout=100, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", "usage: scripts/demo\n")
