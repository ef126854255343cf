"""Records and stale outputs on every runner, with and without Prefect."""

import pytest

from tests.records import project
from tests.records.project import replace, run

ALL = ["clean a", "clean b", "report", "total"]


def check(folder, **variables):
    """Run, change a file, the code and an output in turn, and see what runs again."""
    project.write(folder)
    assert run(folder, **variables).ran == ALL
    nothing = run(folder, PREFECTX_STALE="rerun", **variables)
    assert (nothing.ran, nothing.stale) == ([], {}), nothing.output
    replace(folder, "raw/a.txt", "1", "10")
    kept = run(folder, **variables)
    assert kept.ran == []
    assert list(kept.stale) == ["clean"], kept.output
    refused = run(folder, PREFECTX_STALE="error", **variables)
    assert refused.error == "StaleError", refused.output
    again = run(folder, PREFECTX_STALE="rerun", **variables)
    assert again.ran == ["clean a", "report", "total"], again.output
    replace(folder, "pipeline.py", "+ offset\n", "- offset\n")
    same = run(folder, PREFECTX_STALE="rerun", **variables)
    assert same.ran == ["total"], same.output  # it came back the same
    (folder / "working/clean/b.json").unlink()
    same = run(folder, PREFECTX_STALE="rerun", **variables)
    assert same.ran == ["clean b"], same.output
    assert same.result == again.result


@pytest.mark.parametrize("runner", ["inline", "threads", "processes"])
def test_runners_of_cache_mode(runner, tmp_path):
    check(tmp_path, PREFECTX_RUNNER__TYPE=runner)


@pytest.mark.dask
def test_dask_without_prefect(tmp_path):
    check(tmp_path, PREFECTX_RUNNER__TYPE="dask", PREFECTX_DASK__WORKERS="2")


@pytest.mark.prefect
@pytest.mark.slow
@pytest.mark.parametrize("runner", ["threads", "processes"])
@pytest.mark.parametrize("mode", ["prefect.skiptask", "prefect.cachetask"])
def test_prefect(mode, runner, tmp_path, prefect_api):
    check(tmp_path, PREFECTX=mode, PREFECTX_RUNNER__TYPE=runner, PREFECT_API_URL=prefect_api)


@pytest.mark.prefect
@pytest.mark.dask
@pytest.mark.slow
def test_prefect_on_dask(tmp_path, prefect_api):
    check(
        tmp_path,
        PREFECTX="prefect.skiptask",
        PREFECTX_RUNNER__TYPE="dask",
        PREFECTX_DASK__WORKERS="2",
        PREFECT_API_URL=prefect_api,
    )


def test_a_worker_with_older_code_fails_the_call(tmp_path):
    """A process that has loaded the code before it was changed must not make the output."""
    project.write(tmp_path)
    (tmp_path / "helpers.py").write_text("def twice(x):\n    return 2 * x\n")
    (tmp_path / "tasks_of_old.py").write_text(TASKS)
    (tmp_path / "old.py").write_text(PROGRAM)
    said = project.python(
        tmp_path, "old.py", PREFECTX_RUNNER__TYPE="processes", PREFECTX_RUNNER__MAX_WORKERS="1"
    )
    assert "restart the worker" in said, said
    assert "WorkerError" in said


TASKS = """
import helpers
from prefectx import task


@task(target="{x}.json")
def work(x):
    return helpers.twice(x)
"""
PROGRAM = """
import importlib
import pathlib
import time

import prefectx
import tasks_of_old


def edit():
    time.sleep(0.05)
    path = pathlib.Path("helpers.py")
    path.write_text(path.read_text().replace("2 * x", "3 * x"))
    importlib.invalidate_caches()
    importlib.reload(tasks_of_old.helpers)
    importlib.reload(tasks_of_old)


@prefectx.flow
def both():
    print(prefectx.load(tasks_of_old.work.submit(1)))
    edit()
    try:
        print("GOT", prefectx.load(tasks_of_old.work.submit(2)))
    except Exception as error:
        print(type(error).__name__, error)


if __name__ == "__main__":
    both()
"""
