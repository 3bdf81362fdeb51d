"""Fixtures for tests that talk to the Hub; load them with `pytest_plugins = ["tests.hub.fixtures"]`."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from . import Hub

_GITCONFIG = """\
[user]
    name = Alice
    email = alice@example.org
[init]
    defaultBranch = main
[filter "lfs"]
    clean = git-lfs clean -- %f
    smudge = git-lfs smudge -- %f
    process = git-lfs filter-process
    required = true
"""


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    """A Hub of the test's own, with nothing in it. The test fails if the Hub itself did."""
    with Hub(tmp_path / "hub") as running:
        yield running
    assert running.failures == []


@pytest.fixture
def hub_environ(hub: Hub, tmp_path: Path) -> dict[str, str]:
    """The whole environment for a child: the Hub, a new HOME with git-lfs set up, no bus, no prompt."""
    home = tmp_path / "home"
    home.mkdir()
    (home / ".gitconfig").write_text(_GITCONFIG)
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "LC_ALL": "C.UTF-8",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        **hub.environ(),
    }
