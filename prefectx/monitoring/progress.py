"""Counts the calls of a flow run while it runs, and sums them up at its end."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol
from uuid import UUID

from prefectx.futures import State
from prefectx.monitoring.hooks import HOOKS, End, ObservedCall, Subscriber

_current: ContextVar[RunSummary | None] = ContextVar("prefectx_run", default=None)
# Every call asks: no function around it.
current = _current.get
"""Return the summary of the flow run that goes on here, None outside one."""


@dataclass
class TaskSummary:
    """The calls of one task in one flow run.

    Attributes:
        skipped: calls whose output existed.
        running: calls that are submitted and not over.
        ran: calls whose function ran and returned.
        failed: calls that failed.
        longest: seconds that the longest run took.
        began: when the first was submitted, by the monotonic clock; None before.
        ended: when the latest was over, by the same clock.
    """

    skipped: int = 0
    running: int = 0
    ran: int = 0
    failed: int = 0
    longest: float = 0.0
    began: float | None = field(default=None, repr=False, compare=False)
    ended: float | None = field(default=None, repr=False, compare=False)

    @property
    def rate(self) -> float:
        """Calls that ran or failed in a second."""
        if self.began is None or self.ended is None:
            return 0.0
        return (self.ran + self.failed) / max(self.ended - self.began, 1e-3)


class Failure(NamedTuple):
    """A call that failed.

    Attributes:
        task: the name of the task.
        target: the location of the output that it should have made, None if none is kept.
        reason: the failure in words.
    """

    task: str
    target: str | None
    reason: str


class EngineRun(Protocol):
    """A run of an engine."""

    id: UUID


@dataclass
class RunSummary:
    """One run of a flow.

    Attributes:
        flow: the name of the flow.
        tasks: the counts by the name of the task.
        failures: the calls that failed.
        seconds: how long the run took.
        started: when it began, by the monotonic clock.
        engine_run: Prefect's flow run, None without Prefect.
    """

    flow: str
    tasks: dict[str, TaskSummary] = field(default_factory=dict)
    failures: list[Failure] = field(default_factory=list)
    seconds: float = 0.0
    started: float = field(default_factory=time.monotonic, repr=False)
    engine_run: EngineRun | None = field(default=None, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    def skip(self, task: str) -> None:
        """Count a call whose output existed."""
        with self._lock:
            self._of(task).skipped += 1

    def begin(self, task: str) -> None:
        """Count a call that is submitted."""
        with self._lock:
            counts = self._of(task)
            counts.running += 1
            counts.began = counts.began or time.monotonic()

    def end(self, call: ObservedCall, end: End, seconds: float) -> None:
        """Count a submitted call that is over.

        Parameters:
            call: the call.
            end: how it ended: a state may say that it failed.
            seconds: how long it took.
        """
        failure = _failure(end)
        with self._lock:
            counts = self._of(call.task.name)
            counts.running -= 1
            if failure is not None:
                counts.failed += 1
                location = call.item.location if call.item else None
                self.failures.append(Failure(call.task.name, location, failure))
            elif isinstance(end, State) and end.name == "Cached":
                counts.skipped += 1
                return
            else:
                counts.ran += 1
                counts.longest = max(counts.longest, seconds)
            counts.ended = time.monotonic()

    def is_of_another(self, engine_run: EngineRun) -> bool:
        """Tell whether this counts another run of the engine; a retry is the same one."""
        return self.engine_run is not None and self.engine_run.id != engine_run.id

    def lines(self) -> list[str]:
        """Return the summary in words: a line for each task."""
        return [f"{name}: {_in_words(counts)}" for name, counts in self.tasks.items()]

    def _of(self, task: str) -> TaskSummary:
        counts = self.tasks.get(task)
        if counts is None:
            counts = self.tasks[task] = TaskSummary()
        return counts


class Progress(Subscriber):
    """Counts calls in the summary of the flow run that makes them."""

    def call_skipped(self, task: str) -> None:
        """Count a call whose output existed."""
        summary = current()
        if summary is not None:
            summary.skip(task)

    def call_submitted(self, call: ObservedCall) -> None:
        """Count a call that is handed to its engine."""
        summary = current()
        if summary is not None:
            summary.begin(call.task.name)

    def call_over(self, call: ObservedCall, end: End, seconds: float) -> None:
        """Count the end of a submitted call."""
        summary = current()
        if summary is not None:
            summary.end(call, end, seconds)


PROGRESS = Progress()


class Recorded(Protocol):
    """A flow, as far as it is recorded."""

    name: str
    last_run: RunSummary | None


@contextmanager
def recording(flow: Recorded) -> Iterator[RunSummary]:
    """Count the calls that are made in the block.

    Parameters:
        flow: the flow; the summary is its `last_run` from the beginning.
    """
    summary = flow.last_run = RunSummary(flow.name)
    token = _current.set(summary)
    # Calls outside flows cost nothing as long as no flow has run.
    HOOKS.subscribe(PROGRESS)
    try:
        yield summary
    finally:
        _current.reset(token)
        summary.seconds = time.monotonic() - summary.started


def _failure(end: End) -> str | None:
    """Return in words how a call failed, None if it did not."""
    if isinstance(end, BaseException):
        return f"{type(end).__name__}: {end}"
    if isinstance(end, State) and not end.is_completed():
        return end.message or str(end)
    return None


def _in_words(counts: TaskSummary) -> str:
    parts = [
        f"{count:,} {word}"
        for count, word in (
            (counts.skipped, "skipped"),
            (counts.running, "not over"),
            (counts.ran, "ran"),
            (counts.failed, "failed"),
        )
        if count
    ]
    longest = f", the longest {in_words(counts.longest)}" if counts.ran else ""
    return ", ".join(parts) + longest


def in_words(seconds: float) -> str:
    """Return a duration as people write it: `0.12 s`, `45 s`, `3 min 20 s`, `2 h 5 min`."""
    if seconds < 10:
        return f"{seconds:.2f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
