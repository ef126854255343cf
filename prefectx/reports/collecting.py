"""Collects what a report tells, from the records of a project, in one pass over its outputs."""

from __future__ import annotations

import heapq
import time
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from prefectx.inspection.output import Output
from prefectx.inspection.project import Project
from prefectx.masking import mask_urls
from prefectx.monitoring.summary import RunSummary
from prefectx.reports.facts import Report, Row, StaleGroup, TaskFacts
from prefectx.reports.failures import failures_of
from prefectx.reports.graph import TaskFlow, TaskNode
from prefectx.reports.html_text import shortened
from prefectx.reports.previews import Previews
from prefectx.reports.timeline import Calls, sessions
from prefectx.stores import Filestore

TOP = 15
DETAILS = 10_000
"""So many outputs are listed one by one: those that are not finished, then the latest."""
_ARGUMENTS, _CAUSE = 160, 300
_EXAMPLES = 5


class _Top:
    """The outputs with the largest keys, so many of them; a row is made only of those."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._found: list[tuple[tuple[float, ...], int, Row]] = []

    def offer(self, key: tuple[float, ...], number: int, seen: _Seen) -> None:
        if len(self._found) < self._limit:
            heapq.heappush(self._found, (key, -number, seen.row()))
        elif (key, -number) > self._found[0][:2]:
            heapq.heapreplace(self._found, (key, -number, seen.row()))

    def best(self) -> list[tuple[int, Row]]:
        return [(-number, row) for _, number, row in sorted(self._found, reverse=True)]


class _Seen(NamedTuple):
    """An output, with what was found out about it."""

    output: Output
    status: str
    causes: tuple[tuple[str, str], ...]

    def row(self) -> Row:
        output, record = self.output, self.output.record
        given = ", ".join(f"{name}={value}" for name, value in output.arguments.items())
        return Row(
            output.location, output.task, self.status, record.size, record.made, record.seconds,
            shortened(given, _ARGUMENTS), tuple(shortened(text, _CAUSE) for _, text in self.causes),
        )  # fmt: skip


def collect(
    project: Project,
    run: RunSummary | None = None,
    error: BaseException | None = None,
    *,
    previews: bool = True,
) -> Report:
    """Collect what a report tells; memory grows little with the number of outputs.

    Parameters:
        project: the project.
        run: a flow run that has just ended in this process. Its counts are told too, and what is
            stale is what it found: nothing is imported or compared once more, and nothing behind
            URLs is asked for.
        error: the exception with which it ended.
        previews: whether to show what some outputs hold.
    """
    return _Collector(project, run, error, previews).report()


class _Collector:
    """Counts outputs as they come."""

    def __init__(
        self,
        project: Project,
        run: RunSummary | None,
        error: BaseException | None,
        previews: bool,
    ) -> None:
        self._project, self._run, self._error = project, run, error
        for records in project.records():
            records.refresh()
        self._tasks: dict[str, TaskFacts] = {}
        self._numbers: dict[str, int] = {}
        self._runs: dict[tuple[str, str], int] = {}
        self._facts_of_runs: list[Mapping[str, Any]] = []
        self._calls = Calls()
        self._flow = TaskFlow(project)
        self._slowest, self._largest, self._details = _Top(TOP), _Top(TOP), _Top(DETAILS)
        self._stale: dict[tuple[str, str], tuple[int, list[tuple[str, str]]]] = {}
        self._previews = Previews(is_on=previews)

    def report(self) -> Report:
        """Look at all outputs and failures, and return the report."""
        for number, seen in enumerate(self._outputs()):
            self._count(number, seen)
        failures = failures_of(self._project, self._run)
        group_of: dict[int, int] = {}
        for (failure, records), group in zip(failures.found, failures.numbers, strict=True):
            self._facts(failure.task).failed += 1
            process = self._process(failure.run, records.run(failure.run))
            if group is not None:
                group_of[len(self._calls)] = group
            self._calls.add(failure.made, 0.0, self._number(failure.task), process, failed=True)
        rows = self._details.best()
        graph = self._flow.graph({facts.name: _node(facts) for facts in self._tasks.values()})
        return Report(
            mask_urls(self._project.root), time.time(), self._run, self._error,
            [self._tasks[node.name] for node in graph.nodes], graph,
            sessions(self._calls, self._name_of_run),
            list(self._numbers), self._facts_of_runs, self._calls,
            [row for _, row in rows],
            {number: position for position, (number, _) in enumerate(rows)}, group_of,
            [row for _, row in self._slowest.best()],
            [row for _, row in self._largest.best()],
            failures,
            [StaleGroup(*key, *found) for key, found in
             sorted(self._stale.items(), key=lambda pair: -pair[1][0])],
            self._previews.made(graph),
            self._project.tasks.problems,
        )  # fmt: skip

    def _outputs(self) -> Iterator[_Seen]:
        for output in self._project.all():
            status, causes = self._asked(output) if self._run is None else self._told(output)
            if status == "missing" and output.record.temporary:
                status = "temporary"
            yield _Seen(output, status, causes)

    def _asked(self, output: Output) -> tuple[str, tuple[tuple[str, str], ...]]:
        """Compare an output with its record and its task; return its state and the causes."""
        causes = output.stale.causes if output.stale is not None else ()
        return output.status, tuple((cause.kind, cause.text) for cause in causes)

    def _told(self, output: Output) -> tuple[str, tuple[tuple[str, str], ...]]:
        """Return the state of an output as the run has found it."""
        assert self._run is not None
        location = output.item.location
        causes = self._run.stale.get(output.task, {}).get(location, ())
        # To look for it costs a request if it is no local file.
        is_local = isinstance(output.item.store, Filestore) and "://" not in location
        if is_local and not output.exists:
            return "missing", ()
        return "stale" if causes else "finished", tuple(("", text) for text in causes)

    def _count(self, number: int, seen: _Seen) -> None:
        output, record = seen.output, seen.output.record
        facts = self._facts(record.task)
        facts.statuses[seen.status] += 1
        facts.causes.update({kind for kind, _ in seen.causes if kind})
        facts.size += record.size or 0
        facts.took.append(record.seconds)
        facts.files += len(record.files)
        self._flow.add(record, output.records.folder)
        process = self._process(record.run, output.records.run(record.run))
        begin = record.made - record.seconds
        self._calls.add(begin, record.seconds, self._number(record.task), process)
        self._slowest.offer((record.seconds,), number, seen)
        self._largest.offer((record.size or 0,), number, seen)
        is_wrong = seen.status in ("stale", "edited", "missing")
        self._details.offer((float(is_wrong), record.made), number, seen)
        if seen.status == "finished" and self._previews.wants(record):
            self._previews.offer(output)
        for kind in dict.fromkeys(kind for kind, _ in seen.causes):
            count, examples = self._stale.get((record.task, kind), (0, []))
            if len(examples) < _EXAMPLES:
                text = "; ".join(text for each, text in seen.causes if each == kind)
                examples.append((output.location, shortened(text, _CAUSE)))
            self._stale[record.task, kind] = count + 1, examples

    def _facts(self, task: str) -> TaskFacts:
        facts = self._tasks.get(task)
        if facts is None:
            facts = self._tasks[task] = TaskFacts(task)
        return facts

    def _number(self, task: str) -> int:
        return self._numbers.setdefault(task, len(self._numbers))

    def _name_of_run(self, process: int) -> tuple[str, ...]:
        facts = self._facts_of_runs[process]
        return str(facts.get("host", "")), str(facts["run"])

    def _process(self, run: str, facts: Mapping[str, Any]) -> int:
        key = run, str(facts.get("host", ""))
        number = self._runs.get(key)
        if number is None:
            number = self._runs[key] = len(self._runs)
            self._facts_of_runs.append({"run": run, **facts})
        return number


def _node(facts: TaskFacts) -> TaskNode:
    return TaskNode(
        facts.name, len(facts.took), facts.failed, facts.size, facts.seconds, facts.files
    )
