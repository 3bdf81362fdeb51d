"""What is in examples/, and the workflow of a release: run as far as they can be here, and looked at by their linter.

The units have tests of their own, and scripts/test-deb runs the playbook and what makes the image on a bare Debian.
"""

import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Environment
from tests.hub import Hub, Secret

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "examples"
WORKFLOWS = [
    *(ROOT / ".github/workflows").iterdir(),
    EXAMPLES / "github-actions.yml",
    EXAMPLES / "ci/github-actions.yml",
]
TOKEN = Secret("hf_eXaMpLeS0123456789aBcDeFgHiJkLmNo")
MODEL = "my-org/my-model"


@pytest.fixture
def home(environment: Environment, hub: Hub) -> Path:
    """The home of somebody who may read my-org/my-model with TOKEN, on a machine that has no keyring."""
    environment |= hub.environ()
    hub.add_token(TOKEN, orgs=["my-org"])
    hub.create(MODEL, private=True, files={"config.json": "{}\n"}, lfs={"model.safetensors": b"weights"})
    return Path(environment["HOME"])


def shell(commands: str, environment: Environment, program: str = "sh") -> None:
    done = subprocess.run(
        [program, "-euc", commands],
        cwd=environment["HOME"],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert TOKEN not in done.stdout


def having_the_token(folder: Path) -> list[str]:
    """The files below `folder` that have the token in clear."""
    return sorted(
        str(file.relative_to(folder))
        for file in folder.rglob("*")
        if file.is_file() and TOKEN.encode() in file.read_bytes()
    )


def load(file: Path) -> Any:
    (document,) = load_all(file)
    return document


def load_all(file: Path) -> list[Any]:
    yaml = pytest.importorskip("yaml", reason="NOT TESTED: PyYAML, which huggingface_hub brings, is not installed")
    return list(yaml.safe_load_all(file.read_text()))


def test_the_steps_of_the_workflow_clone_and_write_no_token(home: Path, environment: Environment) -> None:
    expressions = {"${{ secrets.HF_TOKEN }}": TOKEN, "${{ vars.GIT_CREDENTIAL_HF }}": "a-wheel"}
    for step in load(EXAMPLES / "github-actions.yml")["jobs"]["clone"]["steps"]:
        more = {name: expressions[value] for name, value in step.get("env", {}).items()}
        # The program is here already; pipx would put it there from the index.
        shell(step["run"].replace('pipx install "$PACKAGE" && ', ""), environment | more, "bash")
    assert (home / "my-model/model.safetensors").read_bytes() == b"weights"
    assert having_the_token(home) == []


def _identity(audience: str) -> str:
    return f"{{identity:{audience}}}"


# For each CI: the lines of its job, and the variables that the CI and the file give it. {identity} is an ID token.
JOBS: dict[str, Callable[[Any], tuple[list[str], dict[str, str]]]] = {
    "gitlab-ci.yml": lambda files: (
        files[0]["clone"]["script"][1:],
        {"HF_OIDC_RESOURCE": files[0]["clone"]["variables"]["HF_OIDC_RESOURCE"]}
        | {name: _identity(one["aud"]) for name, one in files[0]["clone"]["id_tokens"].items()},
    ),
    "circleci.yml": lambda files: (
        [
            files[0]["jobs"]["clone"]["steps"][0]["run"]["command"].splitlines()[1],
            files[0]["jobs"]["clone"]["steps"][1]["run"]["command"],
        ],
        files[0]["jobs"]["clone"]["environment"],
    ),
    "bitbucket-pipelines.yml": lambda files: (
        files[0]["pipelines"]["default"][0]["step"]["script"][1:],
        {"BITBUCKET_STEP_OIDC_TOKEN": _identity(files[0]["pipelines"]["default"][0]["step"]["oidc"]["audiences"][0])},
    ),
    "kubernetes.yml": lambda files: (
        files[1]["spec"]["template"]["spec"]["containers"][0]["args"],
        {one["name"]: one["value"] for one in files[1]["spec"]["template"]["spec"]["containers"][0]["env"]},
    ),
    "github-actions.yml": lambda files: (
        [step["run"].replace('pipx install "$PACKAGE" && ', "") for step in files[0]["jobs"]["clone"]["steps"]],
        files[0]["jobs"]["clone"]["env"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", JOBS)
def test_the_job_of_a_ci_clones_with_its_identity_and_no_token(
    name: str, home: Path, environment: Environment, hub: Hub, tmp_path: Path
) -> None:
    hub.revoke(TOKEN)
    hub.oidc.trust(MODEL, repository="acme/training")
    lines, variables = JOBS[name](load_all(EXAMPLES / "ci" / name))
    for variable, value in variables.items():
        audience = re.fullmatch(r"\{identity:(.*)\}", value)
        environment[variable] = hub.oidc.id_token(audience[1], repository="acme/training") if audience else value
    if name == "github-actions.yml":
        assert load(EXAMPLES / "ci" / name)["jobs"]["clone"]["permissions"] == {"id-token": "write"}
        environment |= hub.oidc.github_environ(repository="acme/training")
    if name == "kubernetes.yml":
        (volume,) = load_all(EXAMPLES / "ci" / name)[1]["spec"]["template"]["spec"]["volumes"]
        projected = volume["projected"]["sources"][0]["serviceAccountToken"]
        assert environment["HF_OIDC_ID_TOKEN_FILE"] == f"/var/run/secrets/huggingface/{projected['path']}"
        environment["HF_OIDC_ID_TOKEN_FILE"] = str(tmp_path / "projected")
        (tmp_path / "projected").write_text(hub.oidc.id_token(projected["audience"], repository="acme/training"))
    # The command of CircleCI's machines, as far as it is asked here.
    circleci = tmp_path / "bin/circleci"
    circleci.parent.mkdir()
    identity = hub.oidc.id_token(repository="acme/training")
    circleci.write_text(f'#!/bin/sh\n[ "$5" = \'{{"aud": "https://huggingface.co"}}\' ] && echo {identity}\n')
    circleci.chmod(0o755)
    environment["PATH"] = f"{circleci.parent}:{environment['PATH']}"
    shell("\n".join(lines), environment, "bash")
    assert (home / "my-model/model.safetensors").read_bytes() == b"weights"
    assert (home / "files/config.json").read_text() == "{}\n"
    assert hub.oidc.exchanges == [MODEL]
    assert not any(
        one.encode() in file.read_bytes() for one in hub.oidc.given for file in home.rglob("*") if file.is_file()
    )


def test_the_image_is_built_with_a_secret_that_no_layer_has(
    home: Path, environment: Environment, tmp_path: Path
) -> None:
    text = (EXAMPLES / "docker/Dockerfile").read_text().replace("\\\n", " ")
    instructions = re.findall(r"^([A-Z]+) +(.*)$", text, re.MULTILINE)
    assert [name for name, _ in instructions] == ["FROM", "COPY", "RUN", "RUN"]
    first, second = (rest for name, rest in instructions if name == "RUN")
    (tmp_path / "secret").write_text(f"{TOKEN}\n")
    shell(first.rpartition("&& ")[2], environment)
    clone = second.removeprefix("--mount=type=secret,id=huggingface ")
    assert clone != second
    clone = clone.replace("/run/secrets/huggingface", str(tmp_path / "secret"))
    shell(clone.replace(" /model", f" {home}/model"), environment)
    assert (home / "model/model.safetensors").read_bytes() == b"weights"
    assert having_the_token(home) == []


def test_chezmoi_lays_the_declaration_and_seeds_it(home: Path, environment: Environment) -> None:
    for program in ("pass", "gpg"):
        if shutil.which(program) is None:
            pytest.skip(f"NOT TESTED: {program} is not installed; scripts/test says why")
    # What chezmoi makes of its source: "dot_" is a dot, and in a template {{ … }} is what it stands for.
    shutil.copytree(EXAMPLES / "chezmoi/dot_config", home / ".config")
    template = (EXAMPLES / "chezmoi/run_onchange_after_seed.sh.tmpl").read_text()
    (included,) = re.findall(r'\{\{ include "([^"]+)" \| sha256sum \}\}', template)
    assert (EXAMPLES / "chezmoi" / included).is_file()
    (home / ".gnupg").mkdir(mode=0o700)
    try:
        shell("gpg --batch --quiet --passphrase '' --quick-generate-key me; pass init me", environment)
        shell(f"echo {TOKEN} | pass insert --multiline huggingface/all", environment)
        shell(re.sub(r"\{\{.*?\}\}", "0" * 64, template), environment)
        shell(f"git clone https://huggingface.co/{MODEL}", environment)
    finally:
        shell("gpgconf --kill all", environment)
    assert (home / "my-model/model.safetensors").read_bytes() == b"weights"
    assert having_the_token(home) == [".cache/huggingface/token"]


def test_the_playbook_can_be_read() -> None:
    assert load(EXAMPLES / "ansible.yml")


def test_actions_are_pinned_by_commit() -> None:
    uses = [one for file in WORKFLOWS for one in re.findall(r"uses: *(.*)", file.read_text())]
    assert uses
    assert [one for one in uses if not re.fullmatch(r"[\w/-]+@[0-9a-f]{40} # v[0-9.]+", one)] == []


def test_zizmor_finds_nothing_in_the_workflows() -> None:
    zizmor = shutil.which("zizmor", path=str(Path(sys.executable).parent))
    if zizmor is None:
        pytest.skip("NOT TESTED: zizmor is not installed; scripts/test installs it")
    done = subprocess.run(
        [zizmor, "--offline", "--no-config", "--no-progress", *WORKFLOWS],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_tag_of_a_release_is_its_version(environment: Environment) -> None:
    steps = load(ROOT / ".github/workflows/release.yml")["jobs"]["build"]["steps"]
    (check,) = (step["run"] for step in steps if step.get("name") == "The tag is the version")
    version = re.search('^__version__ = "(.*)"$', (ROOT / "git_credential_hf/__init__.py").read_text(), re.MULTILINE)
    assert version
    for tag, code in ((f"v{version[1]}", 0), (f"v{version[1]}0", 1), (version[1], 1)):
        done = subprocess.run(
            ["bash", "-ec", f"cd {shlex.quote(str(ROOT))}\n{check}"],
            env=environment | {"GITHUB_REF_NAME": tag},
            check=False,
        )
        assert done.returncode == code, tag
