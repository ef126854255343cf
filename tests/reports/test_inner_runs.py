"""Counts of a run together with those of the runs of flows that it called."""

from dataclasses import fields

from hypothesis import given
from hypothesis import strategies as st

from prefectx.monitoring.summary import Failure, RunSummary, TaskSummary
from prefectx.reports.inner_runs import with_inner_runs

COUNTED = [field.name for field in fields(TaskSummary) if field.type == "int"]


@st.composite
def runs(draw, depth: int = 2) -> RunSummary:
    tasks = draw(st.lists(st.sampled_from("abc"), unique=True, max_size=3))
    counts = {
        name: TaskSummary(
            **{each: draw(st.integers(0, 9)) for each in COUNTED},
            longest=draw(st.floats(0, 9)),
        )
        for name in tasks
    }
    failures = [Failure(name, None, "no") for name in tasks]
    stale = {name: {draw(st.sampled_from("xy")): ("why",)} for name in tasks}
    run = RunSummary("flow", tasks=counts, failures=failures, stale=stale)
    run.inner = draw(st.lists(runs(depth - 1), max_size=2)) if depth else []
    return run


def flat(run: RunSummary) -> list[RunSummary]:
    return [run, *(part for inner in run.inner for part in flat(inner))]


@given(runs())
def test_every_count_is_the_sum_of_all_runs(run):
    found, parts = with_inner_runs(run), flat(run)
    assert found.tasks.keys() == {name for part in parts for name in part.tasks}
    for name, counts in found.tasks.items():
        own = [part.tasks[name] for part in parts if name in part.tasks]
        for each in COUNTED:
            assert getattr(counts, each) == sum(getattr(one, each) for one in own)
        assert counts.longest == max(one.longest for one in own)
    assert len(found.failures) == sum(len(part.failures) for part in parts)
    assert {(t, place) for t, places in found.stale.items() for place in places} == {
        (t, place) for part in parts for t, places in part.stale.items() for place in places
    }
    assert found.inner == run.inner
    assert run.tasks is not found.tasks
