"""What a report tells, as plain values."""

from __future__ import annotations

import statistics
from array import array
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any, NamedTuple

from prefectx.monitoring.summary import RunSummary
from prefectx.reports.failures import Failures
from prefectx.reports.graph import TaskGraph
from prefectx.reports.previews import Preview
from prefectx.reports.timeline import Calls, Session


class Row(NamedTuple):
    """One output.

    Attributes:
        location: where it is, relative to the root.
        task: the name of its task.
        status: finished, stale, edited, missing or temporary.
        size: its size in bytes, None if unknown.
        made: when it was made, in seconds since 1970.
        seconds: how long it took.
        arguments: the arguments of its call, for people.
        causes: why it is stale.
    """

    location: str
    task: str
    status: str
    size: int | None
    made: float
    seconds: float
    arguments: str
    causes: tuple[str, ...]


@dataclass
class TaskFacts:
    """The outputs of one task.

    Attributes:
        name: the name of the task.
        statuses: how many outputs are finished, stale, edited, missing, temporary.
        causes: how many are stale by each cause.
        size: bytes of all.
        took: the seconds of each.
        failed: how many calls failed the last time.
        files: how many files were read.
    """

    name: str
    statuses: Counter[str] = field(default_factory=Counter)
    causes: Counter[str] = field(default_factory=Counter)
    size: int = 0
    took: array[float] = field(default_factory=lambda: array("d"))
    failed: int = 0
    files: int = 0

    @property
    def seconds(self) -> float:
        """How long all took."""
        return sum(self.took)

    @property
    def median(self) -> float | None:
        """The median of their times."""
        return statistics.median(self.took) if self.took else None

    def to_dict(self) -> dict[str, Any]:
        """Return the facts as plain data."""
        return {
            "task": self.name,
            "outputs": len(self.took),
            **{name: self.statuses[name] for name in STATUSES},
            "causes": dict(self.causes),
            "failed": self.failed,
            "size": self.size,
            "seconds": round(self.seconds, 3),
            "median": self.median,
            "longest": max(self.took, default=None),
        }


STATUSES = ("finished", "stale", "edited", "missing", "temporary")


class StaleGroup(NamedTuple):
    """Outputs of one task that are stale for one kind of cause.

    Attributes:
        task: the name of the task.
        kind: the kind of the cause, empty if only its text is known.
        outputs: how many there are.
        examples: location and cause of the first of them.
    """

    task: str
    kind: str
    outputs: int
    examples: Sequence[tuple[str, str]]


class Report(NamedTuple):
    """What a report tells.

    Attributes:
        root: the folder or URL of the outputs.
        made: when it was collected, in seconds since 1970.
        run: the flow run that has just ended, None without one.
        error: the exception with which it ended, None if it returned.
        tasks: the outputs of each task.
        graph: what flows between tasks.
        sessions: when the calls ran, the latest session first.
        task_names: the names behind the numbers of the sessions' tasks.
        runs: the processes behind their numbers: id, host, versions.
        calls: the calls behind the bars.
        rows: the outputs that are listed one by one.
        row_of: the position of a call among these.
        group_of: the group of a failed call among the failures.
        slowest: the outputs that took longest.
        largest: the largest outputs.
        failures: the calls that failed.
        stale: the outputs that are stale.
        previews: what some outputs hold.
        problems: why modules of tasks could not be imported.
    """

    root: str
    made: float
    run: RunSummary | None
    error: BaseException | None
    tasks: Sequence[TaskFacts]
    graph: TaskGraph
    sessions: Sequence[Session]
    task_names: Sequence[str]
    runs: Sequence[Mapping[str, Any]]
    calls: Calls
    rows: Sequence[Row]
    row_of: Mapping[int, int]
    group_of: Mapping[int, int]
    slowest: Sequence[Row]
    largest: Sequence[Row]
    failures: Failures
    stale: Sequence[StaleGroup]
    previews: Sequence[Preview]
    problems: Mapping[str, str]

    @property
    def outputs(self) -> int:
        """How many outputs are known."""
        return sum(len(task.took) for task in self.tasks)

    def to_dict(self) -> dict[str, Any]:
        """Return the counts, the failures and what is stale as plain data."""
        return {
            "root": self.root,
            "outputs": self.outputs,
            "tasks": [task.to_dict() for task in self.tasks],
            "edges": [edge._asdict() for edge in self.graph.edges],
            "slowest": [row._asdict() for row in self.slowest],
            "largest": [row._asdict() for row in self.largest],
            "failures": [
                {"task": group.task, "error": group.error, "count": group.count,
                 "calls": [call._asdict() for call in group.calls]}
                for group in self.failures.groups
            ],
            "stale": [group._asdict() for group in self.stale],
        }  # fmt: skip


def name_of_project(root: str) -> str:
    """Return what to call a project: the last part of its root."""
    return PurePath(root.rstrip("/")).name or root
