"""What people's commands do where nobody reads what they print."""

import os
import subprocess

import pytest

from tests.cli.conftest import TOKEN, cache
from tests.conftest import EXECUTABLE, Environment


@pytest.mark.parametrize("both", [False, True])
@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ("login --with-token --offline --no-configure", 0),
        ("login --with-token --offline --no-cache", 3),
        ("seed --from nowhere", 1),
        ("list", 0),
        ("status", 1),
        ("status --json", 1),
        ("forget", 2),
        ("help", 0),
    ],
)
def test_a_reader_that_closes_the_pipe_changes_nothing(
    environment: Environment, arguments: str, code: int, both: bool
) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [EXECUTABLE, *arguments.split()],
        input=TOKEN.encode(),
        stdout=writer,
        stderr=writer if both else subprocess.PIPE,
        env=environment,
        check=False,
    )
    os.close(writer)
    assert done.returncode == code
    assert both or (b"unexpected" not in done.stderr and b"Exception" not in done.stderr)
    assert cache(environment).exists() == (code == 0 and arguments.startswith("login"))
