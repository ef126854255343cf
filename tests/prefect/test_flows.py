"""What people do with Prefect's flows, in the three Prefect modes."""

import asyncio
import time
from pathlib import Path
from uuid import uuid4

import prefect
import pytest
from prefect import task as stock_task
from prefect.assets import materialize
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import GlobalConcurrencyLimitCreate
from prefect.concurrency.sync import concurrency
from prefect.exceptions import ParameterTypeError
from prefect.task_runners import ProcessPoolTaskRunner, ThreadPoolTaskRunner
from prefect.transactions import transaction

import prefectx
from prefectx import flow, load, task
from tests.prefect.conftest import wait_until

pytestmark = pytest.mark.usefixtures("server")


def test_flow_is_a_prefect_flow(mode):
    """A decorated function is Prefect's own kind of flow."""

    @flow(name="My flow", retries=2, log_prints=True, description="d")
    def pipeline(x: int):
        """Run."""

    assert isinstance(pipeline, prefect.Flow)
    assert (pipeline.name, pipeline.retries, pipeline.description) == ("My flow", 2, "d")
    assert (pipeline.__name__, pipeline.__doc__) == ("pipeline", "Run.")
    other = pipeline.with_options(name="Other", retries=0)
    assert (type(other), other.name, other.retries) == (type(pipeline), "Other", 0)


def test_parameters_are_checked(mode):
    """Parameters are converted by their annotations; items pass unchecked."""

    @task
    def one():
        return 1

    @flow
    def child(x: int):
        return load(x) + 1

    @flow
    def parent():
        return child(one.submit()), child("5")

    assert parent() == (2, 6)
    with pytest.raises(ParameterTypeError, match="valid integer"):
        child("not a number")


def test_flow_retries_and_hooks(mode):
    """A flow's retries, its hooks and its timeout are Prefect's."""
    seen, runs = [], []

    @task
    def work():
        return len(runs)

    @flow(retries=1, retry_delay_seconds=0)
    def flaky():
        runs.append(1)
        work()
        if len(runs) == 1:
            raise ValueError("not yet")

    @flaky.on_completion
    def noted(flow, run, state):
        seen.append(state.name)

    flaky()
    assert (len(runs), seen) == (2, ["Completed"])

    @flow(timeout_seconds=0.2)
    def slow():
        for _ in range(40):
            time.sleep(0.05)

    assert slow(return_state=True).name == "TimedOut"


def test_a_rolled_back_output_is_gone(mode, tmp_path):
    """A transaction that is rolled back calls the hooks, and the output is made anew next time."""
    seen = []

    @task(target="out/written.json")
    def write():
        return 1

    @write.on_rollback
    def undo(transaction):
        seen.append("undone")

    @flow
    def pipeline():
        with transaction():
            write()
            raise ValueError("no")

    assert pipeline(return_state=True).is_failed()
    assert seen == ["undone"]
    assert not (tmp_path / "out/written.json").exists()


def test_a_committed_output_stays(caching, tmp_path):
    """A transaction that is committed calls its hooks and leaves the output."""
    seen = []

    @task(target="out/written.json", on_commit=[lambda transaction: seen.append("committed")])
    def write():
        return 1

    @flow
    def pipeline():
        with transaction():
            write()

    pipeline()
    assert seen == ["committed"]
    assert (tmp_path / "out/written.json").exists()


def test_a_returned_state_is_the_runs_state(mode, tmp_path):
    """A task that returns a failed state has failed, and nothing is kept."""
    from prefect.states import Completed, Failed

    @task(target="out/failed.json")
    def give_up():
        return Failed(message="gave up")

    @task(target="out/completed.json")
    def succeed():
        return Completed(message="fine", data=5)

    @flow
    def pipeline():
        assert give_up(return_state=True).is_failed()
        assert give_up.submit(return_state=True).is_failed()
        return load(succeed(return_state=True))

    assert pipeline() == 5
    assert not (tmp_path / "out/failed.json").exists()


def test_concurrency_limits(mode):
    """Concurrency limits hold inside tasks."""

    @task
    def limited(x):
        with concurrency("a-limit", occupy=1):
            return x

    @flow
    def pipeline():
        return load(limited(1))

    assert pipeline() == 1


def test_limits_of_tags(mode, server):
    """No more runs with a tag go on at a time than its limit says."""
    tag, spans = f"limited-{uuid4().hex}", []
    with get_client(sync_client=True) as client:
        limit = GlobalConcurrencyLimitCreate(name=f"tag:{tag}", limit=1)
        client.create_global_concurrency_limit(limit)

    @task(tags=[tag])
    def limited(x):
        began = time.monotonic()
        time.sleep(0.5)
        spans.append((began, time.monotonic()))

    @flow
    def pipeline():
        limited.map([1, 2]).wait()

    pipeline()
    (_, end_of_first), (start_of_second, _) = sorted(spans)
    assert end_of_first < start_of_second


def test_assets(mode, server):
    """Prefect's `materialize` takes a task as it takes a function; its asset is in the events."""
    key, ran = f"s3://bucket/{uuid4().hex}.json", []

    @materialize(key)
    @task(target="out/report.json")
    def report():
        ran.append(1)
        return [1]

    @flow
    def pipeline():
        return load(report())

    assert [pipeline(), pipeline()] == [[1], [1]]
    assert len(ran) == (2 if mode == "prefect" else 1)
    events = wait_until(lambda: server.read("events", filter={"resource": {"id": [key]}})["events"])
    assert events[0]["event"] == "prefect.asset.materialization.succeeded"


def test_process_pool(mode, module):
    """Tasks run in a process pool, those of a module and those defined on the spot."""

    @task(target="out/local-{x}.json")
    def local(x, add):
        return x + add

    @flow(task_runner=ProcessPoolTaskRunner(max_workers=1))
    def pipeline():
        first = module.double.submit(4)
        return load([first, local.submit(1, add=first), module.triple.submit(1)])

    assert pipeline() == [8, 9, 3]
    assert pipeline() == [8, 9, 3]


def test_runner_comes_from_the_configuration(mode):
    """A flow's runner is that of the decorator, else that of `[runner]`."""

    @flow
    def configured(): ...

    @flow(task_runner=ThreadPoolTaskRunner(max_workers=3))
    def chosen(): ...

    with prefectx.override(runner={"type": "processes", "max_workers": 2}):
        assert isinstance(configured.task_runner, ProcessPoolTaskRunner)
        assert isinstance(chosen.task_runner, ThreadPoolTaskRunner)
    assert isinstance(configured.task_runner, ThreadPoolTaskRunner)


def test_entrypoint(mode, module):
    """Prefect loads a flow from its entrypoint, and runs it by its own engine."""
    from prefect.flow_engine import run_flow
    from prefect.flows import load_flow_from_entrypoint

    loaded = load_flow_from_entrypoint(f"{module.__file__}:pipeline")
    assert isinstance(loaded, prefect.Flow)
    assert run_flow(loaded, parameters={"n": 3}) == 6


def test_from_source(mode, module):
    """`from_source` gives the flow of a file."""
    folder = str(Path(module.__file__).parent)
    found = flow.from_source(folder, f"{Path(module.__file__).name}:pipeline")
    assert found.name == "pipeline"
    assert found(3) == 6


def test_a_task_of_another_mode(mode):
    """A task's own mode holds inside a flow of another."""

    @task
    def bare(x):
        return x + 1

    @task
    def usual(x):
        return x * 2

    @flow
    def pipeline():
        future = bare.submit(1)
        return load(usual.submit(future)), bare(usual.submit(4))

    with prefectx.override(tasks={"bare": {"mode": "function"}}):
        assert pipeline() == (4, 9)


def test_stock_tasks_take_futures(mode):
    """A task of Prefect's own gets what a call returns: an item, or the data of it by `load`."""

    @task(target="out/{x}.json")
    def number(x):
        return x

    @stock_task
    def stock(value):
        return load(value) + 1

    @flow
    def pipeline():
        return stock.submit(number.submit(1)).result(), stock(number(2))

    assert pipeline() == (2, 3)
    assert pipeline() == (2, 3)


def test_visualize_calls_no_function(mode, monkeypatch):
    """`visualize` draws all calls of a flow, finished or not, and runs none."""
    drawn = []
    monkeypatch.setattr(
        "prefect.utilities.visualization.visualize_task_dependencies",
        lambda graph, name: drawn.append(str(graph)),
    )
    monkeypatch.setattr(
        "prefect.utilities.visualization.build_task_dependencies",
        lambda tracker: [task.name for task in tracker.tasks],
    )

    @task
    def first():
        raise AssertionError("visualize ran a function")

    @task
    def second(x):
        raise AssertionError("visualize ran a function")

    @flow
    def pipeline():
        second(first())

    with pytest.warns(UserWarning, match="visualize"):
        pipeline.visualize()
    assert drawn == ["['first-0', 'second-0']"]


def test_async_flow_with_futures(mode):
    """An async flow submits, waits and returns futures."""

    @task
    async def double(x):
        await asyncio.sleep(0.01)
        return 2 * x

    @flow
    async def pipeline():
        return double.map([1, 2])

    for _ in range(2):
        state = asyncio.run(pipeline(return_state=True))
        assert state.is_completed()
