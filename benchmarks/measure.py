"""Run programs as git does, and note what each run took.

A run is a process: posix_spawn(3), its request in a pipe, its answer and its complaints in memory, wait4(2). The wall
time is from before the one to after the other, the CPU time that of the process and of the children that it waited
for. Every answer is checked, so that a program which fails is never a fast one.
"""

import contextlib
import math
import os
import random
import shutil
import signal
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field


class Wrong(Exception):
    """A program did not give the answer that it should have."""


@dataclass(frozen=True)
class Case:
    """One row of a table: what is run, in which environment, and what it is to answer.

    command: the program by its absolute path, and its arguments.
    answer: a line that standard output must have; where it is empty, nothing may be there; None: whatever is there.
    source: where the answer comes from, for people ("keyring"), empty where there is none.
    base: the name of the case that its time is compared to, empty where there is none.
    prepare: what is done before each run, outside of the time that counts.
    code: the exit code that is right.
    """

    name: str
    command: list[str]
    environ: dict[str, str]
    request: bytes = b""
    answer: bytes | None = b""
    source: str = ""
    base: str = ""
    prepare: Callable[[], None] = field(default=lambda: None)
    code: int = 0


@dataclass
class Row:
    """What the runs of one case took: a figure for each round, NaN where it failed; milliseconds, KiB."""

    case: Case
    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    memory: int | None = None
    calls: int | None = None

    @property
    def median(self) -> float:
        return statistics.median(_numbers(self.wall))

    @property
    def minimum(self) -> float:
        return min(_numbers(self.wall))

    @property
    def failures(self) -> int:
        return sum(map(math.isnan, self.wall))

    @property
    def cpu_median(self) -> float:
        return statistics.median(_numbers(self.cpu))

    def ratio(self, to: "Row") -> float:
        """Return how many times as long as `to` it took: the median of what it was in each round."""
        return statistics.median(_numbers(a / b for a, b in zip(self.wall, to.wall, strict=True)))


class Slot:
    """The three standard streams of one process after the other."""

    def __init__(self) -> None:
        self._stdout, self._stderr = os.memfd_create("stdout"), os.memfd_create("stderr")

    def spawn(self, case: Case) -> int:
        """Start the program of `case`; return its process id."""
        stdin, request = os.pipe()
        os.write(request, case.request)
        os.close(request)
        for output in (self._stdout, self._stderr):
            os.ftruncate(output, 0)
            os.lseek(output, 0, os.SEEK_SET)
        try:
            return os.posix_spawn(
                case.command[0],
                case.command,
                case.environ,
                file_actions=[
                    (os.POSIX_SPAWN_DUP2, descriptor, number)
                    for number, descriptor in enumerate((stdin, self._stdout, self._stderr))
                ],
                setsigdef=[signal.SIGPIPE, signal.SIGXFSZ],  # Python ignores these, and its children would too
            )
        finally:
            os.close(stdin)

    def check(self, case: Case, status: int) -> None:
        """Raise Wrong unless the process that has ended with `status` gave the answer of `case`."""
        code = os.waitstatus_to_exitcode(status)
        answer = os.pread(self._stdout, 1 << 16, 0)
        right = case.answer is None or (case.answer in answer.splitlines() if case.answer else not answer)
        if code != case.code or not right:
            complaints = os.pread(self._stderr, 1 << 16, 0).decode(errors="replace").strip().splitlines()
            raise Wrong(complaints[-1] if complaints else f"exit code {code}, and not the right answer")

    def close(self) -> None:
        os.close(self._stdout)
        os.close(self._stderr)


def timed(case: Case, slot: Slot) -> tuple[float, float]:
    """Run `case` once; return wall and CPU time in milliseconds. Raises Wrong."""
    case.prepare()
    started = time.perf_counter_ns()
    process = slot.spawn(case)
    _, status, usage = os.wait4(process, 0)
    wall = (time.perf_counter_ns() - started) / 1e6
    slot.check(case, status)
    return wall, (usage.ru_utime + usage.ru_stime) * 1e3


def interleaved(cases: list[Case], rounds: int, warm_up: int) -> tuple[list[Row], dict[str, str]]:
    """Run every case once a round, in another order each round; return the rows, and why others are missing.

    A case that fails while it warms up is left out.
    """
    rows, missing = [], {}
    with contextlib.closing(Slot()) as slot:
        for case in cases:
            try:
                for _ in range(warm_up):
                    timed(case, slot)
            except (Wrong, OSError) as error:
                missing[case.name] = str(error)
            else:
                rows.append(Row(case))
        order = random.Random(0)  # noqa: S311 - the same order in every run of the benchmark
        for _ in range(rounds):
            for row in order.sample(rows, len(rows)):
                try:
                    wall, cpu = timed(row.case, slot)
                except Wrong:
                    wall = cpu = math.nan
                row.wall.append(wall)
                row.cpu.append(cpu)
    return [row for row in rows if row.failures < rounds], missing


@dataclass(frozen=True)
class Crowd:
    """What many runs at once took. per_second: answers; slowest: milliseconds from start to end."""

    name: str
    runs: int
    failures: int
    per_second: float
    slowest: float


def crowd(case: Case, runs: int, at_once: int) -> Crowd:
    """Run `case` so often that `at_once` of its processes are there until the last ones end."""
    free = [Slot() for _ in range(at_once)]
    slots = list(free)
    busy: dict[int, tuple[Slot, float]] = {}
    left, failures, slowest = runs, 0, 0.0
    began = time.perf_counter()
    while left or busy:
        if left and free:
            slot = free.pop()
            started = time.perf_counter()
            busy[slot.spawn(case)] = slot, started
            left -= 1
            continue
        process, status = os.waitpid(-1, 0)
        if process not in busy:
            continue  # the keyring or its bus has died, and what asks them from now on fails
        slot, started = busy.pop(process)
        slowest = max(slowest, time.perf_counter() - started)
        try:
            slot.check(case, status)
        except Wrong:
            failures += 1
        free.append(slot)
    took = time.perf_counter() - began
    for slot in slots:
        slot.close()
    return Crowd(case.name, runs, failures, (runs - failures) / took, slowest * 1e3)


def together(turns: list[Crowd]) -> Crowd:
    """Return what all the turns of one case took."""
    runs = sum(turn.runs for turn in turns)
    return Crowd(
        turns[0].name,
        runs,
        sum(turn.failures for turn in turns),
        statistics.median(turn.per_second for turn in turns),
        max(turn.slowest for turn in turns),
    )


def memory(case: Case) -> int | None:
    """Return the most memory that a process of `case` had, in KiB, or None where there is no time(1).

    What wait4 tells of a process is never below what the one that started it had, so that has to be a small one.
    """
    program = shutil.which("time")
    if program is None:
        return None
    with tempfile.NamedTemporaryFile() as told:
        case.prepare()
        done = subprocess.run(
            [program, "--quiet", "--format=%M", f"--output={told.name}", *case.command],
            input=case.request,
            env=case.environ,
            capture_output=True,
            check=False,
        )
        if done.returncode != case.code:
            done.check_returncode()
        return int(told.read())


def _numbers(values: Iterable[float]) -> list[float]:
    return [value for value in values if not math.isnan(value)]
