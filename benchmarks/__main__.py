"""The command line of the benchmark: see scripts/bench."""

import argparse
import contextlib
import os
import sys
import tempfile
from pathlib import Path

from benchmarks import install, page, report, tables


def main() -> int:
    """Measure, print the tables, write the page; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="scripts/bench", description="Measure git-credential-hf beside what people use in its place."
    )
    parser.add_argument("--rounds", type=int, default=60, help="how often each is measured (%(default)s)")
    parser.add_argument(
        "--quick", action="store_true", help="a few rounds of small tables with what is there; nothing is installed"
    )
    parser.add_argument(
        "--write",
        metavar="FOLDER",
        type=Path,
        help="where performance.md and performance.svg go (docs; with --quick nowhere)",
    )
    given = parser.parse_args()
    folder = given.write or (None if given.quick else install.ROOT / "docs")
    rounds = 2 if given.quick else given.rounds
    if rounds < 1:
        parser.error("--rounds takes a number above 0")

    try:
        programs = install.what_is_there() if given.quick else install.everything()
    except install.Missing as reason:
        print(f"bench: {reason}", file=sys.stderr)
        return 1
    load = os.getloadavg()[0]
    with contextlib.ExitStack() as exits:
        temporary = Path(exits.enter_context(tempfile.TemporaryDirectory(prefix="bench.")))
        bench = tables.Bench(programs, temporary, rounds, 1 if given.quick else 5, exits)
        results = measure_all(bench, given.quick)
    print(report.text(results, programs))
    if folder is not None:
        command = " ".join(["scripts/bench", *sys.argv[1:]])
        part = report.markdown(results, programs, command, rounds, report.machine(programs, load))
        text = (install.ROOT / "docs/performance.md").read_text()
        (folder / "performance.md").write_text(page.with_part(text, "scripts/bench", part))
        (folder / "performance.svg").write_text(report.plot(results.get))
    return 0


def measure_all(bench: tables.Bench, quick: bool) -> report.Results:
    """Return every table; smaller ones if `quick`."""
    runs, at_once, turns = (20, 10, 1) if quick else (1000, 50, 3)
    seed, written = tables.seed(bench)
    return report.Results(
        get=tables.get(bench),
        fill=tables.fill(bench),
        token_file=tables.token_file(bench),
        foreign_host=tables.foreign_host(bench),
        forwarded=tables.forwarded(bench),
        sizes=tables.sizes(bench, [1, 10] if quick else [1, 100, 5000]),
        scopes=tables.scopes(bench, [1, 3] if quick else [1, 10, 100]),
        crowds=tables.crowds(bench, runs, at_once, turns),
        crowd_title=f"{runs:,} gets, {at_once} at a time",
        seed=seed,
        written=written,
        declared=tables.declared(bench, 3 if quick else 100),
        status=tables.status(bench),
        people=tables.people(bench),
    )


if __name__ == "__main__":
    sys.exit(main())
