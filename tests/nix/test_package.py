"""The package for Nix: Nix builds it, with this machine's Python in the place of nixpkgs' own."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import Environment
from tests.installed import VERSION, bundle_in, needs_strace, traced
from tests.keyring_items import Items

ROOT = Path(__file__).parents[2]
SITE_PACKAGES = f"lib/{VERSION}/site-packages"
TOKEN = "hf_nIxPaCkAgE0123456789aBcDeFgHiJkLm"


@pytest.fixture
def nix() -> Iterator[Path]:
    """A folder for a store: not one of pytest's, whose names are too long for the first line of a script."""
    if shutil.which("nix-build") is None:
        pytest.skip("NOT TESTED: nix-build is not installed; scripts/test says why")
    folder = Path(tempfile.mkdtemp(prefix="n", dir="/tmp"))
    # Not the checkout itself, where other tests leave bytecode between the two builds that are to be the same.
    shutil.copytree(ROOT, folder / "checkout", ignore=shutil.ignore_patterns(".*", "__pycache__"), symlinks=True)
    yield folder
    for place in (folder, *folder.rglob("*")):
        if place.is_dir() and not place.is_symlink():
            place.chmod(0o700)
    shutil.rmtree(folder)


def build(nix: Path, *options: str) -> Path:
    arguments = {
        "python": str(Path(sys.executable).resolve()),
        "version": f"{sys.version_info.major}.{sys.version_info.minor}",
        "modules": sys.prefix,
        "path": f"{sys.prefix}/bin:{os.environ['PATH']}",
    }
    done = subprocess.run(
        [
            "nix-build", nix / "checkout/tests/nix/package.nix", "--no-out-link", *options,
            "--option", "sandbox", "false", "--option", "substitute", "false", "--option", "build-users-group", "",
            *(part for name, value in arguments.items() for part in ("--argstr", name, value)),
        ],
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(nix),
            "NIX_CONF_DIR": str(nix / "etc"),
            "NIX_LOG_DIR": str(nix / "log"),
            "NIX_STATE_DIR": str(nix / "var"),
            "NIX_STORE_DIR": str(nix / "s"),
        },
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return Path(done.stdout.splitlines()[-1])


def contents(folder: Path) -> dict[Path, bytes]:
    """Return what is in each file below `folder`."""
    return {file: file.read_bytes() for file in folder.rglob("*") if file.is_file()}


@needs_strace
def test_nix_builds_what_starts_without_a_shell_and_finds_its_libraries(
    nix: Path, environment: Environment, keyring: Items, tmp_path: Path
) -> None:
    package = build(nix)
    assert build(nix, "--check") == package  # the same bytes twice
    program = package / "bin/git-credential-hf"
    assert program.read_bytes().startswith(f"#!{Path(sys.executable).resolve()} -ISXutf8\n".encode())
    before = contents(package)
    source = tmp_path / "token"
    source.touch(mode=0o600)
    source.write_text(TOKEN)
    for arguments, request, stdout in (
        (["seed", "--from", source, "--quiet"], b"", b""),
        (["get"], b"protocol=https\nhost=huggingface.co\n", f"username=hf_user\npassword={TOKEN}\n".encode()),
    ):
        done = subprocess.run(
            [program, *arguments], input=request, env=environment, capture_output=True, timeout=60, check=False
        )
        assert (done.returncode, done.stdout, done.stderr) == (0, stdout, b"")
    assert keyring.secrets() == [TOKEN.encode()]
    assert contents(package) == before
    started = traced("execve,openat", program, environment | {"HF_TOKEN": "hf_t0ken"})
    assert sum("execve(" in call for call in started) == 1
    assert [line.split('"')[1] for line in started if "/git_credential_hf/" in line] == [
        str(bundle_in(package / f"{SITE_PACKAGES}/git_credential_hf"))
    ]
    assert (package / "share/man/man1/git-credential-hf.1").is_file()
