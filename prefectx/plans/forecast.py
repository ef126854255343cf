"""How long a run would take, from the times in the records."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Mapping
from statistics import quantiles
from typing import NamedTuple

from prefectx.monitoring.words import in_words
from prefectx.plans.calls import PlannedCall
from prefectx.records import Record
from prefectx.settings import Options


class Forecast(NamedTuple):
    """How long a run would take.

    Attributes:
        low: seconds, if the calls are as fast as the faster quarter of those before, and none of
            those runs that may.
        high: seconds, if they are as slow as the slowest tenth, and all run.
        workers: how many calls run side by side.
        unknown: how many calls are of tasks that have never run; they are not counted.
    """

    low: float
    high: float
    workers: int
    unknown: int

    def __str__(self) -> str:
        """Return the forecast in words."""
        side = f" with {self.workers} workers" if self.workers > 1 else ""
        calls = "call" if self.unknown == 1 else "calls"
        unknown = f"{self.unknown:,} {calls} of tasks that never ran"
        if not self.high:
            return f"how long is not known, as there are {unknown}" if self.unknown else "0 s"
        span = in_words(self.high)
        if in_words(self.low) != span:
            span = f"{in_words(self.low)} to {span}"
        return f"{span}{side}" + (f", and {unknown}" if self.unknown else "")


def forecast(calls: Iterable[PlannedCall], records: Iterable[Record], options: Options) -> Forecast:
    """Forecast a run.

    Parameters:
        calls: the calls of its plan.
        records: who made what, and how long that took.
        options: the options of the project.
    """
    counts = Counter((call.task, call.status) for call in calls if call.status != "finished")
    wanted = {task for task, _ in counts}
    seconds: dict[str, list[float]] = {task: [] for task in wanted}
    for record in records:
        if record.task in wanted:
            seconds[record.task].append(record.seconds)
    spans: Mapping[str, tuple[float, float]] = {
        task: _span(known) for task, known in seconds.items() if known
    }
    low = high = longest = 0.0
    unknown = 0
    workers = workers_of(options)
    for (task, status), count in counts.items():
        if task not in spans:
            unknown += count
            continue
        fast, slow = spans[task]
        low += fast * count if status == "run" else 0
        high += slow * count
        longest = max(longest, slow)
    return Forecast(low / workers, max(high / workers, longest), workers, unknown)


def _span(seconds: list[float]) -> tuple[float, float]:
    if len(seconds) == 1:
        return seconds[0], seconds[0]
    tenths = quantiles(seconds, n=20, method="inclusive")
    return tenths[4], tenths[17]


def workers_of(options: Options) -> int:
    """Return how many calls the project's runner runs side by side."""
    cores = os.cpu_count() or 1
    kind = options.runner.type or ("threads" if options.mode.startswith("prefect") else "inline")
    if kind == "inline":
        return 1
    if kind == "dask":
        workers = options.dask.workers
        return (workers if isinstance(workers, int) else cores) * options.dask.threads_per_worker
    return options.runner.max_workers or (cores if kind == "processes" else min(32, cores + 4))
