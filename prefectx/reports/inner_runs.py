"""A flow run together with the runs of the flows that it called."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from prefectx.monitoring.summary import RunSummary, TaskSummary

_COUNTED = ("skipped", "running", "ran", "failed", "not_run", "not_needed", "deleted")


def with_inner_runs(run: RunSummary) -> RunSummary:
    """Return a copy with the counts, failures and stale outputs of inner runs among its own."""
    found = replace(run, tasks={}, failures=[], stale={})
    for part in _parts(run):
        for name, counts in part.tasks.items():
            found.tasks[name] = _sum(found.tasks.get(name, TaskSummary()), counts)
        found.failures += part.failures
        for name, outputs in part.stale.items():
            found.stale[name] = {**found.stale.get(name, {}), **outputs}
    return found


def _parts(run: RunSummary) -> Iterator[RunSummary]:
    yield run
    for inner in run.inner:
        yield from _parts(inner)


def _sum(one: TaskSummary, other: TaskSummary) -> TaskSummary:
    counts = {name: getattr(one, name) + getattr(other, name) for name in _COUNTED}
    return TaskSummary(**counts, longest=max(one.longest, other.longest))
