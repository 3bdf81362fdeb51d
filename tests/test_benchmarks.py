"""The benchmark runs with what is there, and prints and writes its tables. What its figures say is not looked at."""

import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from benchmarks import measure, page
from benchmarks.measure import Case

ROOT = Path(__file__).parent.parent
TITLES = (
    "get, from gnome-keyring",
    "git credential fill",
    "get, from the token file, with no session bus",
    "get, for a foreign host",
    "get, from a forwarded socket; and git-credential-hf token",
    "get, from keyrings of different sizes",
    "get, from keyrings with scoped tokens",
    "seed",
    "seed, 3 declared tokens",
    "status",
    "list",
    "20 gets, 10 at a time",
)


def bench(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "benchmarks", *arguments],
        cwd=ROOT,
        env=os.environ | environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def cells(page: str, title: str) -> list[list[str]]:
    """Return the rows of the table under a heading, without its header."""
    section = page.partition(f"\n### {title[0].upper()}{title[1:]}\n")[2].partition("\n#")[0]
    rows = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows[2:]]


def test_a_quick_run_prints_its_tables_and_writes_the_page(tmp_path: Path) -> None:
    done = bench("--quick", "--write", str(tmp_path))

    assert (done.returncode, done.stderr) == (0, "")
    written = (tmp_path / "performance.md").read_text()
    for title in TITLES:
        assert title in done.stdout.splitlines()
        names = [row[0] for row in cells(written, title)]
        assert any(name.startswith(("git-credential-hf", "seed")) for name in names), title
    assert f"`scripts/bench --quick --write {tmp_path}` made the figures below." in written
    # What is written by hand stays.
    before = (ROOT / "docs/performance.md").read_text().partition("<!-- made by scripts/bench: begin -->")[0]
    assert written.startswith(before)
    verdicts = [row[1] for row in cells(written, "The goals")]
    assert verdicts
    assert set(verdicts) <= {"yes", "NO", "not measured"}
    assert any(row[0] == "kernel" and row[1] for row in cells(written, "The machine"))
    plot = ElementTree.parse(tmp_path / "performance.svg")  # noqa: S314 - what has just been written
    assert len(plot.findall("{*}rect")) == len(cells(written, TITLES[0]))


def test_a_page_without_a_place_for_the_figures_is_an_error() -> None:
    whole = f"by hand\n{page.begin('scripts/x')}old\n{page.end('scripts/x')}more\n"
    assert page.with_part(whole, "scripts/x", "new\n") == whole.replace("old", "new")
    with pytest.raises(ValueError, match="there is no part of scripts/y"):
        page.with_part(whole, "scripts/y", "new\n")
    with pytest.raises(ValueError, match="there is no part of scripts/x"):
        page.with_part(whole.replace(page.end("scripts/x"), ""), "scripts/x", "new\n")


def test_without_the_helper_it_says_how_to_get_it(tmp_path: Path) -> None:
    done = bench("--quick", PATH=str(tmp_path))

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "bench: git-credential-hf is not on PATH: run scripts/bench\n"


def test_a_program_that_fails_is_left_out_with_its_reason() -> None:
    def shell(name: str, script: str) -> Case:
        return Case(name, ["/bin/sh", "-c", script], {}, b"request\n", b"request")

    cases = [shell("right", "cat"), shell("wrong", "echo other"), shell("broken", "cat; echo why >&2; exit 3")]
    rows, missing = measure.interleaved(cases, rounds=2, warm_up=1)

    assert [(row.case.name, len(row.wall), row.failures) for row in rows] == [("right", 2, 0)]
    assert missing == {"wrong": "exit code 0, and not the right answer", "broken": "why"}


def test_in_a_crowd_every_failure_counts(tmp_path: Path) -> None:
    # mkdir succeeds once.
    case = Case("one", ["/bin/mkdir", str(tmp_path / "made")], {})

    assert (measure.crowd(case, runs=5, at_once=2).failures) == 4


def test_a_few_attacks_get_nothing_from_the_helper_and_something_from_others() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.attacks", "--quick"],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    told = dict(line.split(": ") for line in done.stdout.splitlines())
    assert told["git-credential-hf"].startswith("0 of ")
    assert told["serve"].startswith("0 of ")
    assert int(told["store"].split()[0]) > 0
