"""What an installer put on the disk is never changed: the wheel, installed by pip, before and after every command."""

import base64
import csv
import hashlib
import os
import re
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from tests.conftest import Environment
from tests.installed import REQUEST, SOURCE, VERSION, bundle_in, package_of
from tests.keyring_items import Items
from tests.startup.conftest import TOKEN

ANOTHER = "hf_aNoThErToKeN0123456789aBcDeFgHiJk"
CREDENTIAL = REQUEST + f"username=hf_user\npassword={ANOTHER}\n".encode()

# Every command: its arguments, its input, and its exit code.
COMMANDS: list[tuple[list[str], bytes, int]] = [
    (["--help"], b"", 0),
    (["--version"], b"", 0),
    (["get"], REQUEST, 0),
    (["seed", "--from", "-"], TOKEN.encode(), 0),
    (["configure"], b"", 0),
    (["status"], b"", 0),
    (["get"], REQUEST, 0),
    (["erase"], CREDENTIAL, 0),
    (["store"], CREDENTIAL, 0),
    (["capability"], b"", 0),
    (["get", "too much"], b"", 2),
    (["seed", "--from", "-"], TOKEN.encode(), 0),
    (["forget", "--yes"], b"", 0),
    (["unconfigure"], b"", 0),
    (["status"], b"", 1),
    (["get"], b"nonsense", 1),
]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder],
        cwd=SOURCE,
        capture_output=True,
        check=True,
    )
    (wheel,) = folder.iterdir()
    return wheel


def contents(folder: Path) -> dict[Path, tuple[int, bytes]]:
    """Return mode and content of each file below `folder`, or what it leads to."""
    return {
        file: (file.lstat().st_mode, os.fsencode(file.readlink()) if file.is_symlink() else file.read_bytes())
        for file in folder.rglob("*")
        if file.is_symlink() or not file.is_dir()
    }


def changed(packages: Path) -> list[str]:
    """Return the files that are not what RECORD says of them, as the tools see it that check an installation."""
    (record,) = packages.glob("git_credential_hf-*.dist-info/RECORD")
    with record.open(newline="") as lines:
        files = [(file, said, size) for file, said, size in csv.reader(lines) if said]
    assert {"git_credential_hf/__main__.py", "../../../bin/git-credential-hf"} <= {file for file, _, _ in files}
    found = []
    for file, said, size in files:
        content = (packages / file).read_bytes()
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        if (said, size) != (f"sha256={digest}", str(len(content))):
            found.append(file)
    return found


@pytest.mark.parametrize("compiled", [True, False])
@pytest.mark.parametrize("bus", [True, False])
def test_no_command_changes_what_pip_installed(
    wheel: Path, keyring: Items, environment: Environment, tmp_path: Path, compiled: bool, bus: bool
) -> None:
    place = tmp_path / "venv"
    venv.create(place, symlinks=True, with_pip=False)
    pip = (sys.executable, "-m", "pip", "--python", f"{place}/bin/python", "--disable-pip-version-check", "--quiet")
    install = ("install", "--no-index", "--no-deps", "--compile" if compiled else "--no-compile", str(wheel))
    subprocess.run([*pip, *install], check=True)
    program = place / "bin/git-credential-hf"
    packages = package_of(program).parent
    (packages / "dependencies.pth").write_text(f"{sys.prefix}/lib/{VERSION}/site-packages\n")
    if not bus:
        environment["DBUS_SESSION_BUS_ADDRESS"] = "disabled:"
    assert changed(packages) == []
    before = contents(place)
    made_by_the_interpreter = re.compile(rf"(/\w+)*/__pycache__/\w+\.{sys.implementation.cache_tag}\.pyc")
    for arguments, input, code in COMMANDS:
        command = [str(program), *arguments]
        done = subprocess.run(command, input=input, env=environment, capture_output=True, timeout=60, check=False)
        assert (done.returncode, b"unexpected" in done.stderr) == (code, False), (arguments, done.stderr)
        assert changed(packages) == [], arguments
        after = contents(place)
        assert {file: after.get(file) for file in before} == before, arguments
        for file in after.keys() - before.keys():
            assert made_by_the_interpreter.fullmatch(str(file).removeprefix(str(packages))), arguments
    assert bundle_in(package_of(program)) in contents(place)
