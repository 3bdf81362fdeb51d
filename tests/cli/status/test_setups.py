"""status beside git itself in random set-ups (see setups): both say the same."""

import os
from pathlib import Path

import pytest

from tests.cli.status import setups
from tests.conftest import Environment
from tests.keyring_items import Items

# A seed each, fixed, so that a run is like the one before it. GCH_SETUPS=2000 is for a change of what status says.
COUNT = int(os.environ.get("GCH_SETUPS", "200"))


@pytest.mark.timeout(1800)
def test_status_says_what_git_does(tmp_path: Path, environment: Environment, keyring: Items) -> None:
    failed = []
    for number in range(COUNT):
        setup = setups.make(number, tmp_path / "setup", environment, keyring)
        if found := setups.disagreements(setup):
            failed += [f"{number}: {one}" for one in found]
    assert not failed, "\n".join(failed)


@pytest.mark.timeout(1800)
def test_every_remedy_pasted_once_leaves_nothing_to_do(
    tmp_path: Path, environment: Environment, keyring: Items
) -> None:
    failed = []
    for number in range(0, COUNT, 10):
        setup = setups.make(number, tmp_path / "setup", environment, keyring)
        failed += [f"{number}: {one}" for one in setups.left_after_remedies(setup)]
    assert not failed, "\n".join(failed)
