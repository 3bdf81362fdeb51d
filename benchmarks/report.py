"""The tables as text, as Markdown and as a plot, and which of the goals the figures reach."""

import os
import platform
import subprocess
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from benchmarks import tables
from benchmarks.install import DEB, PYTHON, Programs
from benchmarks.measure import Crowd, Row
from benchmarks.tables import FLOOR, LIBSECRET, LOCAL, Table

OURS = "git-credential-hf"

_COLUMNS = ("", "token from", "median ms", "minimum ms", "CPU ms", "memory MiB", "D-Bus calls", "ratio")
_CROWD_COLUMNS = ("", "gets", "failures", "gets per second", "slowest ms")


@dataclass(frozen=True)
class Results:
    """All that one run measured. written: what an unchanged seed wrote, by name."""

    get: Table
    fill: Table
    token_file: Table
    foreign_host: Table
    forwarded: Table
    sizes: Table
    scopes: Table
    crowds: list[Crowd]
    crowd_title: str
    seed: Table
    written: list[str]
    declared: Table
    status: Table
    people: Table

    def tables(self) -> list[Table]:
        return [
            *(self.get, self.fill, self.token_file, self.foreign_host, self.forwarded, self.sizes, self.scopes),
            *(self.seed, self.declared, self.status, self.people),
        ]


@dataclass(frozen=True)
class Goal:
    """A goal, whether it is reached (None: it could not be measured), and by which figures."""

    text: str
    reached: bool | None
    figures: str

    def verdict(self) -> str:
        return {True: "yes", False: "NO", None: "not measured"}[self.reached]


def goals(results: Results) -> list[Goal]:
    """Return what the figures say of every goal."""
    return [
        _at_most(results.get, 0.80, LIBSECRET, lambda way: way != DEB),
        _at_most(results.get, 0.75, LIBSECRET, lambda way: way == DEB),
        _at_most(results.token_file, 1.15, FLOOR),
        _at_most(results.forwarded, 2, LOCAL),
        _largest_beside_libsecret(results.sizes, 0.85),
        _no_failure(results),
        _unchanged_seed(results, 9),
        _row_at_most(results.status, tables.STATUS, 13),
        _row_at_most(results.status, tables.ON_TERMINAL, 20),
        _at_most(results.people, 13, FLOOR),
    ]


def text(results: Results, programs: Programs) -> str:
    """Return everything as it is printed."""
    parts = []
    for title, about, grid in _grids(results):
        parts.append(f"{title}\n{about}\n\n{_aligned(grid)}")
    parts.append(_aligned(_goal_grid(results)))
    if missing := _missing(results, programs):
        parts.append("Not measured:\n" + "\n".join(f"  {name}: {reason}" for name, reason in missing.items()))
    return "\n\n\n".join(parts) + "\n"


def markdown(results: Results, programs: Programs, command: str, rounds: int, machine: list[tuple[str, str]]) -> str:
    """Return the part of docs/performance.md that has the figures. The plot is to be beside it, as performance.svg."""
    grids = [f"### {_capital(title)}\n\n{about}\n\n{_markdown(grid)}" for title, about, grid in _grids(results)]
    plot = f"![{_capital(results.get.title)}: the medians of the first table as bars](performance.svg)"
    grids[0] += "\n\n" + plot
    missing = "".join(f"- {name}: {reason}\n" for name, reason in _missing(results, programs).items())
    return _PAGE.format(
        command=command,
        rounds=rounds,
        goals=_markdown(_goal_grid(results)),
        tables="\n\n".join(grids),
        machine=_markdown([("", ""), *machine]),
        missing=f"\n### Not measured\n\n{missing}" if missing else "",
    )


def machine(programs: Programs, load: float) -> list[tuple[str, str]]:
    """Return what the figures depend on. load: the load average when the measuring began."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    processor = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    facts = [
        ("processor", f"{processor or platform.machine()}, {os.cpu_count()} cores"),
        ("load average at the start", f"{load:.2f}"),
        ("kernel", f"Linux {platform.release()}"),
        ("system", platform.freedesktop_os_release()["PRETTY_NAME"]),
        ("gnome-keyring", _keyrings_version()),
        ("Python", f"{platform.python_version()}, {PYTHON}"),
    ]
    installed = {f"{OURS} ({way})": program for way, program in programs.ours.items()} | programs.peers
    return facts + [(name, program.version) for name, program in installed.items() if program.version]


def _keyrings_version() -> str:
    told = subprocess.run(["gnome-keyring-daemon", "--version"], capture_output=True, text=True, check=True).stdout
    return told.splitlines()[0].rpartition(" ")[2]


def plot(table: Table) -> str:
    """Return the medians of a table as bars, in an SVG that follows the reader's light or dark colours."""
    rows = sorted(table.rows, key=lambda row: row.median)
    longest = max(row.median for row in rows)
    left, wide, high = 260, 460, 26
    bars = []
    for number, row in enumerate(rows):
        top = number * high + 44
        width = max(row.median / longest * wide, 1)
        kind = "ours" if row.case.name.startswith(OURS) else "floor" if not row.case.source else "peer"
        bars.append(
            f'<text x="{left - 8}" y="{top + 13}" text-anchor="end">{escape(row.case.name)}</text>'
            f'<rect class="{kind}" x="{left}" y="{top}" width="{width:.1f}" height="18"/>'
            f'<text x="{left + width + 6:.1f}" y="{top + 13}">{_number(row.median)}</text>'
        )
    height = len(rows) * high + 52
    return _SVG.format(
        width=left + wide + 60,
        height=height,
        title=escape(f"{_capital(table.title)}: median, ms"),
        bars="\n".join(bars),
    )


def _at_most(table: Table, limit: float, to: str, counts: Callable[[str], bool] = lambda way: True) -> Goal:
    """Return a goal for our helper, as it is installed in each of the ways that `counts`."""
    ratios = {
        way: ratio
        for row in table.rows
        if row.case.name.startswith(OURS)
        and counts(way := _way(row.case.name))
        and (ratio := table.ratio(row, to)) is not None
    }
    return Goal(
        f"{table.title}: at most {limit:g} x {to}" + (f", from the {DEB}" if counts(DEB) and not counts("pip") else ""),
        max(ratios.values()) <= limit if ratios else None,
        ", ".join(f"{way} {ratio:.3f}" for way, ratio in ratios.items()),
    )


def _row_at_most(table: Table, name: str, limit: float) -> Goal:
    """Return a goal for one row of a table, beside the least that Python takes."""
    row = table.row(name)
    ratio = table.ratio(row, FLOOR) if row else None
    return Goal(
        f"{name}: at most {limit:g} x {FLOOR}",
        None if ratio is None else ratio <= limit,
        "" if ratio is None else f"{ratio:.3f}",
    )


def _largest_beside_libsecret(table: Table, limit: float) -> Goal:
    row = [row for row in table.rows if row.case.name.startswith(OURS)][-1]
    ratio = table.ratio(row, row.case.base)
    return Goal(
        f"get, {_way(row.case.name)} in the keyring: at most {limit:g} x {LIBSECRET}",
        None if ratio is None else ratio <= limit,
        "" if ratio is None else f"{ratio:.3f}",
    )


def _no_failure(results: Results) -> Goal:
    failures = next(crowd.failures for crowd in results.crowds if crowd.name == OURS)
    return Goal(f"{results.crowd_title}: no failure", not failures, f"{failures} failures")


def _unchanged_seed(results: Results, limit: float) -> Goal:
    row = results.seed.row(tables.UNCHANGED)
    ratio = results.seed.ratio(row, FLOOR) if row else None
    text = f"{tables.UNCHANGED}: at most {limit:g} x {FLOOR}, and no write"
    if ratio is None:
        return Goal(text, None, "")
    wrote = "wrote " + ", ".join(results.written) if results.written else "no write"
    return Goal(text, ratio <= limit and not results.written, f"{ratio:.3f}, {wrote}")


def _goal_grid(results: Results) -> list[tuple[str, ...]]:
    return [("goal", "reached", "figures"), *((goal.text, goal.verdict(), goal.figures) for goal in goals(results))]


def _way(name: str) -> str:
    return name.removeprefix(OURS).strip(" ,()")


def _grids(results: Results) -> Iterable[tuple[str, str, list[tuple[str, ...]]]]:
    for table in results.tables():
        about = table.about
        bases = {row.case.base for row in table.rows} - {""}
        if len(bases) == 1:
            about += f" The ratio is to {bases.pop()}."
        elif bases:
            about += f" The ratio is to {LIBSECRET} on the same keyring."
        about += "".join(f" {row.case.name} failed {row.failures} times." for row in table.rows if row.failures)
        yield table.title, about, _without_empty_columns(_COLUMNS, [_cells(table, row) for row in table.rows])
    crowd_cells = [
        (crowd.name, f"{crowd.runs:,}", str(crowd.failures), f"{crowd.per_second:.0f}", f"{crowd.slowest:.0f}")
        for crowd in results.crowds
    ]
    about = (
        "The helpers take turns, each with a keyring of its own. The gets per second are the median of the turns. "
        "Failures and the slowest get are of all turns."
    )
    yield results.crowd_title, about, [_CROWD_COLUMNS, *crowd_cells]


def _cells(table: Table, row: Row) -> tuple[str, ...]:
    ratio = table.ratio(row, row.case.base)
    return (
        row.case.name,
        row.case.source,
        _number(row.median),
        _number(row.minimum),
        _number(row.cpu_median),
        "" if row.memory is None else f"{row.memory / 1024:.1f}",
        "" if row.calls is None else str(row.calls),
        "" if ratio is None else f"{ratio:.2f}",
    )


def _without_empty_columns(header: Sequence[str], cells: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    kept = [number for number in range(len(header)) if any(row[number] for row in cells)]
    return [tuple(row[number] for number in kept) for row in [tuple(header), *cells]]


def _aligned(grid: list[tuple[str, ...]]) -> str:
    widths = [max(map(len, column)) for column in zip(*grid, strict=True)]
    left = _left_columns(grid)
    lines = [
        "  ".join(
            cell.ljust(width) if number in left else cell.rjust(width)
            for number, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in grid
    ]
    return "\n".join([lines[0], "  ".join("-" * width for width in widths), *lines[1:]])


def _markdown(grid: list[tuple[str, ...]]) -> str:
    left = _left_columns(grid)
    rule = ["---" if number in left else "--:" for number in range(len(grid[0]))]
    return "\n".join(f"| {' | '.join(row)} |" for row in [grid[0], rule, *grid[1:]])


def _left_columns(grid: list[tuple[str, ...]]) -> set[int]:
    """Return the numbers of the columns that hold words."""
    return {
        number
        for number, column in enumerate(zip(*grid[1:], strict=True))
        if any(cell and not cell[0].isdigit() for cell in column)
    }


def _missing(results: Results, programs: Programs) -> dict[str, str]:
    missing = dict(programs.missing)
    for table in results.tables():
        missing |= {f"{name} ({table.title})": reason for name, reason in table.missing.items()}
    return {name: " ".join(reason.split()) for name, reason in missing.items()}


def _number(milliseconds: float) -> str:
    return f"{milliseconds:.2f}" if milliseconds < 100 else f"{milliseconds:.0f}"


def _capital(title: str) -> str:
    return title[0].upper() + title[1:]


_PAGE = """\
`{command}` made the figures below. It installs what it measures; run it for your own machine.

Each program of a table runs once a round, in another order each round, for {rounds} rounds after a warm-up. A run is \
one process with its request in a pipe, and every answer is checked. Wall time is from before its start to its end. \
CPU time is its own, without the bus and the keyring. Memory is the largest resident set, by time(1). A ratio is the \
median of the ratios within each round, so other load weighs on both sides. Milliseconds are of this machine alone. \
`python3 -I -S -c pass` is the start of Python with nothing to do.

### The goals

{goals}

{tables}

### The machine

{machine}
{missing}"""

_SVG = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="13">
<style>
text {{ fill: #1f2328 }} .ours {{ fill: #1a7f37 }} .peer {{ fill: #8c959f }} .floor {{ fill: #d0d7de }}
@media (prefers-color-scheme: dark) {{
text {{ fill: #e6edf3 }} .ours {{ fill: #3fb950 }} .peer {{ fill: #6e7681 }} .floor {{ fill: #484f58 }}
}}
</style>
<text x="8" y="22" font-weight="bold">{title}</text>
{bars}
</svg>
"""
