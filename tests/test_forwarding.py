"""git, git-lfs and hf where no token is, answered by `serve` elsewhere: over ssh, or a mounted socket."""

import contextlib
import os
import shlex
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.asking import write_token_file
from tests.conftest import EXECUTABLE, Environment
from tests.hub import Hub, Secret, fingerprint
from tests.providers import wait_until

TOKEN = Secret("hf_fOrWaRdEd0123456789aBcDeFgHiJkLmNo")
MODEL, OTHER = "my-org/my-model", "other-org/model"
UID = 54321

PASSWD = f"""\
root:x:0:0:root:/root:/bin/sh
sshd:x:102:65534::/run/sshd:/usr/sbin/nologin
remote:x:{UID}:{UID}::{{home}}:/bin/sh
nobody:x:65534:65534::/nonexistent:/usr/sbin/nologin
"""
SSHD = """\
Port {port}
ListenAddress 127.0.0.1
HostKey {place}/host_key
AuthorizedKeysFile {place}/authorized_keys
PidFile none
UsePAM no
PasswordAuthentication no
AllowStreamLocalForwarding yes
StreamLocalBindUnlink yes
Subsystem sftp internal-sftp
"""


def _why_not() -> str:
    if os.geteuid() != 0:
        return "it takes root to be another user"
    for program in ("/usr/sbin/sshd", "ssh", "ssh-keygen", "unshare"):
        if shutil.which(program) is None:
            return f"{program} is not installed"
    if subprocess.run(["unshare", "--mount", "true"], capture_output=True, check=False).returncode:
        return "this container may not have mounts of its own"
    return ""


@pytest.fixture
def laptop(environment: Environment, hub: Hub) -> Environment:
    """The environment of somebody who has a token in the token file, and may read two gated repositories with it."""
    hub.add_token(TOKEN, orgs=["my-org"], gated=[MODEL, OTHER])
    for model in (MODEL, OTHER):
        hub.create(model, gated=True, files={"config.json": "{}\n"}, lfs={"model.safetensors": b"weights"})
    write_token_file(environment, TOKEN)
    return dict(environment)


@contextlib.contextmanager
def serving(laptop: Environment, folder: Path, *arguments: str) -> Iterator[Path]:
    """Run `serve`; give where it listens."""
    log = folder / "serve.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [EXECUTABLE, "serve", *arguments], env=laptop, stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
    wait_until(lambda: b"answers for" in log.read_bytes(), "it serves")
    yield Path(laptop["XDG_RUNTIME_DIR"], "git-credential-hf/serve.sock")
    process.terminate()
    process.wait(timeout=10)
    assert TOKEN.encode() not in log.read_bytes()


class Remote:
    """Another machine, as far as it can be told: another user over sshd, a home of its own, and no token."""

    def __init__(self, place: Path, hub: Hub) -> None:
        self.place = place
        self.home = place / "home"
        self.home.mkdir(mode=0o700)
        os.chown(self.home, UID, UID)
        self.socket = self.home / "hf.sock"
        self._key = place / "key"
        for key in (self._key, place / "host_key"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
        shutil.copy(place / "key.pub", place / "authorized_keys")
        (place / "passwd").write_text(PASSWD.format(home=self.home))
        shutil.copy(hub.ca_file, place / "ca.pem")
        (place / "ca.pem").chmod(0o644)
        (place / "venv").mkdir()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        (place / "sshd_config").write_text(SSHD.format(port=self.port, place=place))
        # The checkout may be where this user has no way to.
        prepare = (
            f"mount --bind {place}/passwd /etc/passwd && mount --bind {sys.prefix} {place}/venv && "
            "mkdir -p /run/sshd && "
            f"exec /usr/sbin/sshd -D -e -f {place}/sshd_config"
        )
        with (place / "sshd.log").open("wb") as log:
            self._process = subprocess.Popen(
                ["unshare", "--mount", "--propagation=private", "sh", "-ec", prepare], stdout=log, stderr=log
            )
        wait_until(lambda: b"listening on" in (place / "sshd.log").read_bytes(), "sshd starts")
        self.environment = {
            name: str(place / "ca.pem") if value == str(hub.ca_file) else value for name, value in hub.environ().items()
        } | {
            "PATH": f"{place}/venv/bin:/usr/bin:/bin", "HOME": str(self.home), "LC_ALL": "C.UTF-8",
            "GIT_TERMINAL_PROMPT": "0", "GIT_CREDENTIAL_HF_SOCKET": str(self.socket),
        }  # fmt: skip

    def close(self) -> None:
        self._process.terminate()
        self._process.wait(timeout=10)

    def ssh(self, script: str, forward: Path | None) -> subprocess.CompletedProcess[bytes]:
        """Run `script` over there, with the socket `forward` of here."""
        with_socket = ["-R", f"{self.socket}:{forward}"] if forward else []
        variables = [f"{name}={value}" for name, value in self.environment.items()]
        return subprocess.run(
            [
                *("ssh", "-F", "none", "-p", str(self.port), "-i", str(self._key), "-o", "StrictHostKeyChecking=no"),
                *("-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR", "-o", "ExitOnForwardFailure=yes"),
                *("-o", "IdentityAgent=none", *with_socket, "remote@127.0.0.1"),
                shlex.join(["env", "-i", *variables, "sh", "-ec", script]),
            ],
            stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=100,
        )  # fmt: skip

    def holders(self) -> list[Path]:
        """Return the files of that user that have the token in them."""
        files = (file for file in self.home.rglob("*") if file.is_file() and not file.is_symlink())
        return [file for file in files if TOKEN.encode() in file.read_bytes()]


@pytest.fixture
def remote(machine_folder: Path, hub: Hub) -> Iterator[Remote]:
    if reason := _why_not():
        pytest.skip(f"NOT TESTED: {reason}")
    with contextlib.closing(Remote(machine_folder, hub)) as started:
        yield started


HF = "python -m huggingface_hub.cli.hf"
CLONE = f"git-credential-hf configure --git-lfs >&2; git clone --quiet https://huggingface.co/{MODEL} clone >&2"


def test_over_ssh_a_gated_repository_is_cloned_without_a_token_there(
    laptop: Environment, remote: Remote, hub: Hub, tmp_path: Path
) -> None:
    with serving(laptop, tmp_path) as local:
        done = remote.ssh(
            f"{CLONE}; cat clone/model.safetensors; "
            f"git-credential-hf exec -- {HF} download {MODEL} model.safetensors --local-dir got >&2; "
            "cat got/model.safetensors",
            local,
        )
    assert (done.stdout, done.returncode) == (b"weightsweights", 0), done.stderr.replace(TOKEN.encode(), b"")
    assert TOKEN.encode() not in done.stderr
    assert remote.holders() == []
    seen = {one.fingerprint for one in hub.log if one.fingerprint}
    assert seen == {fingerprint(TOKEN)}


def test_over_ssh_nothing_is_had_outside_of_the_scope(laptop: Environment, remote: Remote, tmp_path: Path) -> None:
    with serving(laptop, tmp_path, "--scope", MODEL) as local:
        done = remote.ssh(f"{CLONE}; git-credential-hf token {MODEL} | wc -c; git-credential-hf token {OTHER}", local)
        assert (done.stdout, done.returncode) == (b"%d\n" % (len(TOKEN) + 1), 1)
        assert b"no token for https://huggingface.co/other-org/model" in done.stderr
        done = remote.ssh("git-credential-hf token https://huggingface.co", local)
        assert (done.stdout, done.returncode) == (b"", 1)
        done = remote.ssh(f"git clone --quiet https://huggingface.co/{OTHER} other", local)
        assert done.returncode != 0
    assert (remote.home / "clone/model.safetensors").read_bytes() == b"weights"


def test_over_ssh_nothing_is_had_after_its_time_nor_after_the_connection(
    laptop: Environment, remote: Remote, tmp_path: Path
) -> None:
    ask = f"git-credential-hf token {MODEL} | wc -c"
    with serving(laptop, tmp_path) as local:
        assert remote.ssh(ask, local).stdout == b"%d\n" % (len(TOKEN) + 1)
        assert remote.ssh(ask, None).stdout == b"0\n"
    with serving(laptop, tmp_path, "--for", "2") as local:
        ended = f"{ask}; while [ $(git-credential-hf token {MODEL} | wc -c) != 0 ]; do :; done; echo ended"
        assert remote.ssh(ended, local).stdout == b"%d\nended\n" % (len(TOKEN) + 1)


def test_a_container_has_it_through_a_mounted_socket(laptop: Environment, hub: Hub, tmp_path: Path) -> None:
    """A user and a mount namespace are what a container is made of."""
    made = subprocess.run(["unshare", "--user", "--map-root-user", "--mount", "true"], capture_output=True, check=False)
    if made.returncode:
        pytest.skip("NOT TESTED: this machine gives no user namespaces")
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "home").mkdir(mode=0o700)
    (inside / "hf.sock").touch()
    environment = {
        **hub.environ(), "PATH": os.environ["PATH"], "HOME": f"{inside}/home", "LC_ALL": "C.UTF-8",
        "GIT_TERMINAL_PROMPT": "0", "GIT_CREDENTIAL_HF_SOCKET": f"{inside}/hf.sock",
    }  # fmt: skip
    with serving(laptop, tmp_path, "--scope", "my-org") as local:
        # Where the token file is, nothing is to be seen.
        script = (
            f"mount --bind {local} {inside}/hf.sock; mount -t tmpfs none {laptop['HOME']}; cd; {CLONE}; "
            f"cat clone/model.safetensors; git-credential-hf token {OTHER}"
        )
        done = subprocess.run(
            ["unshare", "--user", "--map-root-user", "--mount", "sh", "-ec", script],
            env=environment, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=100,
        )  # fmt: skip
    assert (done.stdout, done.returncode) == (b"weights", 1), done.stderr.replace(TOKEN.encode(), b"")
    assert b"no token for https://huggingface.co/other-org/model" in done.stderr
    found = [file for file in inside.rglob("*") if file.is_file() and TOKEN.encode() in file.read_bytes()]
    assert found == []
