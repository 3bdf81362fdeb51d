"""What is built from the checkout: the same bytes each time, with all that belongs in it, and it runs."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from tests.conftest import Environment
from tests.installed import GIVEN, get, needs_strace, traced

ROOT = Path(__file__).parents[1]
# With its time zone, so that local time cannot be what the two builds have in common.
TIMES = (("UTC", "022"), ("Asia/Tokyo", "077"))


def copy(folder: Path) -> Path:
    """A copy of the checkout's own files with the times of the copying."""
    shutil.copytree(
        ROOT,
        folder,
        ignore=shutil.ignore_patterns(".*", "__pycache__", "dist", "*.pyc"),
        copy_function=shutil.copy,
        symlinks=True,
    )
    return folder


def digests(folder: Path) -> dict[str, str]:
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in sorted(folder.iterdir())}


def build(command: list[str | Path], place: Path, zone: str, mask: str, **more: str) -> None:
    subprocess.run(
        ["sh", "-c", f'umask {mask}; exec "$@"', "sh", *command],
        cwd=place,
        env={"PATH": os.environ["PATH"], "HOME": str(place.parent), "TZ": zone, "SOURCE_DATE_EPOCH": "1700000000"}
        | more,
        capture_output=True,
        timeout=100,
        check=True,
    )


@pytest.fixture(scope="module")
def builds(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The folders of two builds of sdist and wheel, in different places and at different times."""
    folders = []
    for zone, mask in TIMES:
        above = tmp_path_factory.mktemp("build")
        place = copy(above / f"checkout-{mask}")
        for file in place.rglob("*"):
            os.utime(file, (int(mask) * 10**6, int(mask) * 10**6))
        out = above / "dist"
        for kind in ("sdist", "wheel"):
            build([sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", out], place, zone, mask)
        folders.append(out)
    return folders


def test_sdist_and_wheel_are_the_same_bytes_twice(builds: list[Path]) -> None:
    first, second = map(digests, builds)
    assert first == second
    assert [name.rpartition(".")[2] for name in first] == ["whl", "gz"]


def test_the_wheel_has_the_program_and_the_sdist_all_that_builds_it(builds: list[Path]) -> None:
    (wheel,) = builds[0].glob("*.whl")
    with zipfile.ZipFile(wheel) as opened:
        names = opened.namelist()
        (metadata,) = (opened.read(name).decode() for name in names if name.endswith(".dist-info/METADATA"))
    assert any(name.endswith(".data/scripts/git-credential-hf") for name in names)
    sources = {str(file.relative_to(ROOT)) for file in (ROOT / "git_credential_hf").rglob("*.py")}
    assert sources <= set(names)
    assert metadata.startswith("Metadata-Version: 2.4\n")  # the newest that can be uploaded
    assert not any(name.startswith(("tests", "benchmarks")) for name in names)
    (sdist,) = builds[0].glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        members = {name.partition("/")[2] for name in archive.getnames()}
        (info,) = (archive.extractfile(name) for name in archive.getnames() if name.endswith("/PKG-INFO"))
        assert info and info.read().decode() == metadata
    assert {"bin/git-credential-hf", "LICENSE", "README.md", "flake.nix", "nix/package.nix", "scripts/deb"} <= members
    assert not any(member.startswith(".") or "__pycache__" in member for member in members - {""})


@pytest.fixture(scope="module")
def debs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two .debs, built in different places and at different times."""
    found = []
    for zone, mask in TIMES:
        above = tmp_path_factory.mktemp("deb")
        place = copy(above / f"checkout-{mask}")
        build([place / "scripts/deb", above / "dist"], place, zone, mask)
        (deb,) = (above / "dist").iterdir()
        found.append(deb)
    return found


def test_the_deb_is_the_same_bytes_twice(debs: list[Path]) -> None:
    first, second = debs
    assert first.name == second.name
    assert first.read_bytes() == second.read_bytes()


@pytest.fixture
def root(debs: list[Path], tmp_path: Path) -> Path:
    """What the .deb holds, unpacked, and told where; compiled as its postinst has it done."""
    root = tmp_path / "root"
    subprocess.run(["dpkg-deb", "-x", debs[0], root], check=True)
    program, packages = root / "usr/bin/git-credential-hf", root / "usr/lib/python3/dist-packages"
    text = program.read_text()
    assert text.count("/usr/lib/") == 1
    program.write_text(text.replace("/usr/lib/", f"{root}/usr/lib/"))
    subprocess.run(["/usr/bin/python3", "-m", "compileall", "-q", packages], check=True)
    subprocess.run([program, "--version"], check=True)
    return root


def test_the_deb_has_all_that_belongs_to_it(debs: list[Path], root: Path) -> None:
    assert {str(file.relative_to(ROOT)) for file in (ROOT / "git_credential_hf").rglob("*.py")} == {
        str(file.relative_to(root / "usr/lib/python3/dist-packages")) for file in root.rglob("*.py")
    }
    for unit in (ROOT / "examples/systemd").iterdir():
        assert (root / "usr/lib/systemd/user" / unit.name).read_bytes() == unit.read_bytes()
    for source, place in {
        "docs/git-credential-hf.1": "man/man1/git-credential-hf.1.gz",
        "completions/git-credential-hf.bash": "bash-completion/completions/git-credential-hf",
        "completions/_git-credential-hf": "zsh/vendor-completions/_git-credential-hf",
        "completions/git-credential-hf.fish": "fish/vendor_completions.d/git-credential-hf.fish",
    }.items():
        assert (root / "usr/share" / place).exists() == (ROOT / source).exists()
    listed = subprocess.run(["dpkg-deb", "-c", debs[0]], capture_output=True, text=True, check=True).stdout
    assert {tuple(line.split()[:2]) for line in listed.splitlines()} == {
        ("drwxr-xr-x", "root/root"),
        ("-rw-r--r--", "root/root"),
        ("-rwxr-xr-x", "root/root"),
    }
    depends = subprocess.run(["dpkg-deb", "-f", debs[0], "Depends"], capture_output=True, text=True, check=True).stdout
    assert depends.strip() == "python3 (>= 3.11), python3-jeepney, python3-secretstorage, python3-keyring"


@needs_strace
def test_the_deb_answers_from_its_bundle_and_starts_no_shell(root: Path, environment: Environment) -> None:
    program = root / "usr/bin/git-credential-hf"
    assert program.read_bytes().startswith(b"#!/usr/bin/python3 -ISXutf8\n")
    calls = traced("execve,openat", program, environment | {"HF_TOKEN": "hf_t0ken"})
    assert sum("execve(" in call for call in calls) == 1
    (opened,) = [call.split('"')[1] for call in calls if "/git_credential_hf/" in call]
    assert opened.startswith(f"{root}/usr/lib/python3/dist-packages/git_credential_hf/__pycache__/bundle.")
    for bundle in root.rglob("__pycache__/bundle.*"):
        bundle.unlink()
    assert get(program, environment | {"HF_TOKEN": "hf_t0ken"}) == GIVEN


def test_no_deb_is_built_of_a_start_that_cannot_be_told_where_the_package_is(tmp_path: Path) -> None:
    place = copy(tmp_path / "checkout")
    start = place / "git_credential_hf/startup/start.py"
    start.write_text(start.read_text().replace("\npackage = ", "\nfolder = "))
    with pytest.raises(subprocess.CalledProcessError) as failed:
        build([place / "scripts/deb", tmp_path / "dist"], place, "UTC", "022")
    assert b"start.py" in failed.value.stderr
    assert list((tmp_path / "dist").iterdir()) == []


def test_nix_in_the_documents_can_be_read() -> None:
    if shutil.which("nix-instantiate") is None:
        pytest.skip("NOT TESTED: nix-instantiate is not installed")
    blocks = re.findall(r"^```nix\n(.*?)^```$", (ROOT / "docs/nixos.md").read_text(), re.MULTILINE | re.DOTALL)
    assert blocks
    for block in blocks:
        done = subprocess.run(
            ["nix-instantiate", "--parse", "-"], input=block, capture_output=True, text=True, check=False
        )
        # A name that is in scope where the block belongs is not an error of its own.
        assert done.returncode == 0 or "undefined variable" in done.stderr, block + done.stderr
