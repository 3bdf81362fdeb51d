"""What is checked in a session that `desktop` has logged in: one line for each, `ok WHAT` or `FAILED WHAT: why`.

/run/desktop/phase says which login it is. The product is asked by its commands alone.
"""

import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

HOME = Path.home()
RUN = Path("/run/desktop")
PHASE = dict(line.split("=", 1) for line in (RUN / "phase").read_text().splitlines())
LOGIN, SLOW, WITH = int(PHASE["login"]), int(PHASE["slow"]), PHASE["with"]
FIRST, SECOND = "hf_fIrSt0123456789aBcDeFgHiJkLmNoPqRs", "hf_sEcOnD0123456789aBcDeFgHiJkLmNoPqR"
SOURCE, TOKENS = HOME / "secrets/huggingface.token", RUN / "tokens"
CACHE = HOME / ".cache/huggingface/token"
FOLDER = HOME / ".config/systemd/user"
SEEDING = [
    one for one in ("git-credential-hf-seed", "git-credential-hf-keyring") if (FOLDER / f"{one}.service").exists()
]
GATED = "https://huggingface.co/demo-org/gated-model"
REQUEST = "protocol=https\nhost=huggingface.co\n\n"
HAS_SCREEN = PHASE["kind"] in ("plasma", "sway")
ASKED = HOME / "askpass-was-run"
TOKEN = FIRST if LOGIN < 4 else SECOND
# A default collection that is there from the second login on is seeded in that one.
STORED_FROM = 2 if PHASE["late"] else 1


def check(what: str, true: bool, why: str = "") -> None:
    """Print what became of one check."""
    print(f"ok {what}" if true else f"FAILED {what}: {why}", flush=True)


def run(*command: str, **more: str) -> "subprocess.CompletedProcess[str]":
    """Run the command with a request for the Hub on its standard input."""
    return subprocess.run(
        command, env=os.environ | more, input=REQUEST, capture_output=True, text=True, timeout=100, check=False
    )


def until(true: Callable[[], bool], seconds: float) -> bool:
    """Return whether `true()` is within so many seconds."""
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


def in_keyring(token: str) -> bool:
    """Return whether git is given that token by the keyring alone."""
    return f"\npassword={token}\n" in run("git-credential-hf", "--sources", "keyring", "get").stdout


def keyring() -> tuple[str, str]:
    """Return the keyring's program and its state, as status has them."""
    known = json.loads(run("git-credential-hf", "status", "--json").stdout)["keyring"]
    return str(known["provider"]), str(known["state"])


def clone(what: str, *, keyring_alone: bool = False) -> None:
    """Clone the gated repository, with large files, as git is configured or from the keyring alone."""
    target = HOME / "clone"
    shutil.rmtree(target, ignore_errors=True)
    start = time.monotonic()
    key, program = "credential.https://huggingface.co.helper", "/usr/local/bin/git-credential-hf --sources keyring"
    only = ("-c", f"{key}=", "-c", f"{key}={program}") if keyring_alone else ()
    done = run("git", *only, "clone", "-q", GATED, str(target))
    sizes = [file.stat().st_size for file in target.glob("*.safetensors")]
    good = done.returncode == 0 and sizes == [100_000] * 3
    check(f"{what} ({time.monotonic() - start:.1f} s)", good, f"{done.returncode} {sizes} {done.stderr.strip()}")


def ended(unit: str) -> bool:
    """Return whether the unit has run, and does not run now."""
    shown = run("systemctl", "--user", "show", unit, "-p", "ActiveState", "-p", "ExecMainStartTimestampMonotonic")
    return "ActiveState=activating" not in shown.stdout and "ExecMainStartTimestampMonotonic=0" not in shown.stdout


def units_ran() -> None:
    limit = 75 + 3 * SLOW
    for unit in SEEDING:
        ran = until(lambda unit=unit: ended(f"{unit}.service"), limit)  # type: ignore[misc]
        result = run("systemctl", "--user", "show", unit, "-p", "Result", "--value").stdout.strip()
        check(f"{unit} ran", ran and result == "success", f"ran {ran}, {result}")
    failed = run("systemctl", "--user", "list-units", "--failed", "--no-legend", "git-credential-hf*").stdout.strip()
    check("no unit has failed", not failed, failed)


def shot(name: str) -> str:
    """Return the file of a picture of the screen."""
    file = str(HOME / f"{name}.png")
    run("import", "-window", "root", "-display", ":90", file)
    return file


def differing(one: str, other: str) -> int:
    """Return how many pixels of two pictures differ."""
    said = run("compare", "-metric", "AE", "-fuzz", "10%", one, other, "null:").stderr
    return int(float(re.split(r"[ (]", said.strip() or "0")[0]))


def settled() -> str:
    """Return a picture of the screen once there is something on it that does not move any more."""
    pictures = [shot("before-0")]

    def still() -> bool:
        time.sleep(2)
        pictures.append(shot(f"before-{len(pictures)}"))
        varied = run("identify", "-format", "%[fx:standard_deviation]", pictures[-1]).stdout
        return (
            float(varied) > 0.02
            and len(pictures) > 4
            and all(differing(one, pictures[-1]) < 500 for one in pictures[-4:])
        )

    check("the screen comes to rest", until(still, 60))
    return pictures[-1]


def set_up() -> None:
    """Lead git to the Hub of the tests, and record each run of an askpass."""
    for name, value in re.findall(r"^export (\w+)=(.*)$", (RUN / "hub").read_text(), re.MULTILINE):
        os.environ[name] = value.strip("'")
    askpass = HOME / "askpass"
    askpass.write_text(f'#!/bin/sh\necho "$@" >>{ASKED}\n')
    askpass.chmod(0o755)
    os.environ |= {"SSH_ASKPASS": str(askpass), "GIT_ASKPASS": str(askpass), "GIT_TERMINAL_PROMPT": "0"}


def after_an_automatic_login() -> None:
    """Check what is said of a keyring that nobody has opened."""
    provider, state = keyring()
    check("the keyring is locked, or none is running", state in ("locked", "no keyring"), state)
    print(f"note: {provider}, {state}")
    said = run("git-credential-hf", "seed").stdout
    why = re.search(r"^keyring: skipped \((it is locked|no keyring is running)\)\. ", said, re.MULTILINE)
    check("seed says why it stores nothing there", why is not None, said)


def after_a_login() -> None:
    """Check that the keyring has the token, and answers alone."""
    provider, state = keyring()
    print(f"note: {provider}, {state}")
    if LOGIN >= STORED_FROM:
        check("the keyring has the token", in_keyring(TOKEN), state)
        clone("clones from the keyring alone", keyring_alone=True)
        let_be_written()
    else:
        stored = in_keyring(TOKEN)
        check("the keyring has the token, or status says why not", stored or state == "no collection", state)
        print(f"note: the keyring {'has it at the first login' if stored else 'has no default collection yet'}")


def let_be_written() -> None:
    """Wait until KWallet has written what it was told: it does so some seconds later, and says nothing of it."""
    if keyring()[0] in ("kwalletd5", "ksecretd"):
        time.sleep(8)


def rotate() -> None:
    """Write another token into the source, and check that it is the one everywhere. The Hub then takes no other."""
    TOKENS.write_text(f"alice:{SECOND}\n")
    new = SOURCE.with_suffix(".new")
    new.touch(mode=0o600)
    new.write_text(f"{SECOND}\n")
    new.rename(SOURCE)
    if SLOW:  # the path unit watches files, and the source is a command
        declared = HOME / ".config/git-credential-hf/tokens.toml"
        declared.write_text(declared.read_text() + "\n")
    changed = until(lambda: CACHE.read_text() == SECOND and in_keyring(SECOND), 20 + 3 * SLOW)
    check("a changed source is seeded again", changed, f"{CACHE.read_text() == SECOND} {in_keyring(SECOND)}")
    units_ran()
    clone("clones with the new token, from the keyring alone", keyring_alone=True)
    let_be_written()


def main() -> None:
    """Check all that there is to check at this login."""
    set_up()
    if PHASE["kind"] == "pam":
        # A session without a compositor has nothing that would start it.
        subprocess.run(["systemctl", "--user", "start", "checks.target"], check=True)
    if LOGIN == 3:
        clone("clones at once, from the keyring alone", keyring_alone=True)
    before = settled() if HAS_SCREEN else ""
    units_ran()
    check("the token file has the token", CACHE.read_text() == TOKEN, "another")
    clone("clones")
    if WITH == "none":
        after_an_automatic_login()
    else:
        after_a_login()
    if LOGIN == 3:
        rotate()
    if HAS_SCREEN:
        count = differing(before, shot("after"))
        check(f"no window was shown ({count} pixels differ)", count < 20_000, before)
    dialogs = run("sh", "-c", "ps -u $(id -u) -o comm= | grep -E 'prompt|askpass|pinentry'").stdout.split()
    check("no dialog is open", not dialogs, " ".join(dialogs))
    check("no askpass was run", not ASKED.exists())
    if WITH == "none":
        # Its dialog is answered by nobody.
        run("git-credential-hf", "seed", "--unlock", "prompt", "--timeout", "8")
        check("seed --unlock prompt finds a keyring, or starts one", keyring()[1] == "locked", keyring()[1])
    if PHASE["kind"] == "pam":
        subprocess.run(["systemctl", "--user", "stop", "checks.target"], check=True)


main()
