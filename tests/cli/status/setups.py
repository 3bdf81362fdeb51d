"""Random set-ups of git, its helpers, the sources of tokens and a URL, and what git does in each.

git is asked with `git credential fill` for what url.*.insteadOf makes of the URL. Each helper writes its name into a
log, ours too, so that it is known whom git asks.
"""

import json
import os
import random
import re
import shutil
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from git_credential_hf.model.item import DECLARED, SEEDED, STORED, Item, to_secret
from git_credential_hf.model.token import Token
from git_credential_hf.state import rejected
from tests.cli.conftest import write
from tests.conftest import EXECUTABLE, Environment, Result, run_call
from tests.hub import Secret, fingerprint
from tests.keyring_items import LIBSECRET, Items

HUB = "https://huggingface.co"
TOKENS = [Secret(f"hf_{name}0123456789aBcDeFgHiJkLmNoPqRs") for name in ("AlPhA", "bEtA", "gAmMa", "dElTa", "ePsIl")]
NEW = Secret("hf_zEtA0123456789aBcDeFgHiJkLmNoPqRs")
NOT_TOKENS = ["None", "${HF_TOKEN}", "ghp_0123456789abcdefghij", "hf_xxxxxxxx", f"HF_TOKEN={TOKENS[0]}"]

SECTIONS = [
    "credential", "credential", f'credential "{HUB}"', f'credential "{HUB}"', f'credential "{HUB}/my-org"',
    'credential "https://*.co"', 'credential "huggingface.co"', 'credential "https://alice@huggingface.co"',
    f'credential "{HUB}/my-org/model"', 'credential "https://hf.co"', 'credential "https://github.com"',
    'credential "https://*"', f'credential "{HUB}:443"',
]  # fmt: skip
OPTIONS = ["", "", "", "", "--no-prompt", "--sources file", "--sources env,file", "--host hub.example.org", "--bogus"]
OTHERS = {
    "answers": 'echo username=bob; echo password="$TOKEN"',
    "password": 'echo password="$TOKEN"',
    "user": "echo username=alice",
    "empty": "echo username=bob; echo password=",
    "nothing": "cat >/dev/null",
    "fails": "exit 3",
    "answers and fails": 'echo username=bob; echo password="$TOKEN"; exit 3',
    "quits": "echo quit=1",
    "does not quit": "echo quit=0",
    "from the environment": '[ -z "$HF_TOKEN" ] || printf "username=x\\npassword=%s\\n" "$HF_TOKEN"',
    "garbage": 'echo nonsense; echo username=bob; echo password="$TOKEN"',
    "garbage after": 'echo password="$TOKEN"; echo nonsense; echo username=bob',
    "expired": 'echo username=bob; echo password="$TOKEN"; echo password_expiry_utc=1000000000',
    "another host": "echo host=hub.example.org",
    "another path": "echo path=my-org/model",
    "what it was told": 'while IFS= read -r line; do case $line in username=*) echo password="$TOKEN";; esac; done',
}
BOOLEANS = ["true", "true", "true", "false", "0x1", "0", "yes", "1k", "banana", "", "08", "-1"]
URLS = [
    f"{HUB}/my-org/model", f"{HUB}/my-org/model", f"{HUB}/my-org/model", f"{HUB}/my-org/other", HUB,
    f"{HUB}/datasets/my-org/set", f"{HUB}/x/y.git", "https://hf.co/my-org/model", f"{HUB}:443/my-org/model",
    "https://alice@huggingface.co/my-org/model", "https://bob@huggingface.co/my-org/model",
    "https://hf_user@huggingface.co/my-org/model", "https://@huggingface.co/my-org/model",
    f"https://alice:{TOKENS[4]}@huggingface.co/my-org/model", "https://alice:@huggingface.co/my-org/model",
    "https://github.com/my-org/model", "https://hub.example.org/my-org/model", "http://huggingface.co/my-org/model",
    "ssh://git@huggingface.co/my-org/model", "https://cdn-lfs.huggingface.co/a/b", "https://huggingface.co/My-Org/Model",
]  # fmt: skip
REWRITES = [
    ("git@hf.co:", f"{HUB}/"), ("ssh://git@hf.co/", f"{HUB}/"),
    (f"https://alice:{TOKENS[3]}@huggingface.co/", f"{HUB}/"),
    ("https://alice@huggingface.co/", f"{HUB}/"), (f"{HUB}/", "https://hf.co/"), (f"{HUB}/", "http://huggingface.co/"),
    (f"{HUB}/my-org/", f"{HUB}/x/"), (f"{HUB}/", "https://github.com/"), ("https://hub.example.org/", f"{HUB}/my-org/"),
]  # fmt: skip


@dataclass
class Setup:
    """One set-up. helpers: the label of each helper by its value."""

    folder: Path
    environ: Environment
    url: str = ""
    helpers: dict[str, str] = field(default_factory=dict)

    @property
    def home(self) -> Path:
        return Path(self.environ["HOME"])

    @property
    def log(self) -> Path:
        return self.folder / "log"


@dataclass
class Filled:
    """What git does. password: what it gets. asked: whom it asked, in order. complaint: of its configuration."""

    password: Secret | None
    asked: list[str]
    complaint: str
    url: str


def make(number: int, folder: Path, environment: Environment, items: Items) -> Setup:
    """Make the set-up of that number below `folder`, and clear the keyring for it."""
    choose = random.Random(number)
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "home/.cache/huggingface").mkdir(parents=True)
    (folder / "bin").mkdir()
    setup = Setup(folder, dict(environment))
    setup.environ |= {
        "HOME": str(folder / "home"),
        "GIT_ASKPASS": str(folder / "askpass"),
        "XDG_STATE_HOME": str(folder / "state"),
    }
    write(folder / "askpass", f"#!/bin/sh\necho askpass >>{setup.log}\nexit 1\n", 0o755)
    _tokens(setup, choose, items)
    _git(setup, choose)
    setup.url = choose.choice(URLS)
    return setup


def _tokens(setup: Setup, choose: random.Random, items: Items) -> None:
    for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"):
        if choose.random() < 0.2:
            setup.environ[name] = choose.choice([*TOKENS, choose.choice(NOT_TOKENS)])
    cache = setup.home / ".cache/huggingface/token"
    if choose.random() < 0.6:
        write(cache, choose.choice([*TOKENS, *TOKENS, choose.choice(NOT_TOKENS)]))
        age = choose.choice([-86400, 0, 60])
        os.utime(cache, (time.time() + age, time.time() + age))
        if choose.random() < 0.2:
            write(
                cache.parent / "stored_tokens",
                f"[oauth-alice]\nhf_token = {cache.read_text()}\nexpires_at = {choose.choice([10**9, 10**10])}\n"
                + choose.choice(["", "refresh_token = abc\n"]),
            )
    items.clear()
    if choose.random() < 0.25:
        setup.environ["DBUS_SESSION_BUS_ADDRESS"] = "disabled:"
    for scope, user in (("", "hf_user"), ("", "alice"), ("my-org", "hf_user"), ("my-org/model", "hf_user")):
        for origin in (SEEDED, DECLARED, STORED):
            if choose.random() < 0.15:
                token = choose.choice(TOKENS)
                end = choose.choice([None, None, None, 10**9, 10**10])
                ours = Item(b"huggingface.co", scope.encode(), user.encode(), bearer=False, origin=origin)
                attributes = {name.decode(): value.decode() for name, value in ours.attributes().items()}
                made = Token(token.encode(), user=user.encode(), expires=end, scope=scope.encode())
                items.collection.create_item(ours.label(), attributes, to_secret(made))
    if choose.random() < 0.15:
        items.add(choose.choice(TOKENS).encode(), **LIBSECRET)
    for token in TOKENS:
        if choose.random() < 0.12:
            environ = {name.encode(): value.encode() for name, value in setup.environ.items()}
            path = choose.choice([b"", b"my-org/model", b"x/y"])
            rejected.remember(b"huggingface.co", token.encode(), path, environ)


def _git(setup: Setup, choose: random.Random) -> None:
    places = {"global": setup.home / ".gitconfig"}
    texts = {"global": ""}
    if choose.random() < 0.3:
        repository = setup.folder / "repository"
        subprocess.run(["git", "init", "-q", str(repository)], env=setup.environ, check=True)
        setup.environ["GIT_DIR"] = str(repository / ".git")
        places["local"] = repository / ".git/config"
        texts["local"] = places["local"].read_text()
    if choose.random() < 0.3:
        places["included"] = setup.home / "included"
        texts["included"] = ""
        texts["global"] += f"[include]\n\tpath = {places['included']}\n"
    if choose.random() < 0.6:
        texts["global"] += (
            f'[credential "{HUB}"]\n\thelper =\n\thelper = {_ours(setup, choose)}\n\tuseHttpPath = true\n'
        )
    in_environment: list[tuple[str, str]] = []
    for _ in range(choose.choice([0, 0, 1, 2, 3, 4])):
        section, name, value = choose.choice(SECTIONS), "helper", choose.choice(["ours", "other", "other", "reset"])
        if choose.random() < 0.15:
            name, value = "useHttpPath", choose.choice(BOOLEANS)
        elif choose.random() < 0.1:
            name, value = "username", choose.choice(["alice", "bob", "hf_user", ""])
        elif value == "ours":
            value = _ours(setup, choose)
        elif value == "other":
            value = _other(setup, choose)
        else:
            value = ""
        place = choose.choice([*places, "environment"])
        if place == "environment":
            in_environment.append((section.replace(' "', ".").replace('"', "") + "." + name, value))
        else:
            bare = name != "username" and value == "" and choose.random() < 0.2
            texts[place] += f"[{section}]\n\t{name}{'' if bare else ' = ' + value}\n"
    if choose.random() < 0.2:
        base, instead = choose.choice(REWRITES)
        texts[choose.choice([*places])] += f'[url "{base}"]\n\tinsteadOf = {instead}\n'
    for place, file in places.items():
        file.write_text(texts[place])
    if in_environment:
        setup.environ["GIT_CONFIG_COUNT"] = str(len(in_environment))
        for number, (key, value) in enumerate(in_environment):
            setup.environ |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}


def _ours(setup: Setup, choose: random.Random) -> str:
    label = f"ours-{len(setup.helpers)}"
    program = setup.folder / "bin" / label / "git-credential-hf"
    options = choose.choice(OPTIONS)
    if choose.random() < 0.95:
        program.parent.mkdir()
        write(program, f'#!/bin/sh\necho {label} >>{setup.log}\nexec {EXECUTABLE} "$@"\n', 0o755)
    value = f"{program} {options}".strip()
    setup.helpers[value] = label
    return value


def _other(setup: Setup, choose: random.Random) -> str:
    label = f"other-{len(setup.helpers)}"
    program = setup.folder / "bin" / label
    script = OTHERS[choose.choice(list(OTHERS))].replace("$TOKEN", choose.choice(TOKENS))
    if choose.random() < 0.9:
        write(program, f"#!/bin/sh\necho {label} >>{setup.log}\n{script}\n", 0o755)
    setup.helpers[str(program)] = label
    return str(program)


def fill(setup: Setup) -> Filled:
    """Ask git."""
    setup.log.write_text("")
    url = subprocess.run(
        ["git", "ls-remote", "--get-url", setup.url if setup.url != HUB else HUB + "/"],
        env=setup.environ, capture_output=True, text=True, check=False,
    ).stdout.strip()  # fmt: skip
    if not url.startswith(("https://", "http://")):
        return Filled(None, [], "", url)
    done = subprocess.run(
        ["git", "credential", "fill"],
        input=f"url={url}\n\n".encode(),
        env=setup.environ,
        capture_output=True,
        check=False,
    )
    password = re.search(rb"^password=(.*)$", done.stdout, re.MULTILINE)
    stops = re.search(rb"^fatal: (bad .*|missing value .*)$", done.stderr, re.MULTILINE)
    asked = list(dict.fromkeys(setup.log.read_text().split()))
    return Filled(Secret(password[1].decode()) if password else None, asked, stops[1].decode() if stops else "", url)


def status(setup: Setup, *arguments: str) -> Result:
    setup.log.write_text("")
    return run_call(("status", *arguments, setup.url), b"", setup.environ)


FIRST = ("env-hides-scopes", "token-file-newer")


def disagreements(setup: Setup) -> list[str]:
    """Return in what status and git differ."""
    git = fill(setup)
    result = status(setup, "--json", "--probe")
    found: list[str] = []

    def same(what: str, says: object, is_so: object) -> None:
        if says != is_so:
            found.append(f"{what}: status says {says!r}, git {is_so!r}")

    if result.stderr:
        return [result.stderr.decode()]
    known: dict[str, Any] = json.loads(result.stdout)
    codes = [one["code"] for one in known["findings"]]
    helpers = known["git"]["helpers"]
    is_given = git.password is not None
    same("token_given", known["token_given"], is_given)
    same("exit code", result.code, 0 if is_given else 1)
    answer = known["answer"]["fingerprint"] if known["answer"] else None
    same("answer", answer, fingerprint(git.password) if git.password is not None else None)
    asking = [one for one in git.asked if one != "askpass"]
    does = ("answers", "partly", "nothing", "quit", "fails")
    program = {one["helper"]: setup.helpers.get(one["helper"], "?") for one in helpers}
    told = [program[one["helper"]] for one in helpers if one["does"] in does]
    same("asked", list(dict.fromkeys(told)), asking)
    same("giver", program.get(known["given_by"]), asking[-1] if is_given and asking else None)
    same("askpass", "askpass-asks" in codes, "askpass" in git.asked)
    same("configuration", "git-config-broken" in codes, bool(git.complaint))
    by_ours = is_given and bool(asking) and asking[-1].startswith("ours")
    word = "OK" if by_ours else "Not from git-credential-hf" if is_given else "No token"
    same("verdict", known["verdict"].partition(":")[0], word)
    errors = [one["code"] for one in known["findings"] if one["severity"] == "error" and one["code"] not in FIRST]
    same("errors", bool(errors), not is_given)
    given = [one for one in known["sources"] if one["state"] == "answers"]
    same("table", [one["token"]["fingerprint"] for one in given], [answer] * by_ours)
    ours_asked = any(one.startswith("ours") for one in asking)
    for code in ("helper-not-configured", "helper-reset"):
        if code in codes:
            same(code, not ours_asked, True)
    for code, source in (("token-file-newer", "keyring"), ("token-file-differs", "keyring"), ("keyring-empty", "file")):
        if code in codes and by_ours:
            same(code, [one["name"] for one in given], [source])
    if "no-token" in codes:
        same("no-token", by_ours, False)
    if git.url.startswith("http"):
        same("url", known["git"]["url"].partition("://")[2].rpartition("@")[2].rstrip("/"), _bare(git.url))
    if not known["git"]["helpers"] or all(
        one["ours"] or one["does"] in ("reset", "not reached", "is not there") for one in helpers
    ):
        without = json.loads(status(setup, "--json").stdout)
        same("without --probe", without, known)
    return found + _for_people(setup, known, result, word)


def _for_people(setup: Setup, known: dict[str, Any], result: Result, word: str) -> list[str]:
    table, quiet = status(setup, "--probe"), status(setup, "--probe", "--quiet")
    found = []
    if (table.code, table.stderr) != (result.code, b"") or not table.stdout.decode().startswith(word):
        found.append("the table differs")
    if quiet.stdout or quiet.code != result.code or bool(quiet.stderr) != bool(quiet.code):
        found.append("--quiet differs")
    shown = [one for one in TOKENS if one.encode() in table.stdout + quiet.stderr + result.stdout]
    return found + ["a token is shown"] * bool(shown)


def _bare(url: str) -> str:
    return url.partition("://")[2].rpartition("@")[2].rstrip("/")


# The first are fixed with another URL, insteadOf makes another one of it, and no hf renews a login that is made up.
NOT_PASTED = (
    "http-url",
    "ssh-url",
    "not-ours",
    "token-in-url",
    "url-rewritten",
    "token-in-git-config",
    "login-expired",
)


def left_after_remedies(setup: Setup) -> list[str]:
    """Paste every remedy once, in the order in which they are told; return what is found that was to be gone."""
    known = json.loads(status(setup, "--json").stdout)
    codes = [one["code"] for one in known["findings"]]
    if any(code in NOT_PASTED for code in codes) or known["git"]["instead_of"]:
        return []
    lines = [f"{{ {one['remedy']}\n}} >&2 <<'END'\n{NEW}\nEND" for one in known["findings"]]
    environ = setup.environ | {"PATH": f"{Path(EXECUTABLE).parent}:{setup.environ['PATH']}"}
    done = subprocess.run(
        ["sh"],
        # There is no terminal at which `login` could ask.
        input="\n".join([*lines, f"git-credential-hf status --json {setup.url}"]).replace(
            "-hf login", "-hf login --with-token"
        ),
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    after = json.loads(done.stdout)
    # `configure` puts our helper there without --sources, which a helper of before may have had: what that brings is
    # told after it.
    left = [
        one
        for one in after["findings"]
        if one["code"] in codes or (one["severity"] == "error" and one["code"] not in FIRST)
    ]
    what = [f"{one['code']}: {one['message']}: {one['remedy']}" for one in left]
    if not after["verdict"].startswith("OK: "):
        what.append(after["verdict"])
    return [*what, *lines, done.stderr] if what else []
