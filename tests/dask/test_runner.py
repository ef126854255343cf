"""Flows on a scheduler and workers that were started by hand, elsewhere."""

import os
from pathlib import Path

import distributed
import pytest

import prefectx
from prefectx.errors import ConfigError
from tests.dask import jobs
from tests.pipeline import EXPECTED, pipeline

MODES = ["prefect", "prefect.cachetask", "prefect.skiptask"]


@pytest.mark.parametrize("mode", MODES)
def test_the_answer_is_that_of_every_runner(on_dask, mode):
    """The pipeline of the modes' contract gives the same data on Dask."""
    with prefectx.override(mode=mode):
        assert prefectx.load(pipeline(4)) == EXPECTED


def test_nothing_is_looked_up_on_a_worker(on_dask, tmp_path):
    """Workers run in another folder with a broken configuration, and keep outputs here."""
    places = jobs.places()
    assert {place["mode"] for place in places} == {"function"}
    assert str(tmp_path) not in {place["folder"] for place in places}
    assert len(list(tmp_path.glob("where/*.json"))) == 4


def test_finished_calls_never_reach_the_cluster(on_dask, tmp_path):
    """A second run gives the same outputs without a worker."""
    first = jobs.places()
    with prefectx.override(dask={"address": "tcp://127.0.0.1:1"}):
        assert jobs.places() == first


def test_no_more_calls_run_on_a_worker_than_fit_its_memory(on_dask):
    """Calls of 600 MB on workers of 1 GB run one at a time on each."""
    spans = jobs.spans()
    for one in spans:
        for other in spans:
            if one is not other and one["process"] == other["process"]:
                assert one["ended"] <= other["begun"] or other["ended"] <= one["begun"]


def test_asking_for_more_than_any_worker_has_is_an_error_at_submit(on_dask):
    """It names the task and both figures, and does not wait for ever."""
    with pytest.raises(ConfigError, match=r"'enormous' needs 100 GB .* has 1 GB"):
        jobs.too_much()


def test_calls_of_a_higher_priority_come_first(on_dask):
    """What is submitted last is not run last."""
    *late, first = jobs.by_priority()
    assert first < max(late)


def on_workers(*names: str):
    return prefectx.override(tasks={"where": {"dask": {"workers": names}}}, refresh=True)


def test_the_workers_may_be_chosen(on_dask, address):
    """Calls go to the workers that are given by name or address, to them only."""
    with distributed.Client(address, set_as_default=False) as client:
        workers = client.run(os.getpid)
    for worker, pid in workers.items():
        with on_workers(worker):
            assert {place["process"] for place in jobs.places()} == {pid}
    with on_workers("one"):
        (process,) = {place["process"] for place in jobs.places()}
    assert process in workers.values()


def test_a_worker_that_is_not_there_is_an_error_at_submit(on_dask):
    """It names the task, the worker and those that are there, and does not wait for ever."""
    with on_workers("nobody"), pytest.raises(ConfigError, match=r"'where' .*'nobody' .* one, tcp"):
        jobs.places()


def test_the_environment_is_left_as_it_was(on_dask, api_url):
    """Connecting to a cluster changes no variable of the flow's process."""
    before = dict(os.environ)
    jobs.places()
    assert dict(os.environ) == before


def test_the_scheduler_forgets_calls_that_are_over(on_dask, address):
    """After a flow the scheduler knows no tasks of it, and the workers no context."""
    jobs.places()
    with distributed.Client(address, set_as_default=False) as client:
        tasks = client.run_on_scheduler(lambda dask_scheduler: len(dask_scheduler.tasks))
        plugins = client.run(lambda dask_worker: list(dask_worker.plugins))
    assert tasks == 0
    assert not [name for names in plugins.values() for name in names if "prefectx" in name]


def test_a_runner_in_the_decorator(on_dask, address):
    """dask_runner() is for those who name a runner; wrong keys are reported where it is made."""
    with prefectx.override(runner={"type": "threads"}, dask={}):
        flow = jobs.places.with_options(task_runner=prefectx.dask_runner(address=address))
        assert os.getpid() not in {place["process"] for place in flow()}
    with pytest.raises(ConfigError, match="adress"):
        prefectx.dask_runner(adress=address)


def test_outputs_are_ordinary_files(on_dask, tmp_path: Path):
    """What a worker has saved is where the flow's process expects it."""
    jobs.places()
    assert sorted(path.name for path in (tmp_path / "where").iterdir()) == [
        "0.json",
        "1.json",
        "2.json",
        "3.json",
    ]


@pytest.mark.slow
def test_finished_calls_take_little_memory(on_dask):
    """A few kilobytes each while its future is kept, and a fraction of them after."""
    kept, dropped = jobs.held_after(warm_up=60, calls=120)
    assert kept < 4000
    assert dropped < 2000


def test_futures_of_finished_calls_hold_no_data(on_dask):
    """What a future of a finished call holds does not depend on the size of its output."""
    sizes = jobs.futures_of([10, 1_000_000])
    assert abs(sizes[0] - sizes[1]) < 100
