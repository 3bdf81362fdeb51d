"""What people's commands do where nobody reads what they print."""

import os
import subprocess

import pytest

from git_credential_hf.cli import output
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


def test_a_time_that_no_calendar_has_is_a_number() -> None:
    assert output.date(10**30, "%Y") == f"second {10**30}"
    assert output.date(0, "%Y-%m-%d") == "1970-01-01"


def test_what_turns_a_line_around_is_shown_by_its_number(environment: Environment) -> None:
    done = subprocess.run(
        [EXECUTABLE, "exec", "--for", "https://a\u202eb.org/x", "--", "true"],
        env=environment,
        capture_output=True,
        check=False,
    )
    assert (done.stdout, done.returncode) == (b"", 1)
    assert "\u202e" not in done.stderr.decode()
    assert b"\\u202e" in done.stderr
