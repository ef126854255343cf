"""Tasks of the mode cache in a Prefect flow: on the flow's runner, without a task run each."""

import pytest

import prefectx
from prefectx import allow_failure, flow, load, wait
from prefectx.errors import UpstreamError
from tests.engines import runner_tasks as tasks
from tests.prefect.conftest import using_api

RUNNERS = ["inline", "threads", "processes", pytest.param("dask", marks=pytest.mark.dask)]
WITHOUT = {name: {"mode": "cache"} for name in ("double", "meet", "bad")}


@pytest.fixture(params=RUNNERS)
def runner(request, real_server, tmp_path):
    """The flow's runner; three of the tasks run without Prefect."""
    chosen = {
        "mode": "prefect.skiptask",
        "root": tmp_path,
        "runner": {"type": request.param, "max_workers": 2},
        "dask": {"workers": 2, "threads_per_worker": 1},
        "tasks": WITHOUT,
    }
    with using_api(real_server.url), prefectx.override(**chosen):
        yield request.param


def test_they_are_part_of_the_flow(runner, real_server):
    """Tasks with and without Prefect take each other's outputs; only the ones have task runs."""

    @flow
    def both():
        doubled = tasks.double.map(range(4))
        total = tasks.total.submit(doubled)
        again = tasks.double.with_options(target="again/{x}.json").submit(total)
        assert wait([total, again, *doubled]).not_done == set()
        return load([total, again])

    assert both() == [12, 24]
    counts = both.last_run.tasks
    assert (counts["double"].ran, counts["total"].ran) == (5, 1)
    this = {"id": {"any_": [str(both.last_run.engine_run.id)]}}
    found = real_server.read("task_runs", flow_runs=this)
    assert [run["name"].split("-")[0] for run in found] == ["total"]
    assert both() == [12, 24]
    assert both.last_run.tasks["double"].ran == 0


def test_they_run_side_by_side(runner, tmp_path):
    """Two that wait for each other end."""
    if runner == "inline":
        pytest.skip("one by one")

    @flow
    def meeting():
        return load(tasks.meet.map([1, 2], 2, str(tmp_path / "met")))

    assert meeting() == [1, 2]


def test_their_failures(runner):
    """What needs a failed one fails; what allows the failure gets the exception."""

    @flow
    def failing():
        failed = tasks.bad.submit(1)
        needs_it = tasks.total.submit([failed])
        takes_it = tasks.kept_nowhere.submit(allow_failure(failed))
        wait([failed, needs_it, takes_it])
        with pytest.raises(UpstreamError, match="ValueError: no 1"):
            needs_it.result()
        return [str(error) for error in load(takes_it)]

    assert failing() == ["no 1"] * 3
    assert failing.last_run.tasks["bad"].failed == 1
