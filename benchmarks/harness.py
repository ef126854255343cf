"""The harness: contenders take turns in rounds; the results are ratios within a round.

Another program that takes the processor away falls on all contenders of a round alike, and the
median over the rounds leaves the rest of it out.
"""

from __future__ import annotations

import gc
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parent.parent
# Below this many calls a sample is too short for the clock, and is taken several times.
_ENOUGH = 1000


@dataclass
class Result:
    """The times of one contender, per call, in microseconds.

    Attributes:
        name: the contender.
        count: the calls in a sample.
        cpu: processor time of this process, a sample for each round.
        wall: wall time of the same samples.
    """

    name: str
    count: int
    cpu: list[float] = field(default_factory=list)
    wall: list[float] = field(default_factory=list)

    def ratio(self, floor: Result, clock: str = "cpu") -> float:
        """Return the median of the ratios to another contender of the same rounds."""
        pairs = zip(getattr(self, clock), getattr(floor, clock), strict=True)
        return statistics.median(own / other for own, other in pairs)

    def median(self, clock: str = "cpu") -> float:
        """Return the median of the samples."""
        return statistics.median(getattr(self, clock))

    def spread(self, clock: str = "cpu") -> tuple[float, float]:
        """Return the smallest and the largest sample."""
        return min(getattr(self, clock)), max(getattr(self, clock))


@dataclass(frozen=True)
class Contender:
    """Something to measure.

    Attributes:
        name: as the tables show it.
        work: makes so many calls.
        limit: how many calls are worth waiting for.
        before: what has to be done before a sample, and is not measured.
    """

    name: str
    work: Callable[[int], object]
    limit: int = 100_000
    before: Callable[[], object] = int


def measure(contenders: Iterable[Contender], count: int, rounds: int) -> list[Result]:
    """Let the contenders take turns.

    Parameters:
        contenders: those with a lower limit than `count` are left out.
        count: calls in a sample.
        rounds: samples of each.
    """
    runners = [contender for contender in contenders if contender.limit >= count]
    results = [Result(contender.name, count) for contender in runners]
    for contender in runners:
        _sample(contender, min(count, 100))
    for _ in range(rounds):
        for contender, result in zip(runners, results, strict=True):
            wall, cpu = _repeated(contender, count)
            result.wall.append(wall)
            result.cpu.append(cpu)
    return results


def _repeated(contender: Contender, count: int) -> tuple[float, float]:
    """Return the median wall and processor time of a call, in microseconds."""
    gc.collect()
    repeats = max(1, min(_ENOUGH, contender.limit) // count)
    samples = [_sample(contender, count) for _ in range(repeats)]
    walls, cpus = zip(*samples, strict=True)
    return statistics.median(walls), statistics.median(cpus)


def _sample(contender: Contender, count: int) -> tuple[float, float]:
    contender.before()
    cpu, wall = time.process_time(), time.perf_counter()
    kept = contender.work(count)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    del kept
    return wall / count * 1e6, cpu / count * 1e6


def measure_programs(
    programs: Sequence[tuple[str, list[str]]], rounds: int, environment: dict[str, str]
) -> list[Result]:
    """Let programs take turns; a call is one run of a program.

    Parameters:
        programs: name and command line of each.
        rounds: runs of each.
        environment: what is added to the environment.
    """
    results = [Result(name, 1) for name, _ in programs]
    # The first run of each compiles what it imports.
    for turn in range(rounds + 1):
        for (_, command), result in zip(programs, results, strict=True):
            wall, cpu = _program(command, environment)
            if turn:
                result.wall.append(wall)
                result.cpu.append(cpu)
    return results


def _program(command: list[str], environment: dict[str, str]) -> tuple[float, float]:
    before, wall = os.times(), time.perf_counter()
    run(command, environment)
    wall, after = time.perf_counter() - wall, os.times()
    used = after.children_user + after.children_system
    return wall * 1e6, (used - before.children_user - before.children_system) * 1e6


def run(command: list[str], environment: dict[str, str] | None = None) -> str:
    """Run a program and return what it prints; one that fails ends the benchmark."""
    done = subprocess.run(
        command,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), **(environment or {})},
        capture_output=True,
        text=True,
        timeout=900,
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{done.stderr[-4000:]}")
    return done.stdout


def alone(module: str, *arguments: str, environment: dict[str, str] | None = None) -> Any:
    """Run a module of the benchmarks in a new process; it prints its figures as JSON."""
    command = [sys.executable, "-m", f"benchmarks.{module}", *arguments]
    return json.loads(run(command, environment).splitlines()[-1])


def show(results: list[Result]) -> None:
    """Print results for `results_of` to read."""
    print(json.dumps([asdict(result) for result in results]))


def results_of(
    module: str, *arguments: str, environment: dict[str, str] | None = None
) -> list[Result]:
    """Run a module that ends with `show` in a new process, and return its results."""
    return [Result(**figures) for figures in alone(module, *arguments, environment=environment)]
