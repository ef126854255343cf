"""What a report counts, against a naive count of the same records."""

import tracemalloc
from collections import Counter, defaultdict
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from prefectx import settings, testing
from prefectx.inspection.project import Project
from prefectx.monitoring.summary import Failure as SummaryFailure
from prefectx.monitoring.summary import RunSummary
from prefectx.reports import collect, task_graph
from prefectx.reports.collecting import TOP
from tests.reports import journals

TASKS = st.sampled_from(["a", "b", "c", "d<>&"])
LOCATIONS = st.integers(0, 12).map("working/out-{}.json".format)
LINES = st.lists(
    st.fixed_dictionaries({
        "location": LOCATIONS,
        "task": TASKS,
        "size": st.none() | st.integers(0, 10**9),
        "made": st.integers(0, 5000).map(lambda at: journals.BEGAN + at),
        "seconds": st.floats(0, 100).map(lambda s: round(s, 4)),
        "run": st.integers(0, 3).map(journals.run_name),
        "inputs": st.lists(LOCATIONS, max_size=4),
    }),
    max_size=30,
    unique_by=lambda values: values["made"],
)  # fmt: skip
FAILURES = st.lists(st.tuples(TASKS, st.integers(0, 3), st.sampled_from("xy")), max_size=6)


@given(LINES, FAILURES)
@examples(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_counts(lines, failed):
    with TemporaryDirectory() as name, settings.override(root=name, mode="cache"):
        testing.reset()
        failures = {
            (task, number): journals.failure(
                f"failed/{task}-{number}", task, made=journals.BEGAN + 9000 + number,
                traceback=f'  File "p.py", line {number % 2}, in {where}\n', error="KeyError: 1",
            )
            for task, number, where in failed
        }  # fmt: skip
        records = [
            journals.record(
                **{**line, "inputs": {"parts": [[place, "0" * 32] for place in line["inputs"]]}}
            )
            for line in lines
        ]
        journals.write(Path(name), [*records, *failures.values()])
        report = collect(Project())
        graph = task_graph(Project())

    newest = {}
    for record in sorted(records, key=lambda record: record.made):
        newest[record.location] = record
    found = list(newest.values())
    tasks = {facts.name: facts for facts in report.tasks}
    by_task = defaultdict(list)
    for record in found:
        by_task[record.task].append(record)
    assert tasks.keys() == by_task.keys() | {task for task, _ in failures}
    for name, facts in tasks.items():
        own = by_task[name]
        assert len(facts.took) == len(own) == facts.statuses["missing"]
        assert facts.size == sum(record.size or 0 for record in own)
        assert facts.seconds == pytest.approx(sum(record.seconds for record in own))
        assert facts.failed == sum(task == name for task, _ in failures)
    edges = Counter(
        (newest[place].task, record.task)
        for record in found
        for place in {str(place) for place, _ in record.inputs["parts"]}
        if place in newest
    )
    for drawn in (report.graph, graph):
        assert {(e.source, e.target): e.outputs for e in drawn.edges} == edges
    assert [*report.graph.nodes] == [*graph.nodes]
    assert [row.seconds for row in report.slowest] == sorted(
        (record.seconds for record in found), reverse=True
    )[:TOP]
    assert [row.size or 0 for row in report.largest] == sorted(
        (record.size or 0 for record in found), reverse=True
    )[:TOP]
    assert {row.location for row in report.rows} == newest.keys()
    assert report.outputs == len(found)
    assert report.failures.calls == len(failures)
    groups = Counter((task, f.traceback) for (task, _), f in failures.items())
    assert sorted(g.count for g in report.failures.groups) == sorted(groups.values())
    bars = sum(bar.calls for session in report.sessions for bar in session.bars)
    assert bars == sum(session.calls for session in report.sessions)
    if len(report.sessions) < 10:
        assert bars == len(found) + len(failures)


@pytest.fixture
def here(tmp_path, configure):
    configure('mode = "cache"')
    return tmp_path


def test_of_a_run_that_has_just_ended(here):
    journals.write(here, [journals.record("working/a.txt"), journals.record("working/b.txt"),
                          journals.failure("working/c.txt")])  # fmt: skip
    for name in "ab":
        (here / "working").mkdir(exist_ok=True)
        (here / f"working/{name}.txt").write_text("1")
    run = RunSummary("flow")
    run.keep_stale("clean", str(here / "working/b.txt"), ["an input was made anew"])
    run.failures = [
        SummaryFailure("clean", str(here / "working/c.txt"), "ValueError: no"),
        SummaryFailure("draw", None, "UpstreamError: clean failed, token=abcdef"),
    ]
    report = collect(Project(), run)
    assert {row.location: row.status for row in report.rows} == {
        "working/a.txt": "finished",
        "working/b.txt": "stale",
    }
    (stale,) = report.stale
    assert stale.examples == [("working/b.txt", "an input was made anew")]
    assert report.failures.calls == 2
    named = {group.task: group.error for group in report.failures.groups}
    assert named["clean"] == "ValueError: no"
    assert "abcdef" not in named["draw"]


def test_an_output_that_was_deleted_on_purpose_is_not_missing(here):
    journals.write(here, [journals.record("working/a.txt", temporary=True)])
    (row,) = collect(Project()).rows
    assert row.status == "temporary"


@pytest.mark.slow
def test_memory_of_a_hundred_thousand_outputs(here):
    journals.write(here, journals.large(100_000))
    project = Project()
    assert sum(1 for _ in project.all()) == 100_000  # the records are read
    tracemalloc.start()
    try:
        report = collect(project)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert report.outputs == 100_000
    assert len(report.rows) == 10_000
    assert peak < 100e6
