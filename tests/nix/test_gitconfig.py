"""The file that NixOS and each release of Home Manager write for git beside what people set."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import EXECUTABLE, Environment
from tests.nix.test_modules import PREFIX, evaluate

GOLDEN = Path(__file__).with_name("golden")
TOKEN = "hf_gOlDeN0123456789aBcDeFgHiJkLmNoPq"
OTHER = {"credential": {"helper": "@other@"}}
MANAGER = {
    "credential": {
        "helper": "@other@",
        "credentialStore": "secretservice",
        "https://dev.azure.com": {"useHttpPath": True},
    }
}
DELTA = {"core": {"pager": "delta"}, "interactive": {"diffFilter": "delta --color-only"}, "delta": {"navigate": True}}
TEXT = '[credential]\n\thelper = "@other@"\n[user]\n\tname = Alice\n'

# By the name of the golden file: the release, and what is set of programs.git.
CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "25.05": ("25.05", {}),
    "25.05-helper": ("25.05", {"extraConfig": OTHER}),
    "25.05-text": ("25.05", {"extraConfig": TEXT}),
    "25.05-delta": ("25.05", {"iniContent": DELTA}),
    "25.11": ("25.11", {}),
    "25.11-helper": ("25.11", {"settings": OTHER}),
    "25.11-gcm": ("25.11", {"settings": MANAGER}),
    "25.11-delta": ("25.11", {"settings": OTHER, "iniContent": DELTA}),
    "26.05": ("26.05", {}),
    "26.05-helper": ("26.05", {"settings": OTHER}),
    "26.05-list": ("26.05", {"settings": [{"user": {"name": "Alice"}}, {"init": {"defaultBranch": "main"}}]}),
    "26.05-list-helper": ("26.05", {"settings": [{"user": {"name": "Alice"}}, OTHER]}),
    "26.05-list-gcm-delta": ("26.05", {"settings": [MANAGER], "iniContent": DELTA}),
    "nixos": ("nixos", {}),
    "nixos-helper": ("nixos", {"config": OTHER}),
    "nixos-list-helper": ("nixos", {"config": [{"user": {"name": "Alice"}}, OTHER]}),
}


def rendered(release: str, git: dict[str, Any], **settings: Any) -> str:
    """Return the file; `@package@` and `@other@` stand for paths."""
    found = evaluate(
        "nixos" if release == "nixos" else "home-manager",
        settings,
        release=json.dumps(release),
        more=json.dumps(json.dumps({"programs": {"git": git}})).replace("${", "\\${"),
    )
    assert found.get("failed") == [], found
    made = found["config"]
    file = made["environment"]["etc"]["gitconfig"] if release == "nixos" else made["xdg"]["configFile"]["git/config"]
    text: str = file["text"]
    return text.replace(PREFIX, "@package@")


@pytest.mark.parametrize("case", CASES)
def test_the_file_is_the_golden_one(case: str) -> None:
    release, git = CASES[case]
    assert rendered(release, git) == (GOLDEN / f"{case}.gitconfig").read_text()


@pytest.mark.parametrize("case", CASES)
def test_git_asks_us_alone_for_the_hub_and_tells_no_other_helper(
    case: str, environment: Environment, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.write_text(f'#!/bin/sh\ncat >>"{tmp_path}/told"\n')
    other.chmod(0o755)
    text = (GOLDEN / f"{case}.gitconfig").read_text().replace("@package@", PREFIX).replace("@other@", str(other))
    (tmp_path / "gitconfig").write_text(text)
    environment |= {"GIT_CONFIG_GLOBAL": str(tmp_path / "gitconfig"), "HF_TOKEN": TOKEN}

    def credential(action: str, host: str, more: str = "") -> str:
        done = subprocess.run(
            ["git", "credential", action],
            input=f"protocol=https\nhost={host}\npath=org/model\n{more}\n",
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.stdout

    for host in ("huggingface.co", "hf.co"):
        answer = credential("fill", host)
        assert f"path=org/model\nusername=hf_user\npassword={TOKEN}\n" in answer
        credential("approve", host, f"username=hf_user\npassword={TOKEN}\n")
        assert not (tmp_path / "told").exists()
    credential("fill", "github.com")
    assert (tmp_path / "told").exists() == ("@other@" in (GOLDEN / f"{case}.gitconfig").read_text())


@pytest.mark.parametrize(
    ("release", "git"),
    [("25.11", {"settings": OTHER}), ("26.05", {"settings": [OTHER]}), ("nixos", {"config": [OTHER]})],
    ids=["set", "list", "nixos"],
)
def test_the_other_helpers_stay_where_they_are_wanted(release: str, git: dict[str, Any]) -> None:
    text = rendered(release, git, resetHelpers=False)
    assert 'helper = ""' not in text
    assert text.count('helper = "@package@/bin/git-credential-hf"\n') == 2
    assert EXECUTABLE.startswith(PREFIX)
