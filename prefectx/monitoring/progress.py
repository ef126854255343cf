"""What the calls of a flow run come to: counted while it runs, shown, and summed up at its end."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from prefectx.futures import AnyState
from prefectx.item import Item

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
        ended: when the latest was over, likewise.
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
        target: the location of the output that it was to make, None where none is kept.
        reason: the failure in words.
    """

    task: str
    target: str | None
    reason: str


@dataclass
class RunSummary:
    """One run of a flow.

    Attributes:
        flow: the name of the flow.
        tasks: what the calls came to, by the name of the task.
        failures: the calls that failed.
        seconds: how long the run took.
        started: when it began, by the monotonic clock.
        engine_run: what the engine calls the run, None where no Prefect runs it.
    """

    flow: str
    tasks: dict[str, TaskSummary] = field(default_factory=dict)
    failures: list[Failure] = field(default_factory=list)
    seconds: float = 0.0
    started: float = field(default_factory=time.monotonic, repr=False)
    engine_run: Any = field(default=None, repr=False)
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

    def end(self, task: str, seconds: float) -> None:
        """Count a submitted call that has returned."""
        with self._lock:
            counts = self._of(task)
            counts.running -= 1
            counts.ran += 1
            counts.longest = max(counts.longest, seconds)
            counts.ended = time.monotonic()

    def end_skipped(self, task: str) -> None:
        """Count a submitted call that has found its output."""
        with self._lock:
            self._of(task).running -= 1
            self._of(task).skipped += 1

    def fail(self, task: str, item: Item | None, reason: str) -> None:
        """Count a submitted call that has failed."""
        with self._lock:
            counts = self._of(task)
            counts.running -= 1
            counts.failed += 1
            counts.ended = time.monotonic()
            self.failures.append(Failure(task, item.location if item else None, reason))

    def close(self, task: str, item: Item | None, result: Any, seconds: float) -> None:
        """Count a submitted call that is over, by what it came to: a state may say that it failed.

        Parameters:
            task: the name of the task.
            item: its output, None where none is kept.
            result: what it returned, or its state.
            seconds: how long it took.
        """
        if not isinstance(result, AnyState):
            self.end(task, seconds)
        elif not result.is_completed():
            self.fail(task, item, getattr(result, "message", None) or str(result))
        elif getattr(result, "name", "") == "Cached":
            self.end_skipped(task)
        else:
            self.end(task, seconds)

    def is_of_another(self, engine_run: Any) -> bool:
        """Tell whether this is about another run of the engine; a retry is the same one."""
        return self.engine_run is not None and self.engine_run.id != engine_run.id

    def lines(self) -> list[str]:
        """Return the summary in words: a line for each task."""
        return [f"{name}: {_in_words(counts)}" for name, counts in self.tasks.items()]

    def _of(self, task: str) -> TaskSummary:
        counts = self.tasks.get(task)
        if counts is None:
            counts = self.tasks[task] = TaskSummary()
        return counts


@contextmanager
def recording(flow: Any) -> Iterator[RunSummary]:
    """Count the calls that are made in the block.

    Parameters:
        flow: the flow; the summary is its `last_run` from the beginning.
    """
    summary = flow.last_run = RunSummary(flow.name)
    token = _current.set(summary)
    try:
        yield summary
    finally:
        _current.reset(token)
        summary.seconds = time.monotonic() - summary.started


@contextmanager
def running(task: str, item: Item | None = None) -> Iterator[Callable[[Any], None]]:
    """Count a call whose function runs in the block.

    Parameters:
        task: the name of the task.
        item: its output, None where none is kept.

    Returns:
        What takes the result of the call: a state may say that it failed.
    """
    summary = _current.get()
    if summary is None:
        yield _ignore
        return
    results: list[Any] = []
    summary.begin(task)
    started = time.monotonic()
    try:
        yield results.append
    except BaseException as error:
        summary.fail(task, item, f"{type(error).__name__}: {error}")
        raise
    summary.close(task, item, results[0] if results else None, time.monotonic() - started)


def _ignore(result: Any) -> None:
    """Take a result where nothing is counted."""


def skipped(task: str) -> None:
    """Count a call whose output existed."""
    summary = _current.get()
    if summary is not None:
        summary.skip(task)


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
