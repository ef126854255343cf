"""Clusters that live as long as a flow, and the memory of their workers."""

import os
import shutil
import subprocess
import sys

import dask
import pytest

import prefectx
from tests.dask import jobs
from tests.pipeline import EXPECTED, pipeline

glibc = pytest.mark.skipif(sys.platform != "linux", reason="the allocator has no such call")


def test_the_process_is_left_as_it_was(on_local_cluster):
    """Neither variables nor Dask's configuration change for good; the workers get theirs."""
    before, configured = dict(os.environ), dask.config.collect()
    own = {"environ": {"OMP_NUM_THREADS": "3", "OF_THE_RUN": "yes"}, "terminate": 0.9, "pause": 0.7}
    with prefectx.override(dask=own):
        assert jobs.variables("OMP_NUM_THREADS", "OF_THE_RUN") == ["3", "yes"]
    assert dict(os.environ) == before
    assert dask.config.collect() == configured
    assert dask.config.get("distributed.worker.memory.terminate") == 0.95


@glibc
@pytest.mark.slow
@pytest.mark.parametrize(("trim", "kept"), [(True, False), (False, True)])
def test_freed_memory_goes_back(on_local_cluster, trim, kept):
    """What a call has freed no longer counts for the worker, unless trim is off."""
    with prefectx.override(dask={"trim": trim, "workers": 1}):
        (megabytes,) = jobs.memory_after(300).values()
    assert (megabytes > 350) == kept


@glibc
@pytest.mark.slow
def test_the_first_result_of_a_worker_is_let_go(on_local_cluster):
    """Prefect's background threads do not hold on to what the first task run returned."""
    with prefectx.override(dask={"memory_limit": "3GB", "workers": 1}):
        (megabytes,) = jobs.memory_after_first(300).values()
    assert megabytes < 350


AFTER_A_FAILURE = """
import sys
from prefectx import dask_runner, flow, load, task

@task
def slow(x):
    import time
    time.sleep(0.5)
    return x

def body(fails):
    futures = [slow.submit(x) for x in range(4)]
    if fails:
        raise RuntimeError("the flow fails")
    return [load(future.result()) for future in futures]

@flow(task_runner=dask_runner(workers=1))
def once(fails):
    return body(fails)

tried = []

@flow(task_runner=dask_runner(workers=1), retries=1)
def again():
    tried.append(1)
    return body(len(tried) == 1)

if __name__ == "__main__":
    try:
        once(True)
    except RuntimeError as error:
        print(error)
    print(once(False))
    print(again())
"""


def test_the_run_after_a_failed_one_is_clean(api_url, tmp_path):
    """Calls that were under way when a flow failed run in the next one, also in its own retry."""
    script = tmp_path / "script.py"
    script.write_text(AFTER_A_FAILURE)
    done = subprocess.run(
        [sys.executable, script],
        env=os.environ | {"PREFECT_API_URL": api_url, "PREFECTX": "prefect.skiptask"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.stdout.splitlines() == ["the flow fails", "[0, 1, 2, 3]", "[0, 1, 2, 3]"], (
        done.stderr
    )
    # Dask's own lines about each worker are not shown.
    assert "distributed.worker" not in done.stderr
    assert "Start worker at" not in done.stderr


def test_threads_of_the_flow_as_workers(api_url, tmp_path):
    """processes = false makes workers of threads, with the same answers."""
    dask_options = {"processes": False, "workers": 1, "threads_per_worker": 2}
    with prefectx.override(root=tmp_path, runner={"type": "dask"}, dask=dask_options):
        assert {place["process"] for place in jobs.places()} == {os.getpid()}


@pytest.mark.slow
def test_every_runner_gives_the_same_outputs(api_url, address, tmp_path):
    """Threads, processes, a local cluster and one elsewhere: the same answer, the same files."""
    local, elsewhere = {"workers": 2, "memory_limit": "1GB"}, {"address": address}
    runners = [("threads", {}), ("processes", {}), ("dask", local), ("dask", elsewhere)]
    outputs, root = [], tmp_path / "outputs"
    for kind, dask_options in runners:
        runner = {"type": kind, "max_workers": 2}
        with prefectx.override(root=root, runner=runner, dask=dask_options):
            assert prefectx.load(pipeline(4)) == EXPECTED
        files = [path for path in root.rglob("*") if path.is_file()]
        files = [path for path in files if ".prefectx" not in path.parts]
        outputs.append({str(path): path.read_bytes() for path in files})
        shutil.rmtree(root)
    assert all(output == outputs[0] for output in outputs)
