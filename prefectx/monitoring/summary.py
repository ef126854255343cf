"""The summary of a flow run, in one file, as all of it is counted under one lock."""

from __future__ import annotations

import html
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol
from uuid import UUID

from prefectx.errors import UpstreamError
from prefectx.futures import State
from prefectx.monitoring.failures import in_words
from prefectx.monitoring.hooks import End, ObservedCall, ObservedTask
from prefectx.monitoring.words import counts_in_words, stale_line
from prefectx.monitoring.words import in_words as in_seconds

_SHOWN = 10


@dataclass
class TaskSummary:
    """The calls of one task in one flow run.

    Attributes:
        skipped: calls whose output existed.
        running: calls that are submitted and not done.
        ran: calls whose function ran and returned.
        failed: calls that failed.
        not_run: calls that never started, as an input failed.
        not_needed: lazy calls that nothing needed.
        deleted: temporary outputs that were deleted after use.
        longest: seconds of the longest run.
        began: monotonic time of the first submit, None before it.
        ended: monotonic time of the latest end, None before the first.
    """

    skipped: int = 0
    running: int = 0
    ran: int = 0
    failed: int = 0
    not_run: int = 0
    not_needed: int = 0
    deleted: int = 0
    longest: float = 0.0
    began: float | None = field(default=None, repr=False, compare=False)
    ended: float | None = field(default=None, repr=False, compare=False)

    @property
    def rate(self) -> float:
        """Calls that ran or failed per second."""
        if self.began is None or self.ended is None:
            return 0.0
        return (self.ran + self.failed) / max(self.ended - self.began, 1e-3)


class Failure(NamedTuple):
    """A call that failed.

    Attributes:
        task: the name of the task.
        target: the location of its output, None if none is kept.
        reason: the type and the message of the failure.
        call: the call in words: `clean(path='a.csv')`.
    """

    task: str
    target: str | None
    reason: str
    call: str = ""


class EngineRun(Protocol):
    """The part of an engine's flow run that the summary needs."""

    id: UUID


@dataclass
class RunSummary:
    """One run of a flow.

    Attributes:
        flow: the name of the flow.
        tasks: the counts by the name of the task.
        failures: the calls that failed.
        stale: the stale outputs that were kept, by task: location and causes of each.
        seconds: how long the run took.
        started: monotonic time of its start.
        engine_run: Prefect's flow run, None without Prefect.
        outer: the run of the flow that called this one, None if none did.
        has_raised: whether the flow's function raised an exception.
        has_unclean_part: whether a flow that it called did, or had a call that failed.
        inner: the runs of flows that this one called.
        skipped_by_default: the tasks with skipped calls whose target nobody chose.
    """

    flow: str
    tasks: dict[str, TaskSummary] = field(default_factory=dict)
    failures: list[Failure] = field(default_factory=list)
    stale: dict[str, dict[str, tuple[str, ...]]] = field(default_factory=dict)
    seconds: float = 0.0
    started: float = field(default_factory=time.monotonic, repr=False)
    engine_run: EngineRun | None = field(default=None, repr=False)
    outer: RunSummary | None = field(default=None, repr=False, compare=False)
    has_raised: bool = field(default=False, repr=False)
    has_unclean_part: bool = field(default=False, repr=False)
    inner: list[RunSummary] = field(default_factory=list, repr=False, compare=False)
    skipped_by_default: list[str] = field(default_factory=list, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    def skip(self, task: ObservedTask) -> None:
        """Count a call that was skipped."""
        with self._lock:
            self._skip(task, self._of(task.task.name))

    def _skip(self, task: ObservedTask, counts: TaskSummary) -> None:
        counts.skipped += 1
        if counts.skipped == 1 and task.options.sources["target"].layer == "default":
            self.skipped_by_default.append(task.task.name)

    def keep_stale(self, task: str, location: str, causes: Sequence[str]) -> None:
        """Take note of a stale output that was kept."""
        with self._lock:
            self.stale.setdefault(task, {})[location] = tuple(causes)

    def not_needed(self, task: str) -> None:
        """Count a lazy call that nothing needed."""
        with self._lock:
            self._of(task).not_needed += 1

    def deleted(self, task: str) -> None:
        """Count a temporary output that was deleted."""
        with self._lock:
            self._of(task).deleted += 1

    @property
    def outermost(self) -> RunSummary:
        """The run that this run is a part of, itself if it is part of none."""
        return self if self.outer is None else self.outer.outermost

    @property
    def is_clean(self) -> bool:
        """Whether the flow returned, and no call of it or of a flow in it failed."""
        return not (self.has_raised or self.failures or self.has_unclean_part)

    def begin(self, task: str) -> None:
        """Count a call that was submitted."""
        with self._lock:
            counts = self._of(task)
            counts.running += 1
            counts.began = counts.began or time.monotonic()

    def end(self, call: ObservedCall, end: End, seconds: float) -> None:
        """Count the end of a submitted call.

        Parameters:
            call: the call.
            end: how it ended; a state may be a failed one.
            seconds: how long it ran.
        """
        if isinstance(end, State) and end.name == "Cancelled":
            return  # it stays among those that are not over
        failure = _failure(end)
        with self._lock:
            counts = self._of(call.task.name)
            counts.running -= 1
            if failure is not None and _is_upstream(end):
                counts.not_run += 1
            elif failure is not None:
                counts.failed += 1
                location = None if call.item is None else call.item.location
                given = getattr(call, "arguments", {})
                told = in_words(call.task.name, given)
                self.failures.append(Failure(call.task.name, location, failure, told))
            elif isinstance(end, State) and end.name == "Cached":
                self._skip(call, counts)
                return
            else:
                counts.ran += 1
                counts.longest = max(counts.longest, seconds)
            counts.ended = time.monotonic()

    def is_of_another(self, engine_run: EngineRun) -> bool:
        """Whether this is the summary of another run; a retry belongs to the same run."""
        return self.engine_run is not None and self.engine_run.id != engine_run.id

    def lines(self) -> list[str]:
        """Return a line of text for each task, and one on skips that nobody may expect."""
        lines = [f"{name}: {counts_in_words(counts)}" for name, counts in self.tasks.items()]
        lines += self._failed_lines()
        lines += [stale_line(task, outputs) for task, outputs in self.stale.items()]
        if self.skipped_by_default:
            lines.append(
                f"{', '.join(self.skipped_by_default)}: nobody chose a target, so each output is "
                "kept at the default one, and a call whose output exists does not run again; for "
                "calls that are to run each time set target=None or refresh=True"
            )
        return lines

    def _repr_html_(self) -> str:
        kinds = ("skipped", "ran", "failed", "not_run", "not_needed", "deleted")
        used = [k for k in kinds if any(getattr(each, k) for each in self.tasks.values())]
        head = "".join(f"<th>{name.replace('_', ' ')}</th>" for name in ("task", *used, "longest"))
        rows = "".join(
            f"<tr><td>{html.escape(task)}</td>"
            + "".join(f"<td>{getattr(counts, kind):,}</td>" for kind in used)
            + f"<td>{in_seconds(counts.longest) if counts.ran else ''}</td></tr>"
            for task, counts in self.tasks.items()
        )
        told = [*self._failed_lines(), *(stale_line(*each) for each in self.stale.items())]
        notes = "".join(f"<li>{html.escape(line)}</li>" for line in told)
        table = f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
        took = in_seconds(self.seconds)
        return f"<p><b>{html.escape(self.flow)}</b>, {took}</p>{table}<ul>{notes}</ul>"

    def _failed_lines(self) -> Iterator[str]:
        """Yield a line for each failed call, of each task the first ten, then a count."""
        for task in self.tasks:
            failed = [each for each in self.failures if each.task == task]
            for each in failed[:_SHOWN]:
                yield f"{each.call} failed: {_first_line(each.reason)}"
            if len(failed) > _SHOWN:
                yield f"{task}: and {len(failed) - _SHOWN:,} more calls failed"

    def _of(self, task: str) -> TaskSummary:
        counts = self.tasks.get(task)
        if counts is None:
            counts = self.tasks[task] = TaskSummary()
        return counts


def _first_line(text: str) -> str:
    return text.splitlines()[0] if text else text


def _is_upstream(end: End) -> bool:
    """Tell whether a call was not run, as an input failed."""
    data = getattr(end, "data", None) if isinstance(end, State) else end
    return isinstance(data, UpstreamError) or getattr(end, "name", None) == "NotReady"


def _failure(end: End) -> str | None:
    """Return why a call failed, None if it did not."""
    if isinstance(end, BaseException):
        return f"{type(end).__name__}: {end}"
    if isinstance(end, State) and not end.is_completed():
        return end.message or str(end)
    return None
