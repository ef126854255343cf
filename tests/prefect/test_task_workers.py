"""Calls that `.delay` leaves to a task worker, however the worker came to serve the task."""

import importlib
import os
import subprocess
import sys
import textwrap

import pytest

from prefectx import Item, load
from tests.prefect.conftest import using_api, wait_until

TASKS = """
    import prefect
    from prefectx import task

    @task(target="out/double-{x}.json")
    def double(x):
        "Of FOLDER."
        return 2 * x

    @task(target="out/triple-{x}.json")
    async def triple(x):
        "Of FOLDER."
        return 3 * x

    @task(target="out/answer.json")
    def answer():
        "Of FOLDER."
        return 42

    @task(target="out/named-{x}.json", task_run_name="{funcname}-{x}")
    def named(x):
        "Of FOLDER."
        return [prefect.runtime.task_run.name, prefect.runtime.task_run.parameters]
"""
NAMES = ("double", "triple", "answer", "named")
OVER = ("COMPLETED", "FAILED", "CRASHED", "CANCELLED")
WAYS = {
    "prefect task serve": ["-m", "prefect", "task", "serve", *(f"FILE:{name}" for name in NAMES)],
    "prefect.task_worker.serve": [
        "-c",
        f"from MODULE import {', '.join(NAMES)}\n"
        "from prefect.task_worker import serve\n"
        f"serve({', '.join(NAMES)})",
    ],
    "task.aserve": [
        "-c",
        f"import asyncio\nfrom MODULE import {', '.join(NAMES)}\n"
        "async def serve():\n"
        f"    await asyncio.gather({', '.join(f'{name}.aserve()' for name in NAMES)})\n"
        "asyncio.run(serve())",
    ],
}


@pytest.fixture(scope="module", params=WAYS)
def tasks(request, real_server, tmp_path_factory):
    """A module of tasks, which a worker in another folder serves, with another configuration."""
    folder, elsewhere = tmp_path_factory.mktemp("tasks"), tmp_path_factory.mktemp("elsewhere")
    name = f"tasks_of_{request.param_index}"
    file = folder / f"{name}.py"
    # Prefect knows a task by its code: one server serves this module in several test processes.
    file.write_text(textwrap.dedent(TASKS).replace("FOLDER", str(folder)))
    (elsewhere / "prefectx.toml").write_text("root = 'wrong'\n[context]\nx = 'wrong'\n")
    command = [part.replace("FILE", str(file)) for part in WAYS[request.param]]
    known = {"PREFECT_API_URL": real_server.url, "PYTHONPATH": str(folder)}
    with pytest.MonkeyPatch.context() as patched, (elsewhere / "log").open("w") as log:
        patched.syspath_prepend(str(folder))
        worker = subprocess.Popen(
            [sys.executable, *(part.replace("MODULE", name) for part in command)],
            env=os.environ | known,
            cwd=elsewhere,
            stdout=log,
            stderr=log,
        )
        try:
            module = importlib.import_module(name)
            wait_until(lambda: "Subscribing" in (elsewhere / "log").read_text(), 120)
            with using_api(real_server.url):
                yield module
        finally:
            worker.terminate()
            worker.wait(30)
            print((elsewhere / "log").read_text())


def result_of(future, server):
    """Return the result, once the server knows of the end: for a moment a run has no state."""
    this = {"id": {"any_": [str(future.task_run_id)]}}

    def is_over():
        states = [run["state"] for run in server.read("task_runs", task_runs=this)]
        return states and all(state and state["type"] in OVER for state in states)

    wait_until(is_over)
    return future.result(timeout=60)


@pytest.mark.parametrize(
    ("name", "arguments", "output"),
    [
        ("double", (7,), 14),
        ("triple", (7,), 21),
        ("answer", (), 42),
        ("named", (5,), ["named-5", {"x": 5}]),
    ],
)
def test_delay(tasks, real_server, mode, tmp_path, name, arguments, output):
    """A delayed call runs on the worker, under its name; its output is at the caller's target."""
    task = getattr(tasks, name)
    future = task.delay(*arguments)
    result = result_of(future, real_server)
    assert load(result) == output
    if mode == "prefect":
        assert not list(tmp_path.iterdir())
    else:
        assert isinstance(result, Item)
        assert future.item == result
        assert list((tmp_path / "out").iterdir()) == [tmp_path / "out" / result.name]


def test_a_finished_call_is_not_left(tasks, real_server, tmp_path):
    """In the mode skiptask a delayed call whose output exists is over at once."""
    import prefectx

    with prefectx.override(mode="prefect.skiptask", root=tmp_path):
        first = result_of(tasks.double.delay(1), real_server)
        assert tasks.double.delay(1).state.name == "Cached"
        first.delete()
        assert result_of(tasks.double.delay(1), real_server).load() == 2


def test_the_sent_call_shows_nowhere(tasks, real_server, mode):
    """Neither the run at the API nor its log tells of what the call takes along."""
    future = tasks.named.delay(6)
    result_of(future, real_server)
    runs = real_server.read("task_runs", task_runs={"id": {"any_": [str(future.task_run_id)]}})
    lines = real_server.read("logs", logs={"task_run_id": {"any_": [str(future.task_run_id)]}})
    assert set(runs[0]["task_inputs"]) == {"x"}
    assert "prefectx_call" not in str([runs, lines])


def test_further_inputs_are_in_the_graph(tasks, real_server, tmp_path):
    """`dependencies` of `apply_async` are inputs of the run, as in Prefect."""
    from prefect.client.schemas.objects import Parameter

    import prefectx

    with prefectx.override(mode="prefect.skiptask", root=tmp_path):
        future = tasks.double.apply_async((9,), dependencies={"x": {Parameter(name="n")}})
    this = {"id": {"any_": [str(future.task_run_id)]}}
    [run] = wait_until(lambda: real_server.read("task_runs", task_runs=this))
    assert run["task_inputs"] == {"x": [{"input_type": "parameter", "name": "n"}]}
