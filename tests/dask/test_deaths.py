"""Workers that die: who is to blame, who tries again, and what is said in the end."""

from pathlib import Path

import pytest

import prefectx
from prefectx.errors import WorkerError
from tests.dask import jobs

pytestmark = pytest.mark.slow


def calls(folder: Path) -> list[str]:
    return sorted((folder / "calls").read_text().split())


def test_a_killed_worker_costs_only_the_call_that_it_ran(on_local_cluster, tmp_path):
    """The run ends with every output right; finished calls are not executed again."""
    assert jobs.survives(str(tmp_path)) == sum(range(6))
    executed = calls(tmp_path)
    assert executed.count("2") == 2
    assert set(executed) == set("012345")
    assert len(executed) <= 8


@pytest.fixture
def on_silent_workers(on_local_cluster):
    """A worker that is not heard of for five seconds counts as lost."""
    with prefectx.override(dask={"workers": 1, "worker_ttl": "5s", "allowed_failures": 0}):
        yield


def test_a_call_whose_worker_is_cut_off_is_tried_again(on_silent_workers, tmp_path):
    """A worker that has fallen silent is replaced, and the call ends as if nothing had been."""
    assert jobs.cut_off(7, 1, str(tmp_path)) == 7
    assert calls(tmp_path) == ["7", "7"]


def test_a_call_that_is_cut_off_each_time_is_crashed(
    on_silent_workers, tmp_path, task_runs, flow_state
):
    """It is tried as often as its retries say; the flow fails, and the error says what to raise."""
    flow = jobs.cut_off.with_options(name="always-cut-off")
    with pytest.raises(WorkerError, match=r"freeze\(n=8, times=9, .*cut off\? Raise .*retries"):
        flow(8, 9, str(tmp_path))
    assert calls(tmp_path) == ["8", "8"]
    (run,) = task_runs("always-cut-off", 1).values()
    assert run["state_type"] == "CRASHED"
    assert flow_state("always-cut-off") == "FAILED"


def test_a_call_that_uses_up_the_memory_is_crashed(on_local_cluster, tmp_path, task_runs):
    """It runs once, ends Crashed in the API, and the flow fails; the others are completed."""
    with pytest.raises(WorkerError, match=r"hog\(n=1, .*used .* may use .*memory_limit"):
        jobs.hungry(str(tmp_path))
    assert calls(tmp_path) == ["1"]
    states = {name: run["state_type"] for name, run in task_runs("hungry", 3).items()}
    assert [state for name, state in states.items() if name.startswith("hog")] == ["CRASHED"]
    assert states["ordered-0"] == states["ordered-1"] == "COMPLETED"
