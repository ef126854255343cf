"""The contract of the engines: each runs what it is handed, and answers alike."""

import asyncio

import pytest

import prefectx
from prefectx import allow_failure, flow, task
from prefectx.calls import Call, Run, Skip, make_call
from prefectx.engines.protocol import Engine
from prefectx.engines.registry import ENGINES
from prefectx.futures import Future, FutureList, State

LOCAL, THREADS, PREFECT = "cache", "cache on threads", "prefect.skiptask"


@pytest.fixture(params=[LOCAL, THREADS, pytest.param(PREFECT, marks=pytest.mark.prefect)])
def mode(request, tmp_path):
    """A caching mode of each engine, with outputs under tmp_path."""
    if request.param == PREFECT:
        request.getfixturevalue("on_prefect")
    name, _, runner = request.param.partition(" on ")
    with prefectx.override(mode=name, root=tmp_path, runner={"type": runner or None}):
        yield name


@task(target="out/{x}.json")
def half(x):
    return 10 // x


@task(target="out/async-{x}.json")
async def half_async(x):
    return 10 // x


def prepared(function, **arguments) -> tuple[Engine, Call]:
    """Return an engine and a call that is to be handed to it."""
    resolved = function.resolved()
    engine = ENGINES[resolved.mode.engine]
    return engine, make_call(resolved, arguments, engine.flow_name)


def in_flow(body):
    """Run a function inside a flow, where there is a runner."""
    results = []

    @flow
    def around():
        results.append(body())

    around()
    return results[0]


def test_run_returns_the_item_of_the_output(mode):
    """A call that is run gives its item, and the output is there."""

    def body():
        engine, call = prepared(half, x=5)
        return call, engine.run(call, Run("missing"), None, return_state=False)

    call, result = in_flow(body)
    assert result.value == call.item
    assert call.item.load() == 2


def test_run_raises_what_the_function_raises(mode):
    """An exception of the function is the caller's."""

    def body():
        engine, call = prepared(half, x=0)
        with pytest.raises(ZeroDivisionError):
            engine.run(call, Run("missing"), None, return_state=False)
        return call

    assert not in_flow(body).item.exists()


def test_run_gives_a_state_on_demand(mode):
    """A state says how the call ended, and raises nothing."""

    def body():
        states = []
        for x in (5, 0):
            engine, call = prepared(half, x=x)
            states.append(engine.run(call, Run("missing"), None, return_state=True).value)
        return states

    good, bad = in_flow(body)
    assert all(isinstance(state, State) and state.is_final() for state in (good, bad))
    assert good.is_completed()
    assert bad.is_failed()


def test_run_async_is_awaited(mode):
    """An async call gives what run gives."""
    results = []

    @flow
    async def around():
        engine, call = prepared(half_async, x=2)
        results.append(await engine.run_async(call, Run("missing"), None, return_state=False))

    asyncio.run(around())
    assert prefectx.load(results[0].value) == 5


def test_submit_holds_result_and_failure(mode):
    """A future has its item from the beginning; a failure waits until it is asked for."""

    def body():
        futures = []
        for x in (5, 0):
            engine, call = prepared(half, x=x)
            futures.append(engine.submit(call, Run("missing"), None))
            assert futures[-1].item == call.item
        engine.wait(futures, None)
        return engine, futures, [future.state for future in futures]

    engine, futures, states = in_flow(body)
    assert all(isinstance(future, Future) for future in futures)
    assert futures[0].result() == futures[0].item
    with pytest.raises(ZeroDivisionError):
        futures[1].result()
    assert isinstance(futures[1].result(raise_on_failure=False), ZeroDivisionError)
    assert [state.is_completed() for state in states] == [True, False]
    assert engine.seconds(states[0]) >= 0


def test_a_finished_future_is_over(mode):
    """The future of a call that was skipped is completed, by the name Cached."""
    engine, call = prepared(half, x=5)
    call.item.save(2)
    future = engine.finished(call.item.store, call.item.location)
    called = []
    future.add_done_callback(called.append)
    assert future.state.is_completed()
    assert future.state.name == "Cached"
    assert future.result() == future.item == call.item
    assert called == [future]


def test_a_call_decides_again_under_the_lock(mode):
    """An output that was made meanwhile is found: the function does not run."""

    def body():
        engine, call = prepared(half, x=5)
        call.item.save("made by another")
        return engine.run(call, Run("missing"), None, return_state=False)

    assert in_flow(body).value.load() == "made by another"


def test_a_call_that_is_finished_ends_cached(mode):
    """An engine that is handed a finished call says so in its state."""

    def body():
        engine, call = prepared(half, x=5)
        call.item.save(2)
        return engine.submit(call, Skip(call.item), None)

    future = in_flow(body)
    assert future.state.name == "Cached"
    assert future.result().load() == 2


def test_futures_are_gathered_and_waited_for(mode):
    """The futures of a map are one list; wait and as_completed see them all."""

    def body():
        futures = []
        for x in (1, 2, 5):
            engine, call = prepared(half, x=x)
            futures.append(engine.submit(call, Run("missing"), None))
        done, not_done = engine.wait(futures, None)
        completed = list(engine.as_completed(futures, None))
        return engine.gathered(futures), done, not_done, completed

    gathered, done, not_done, completed = in_flow(body)
    assert isinstance(gathered, (list, FutureList))
    assert prefectx.load(gathered.result()) == [10, 5, 2]
    assert (len(done), len(not_done), len(completed)) == (3, 0, 3)


def test_wait_for_keeps_a_call_from_running(mode):
    """A call whose awaited call failed does not run, unless the failure is allowed."""

    def body():
        engine, bad = prepared(half, x=0)
        failed = engine.submit(bad, Run("missing"), None)
        _, call = prepared(half, x=5)
        held = engine.submit(call, Run("missing"), [failed])
        held.wait()
        return held.state.is_completed()

    assert in_flow(body) is False


def test_the_flow_has_a_name(mode):
    """Templates and logs may name the flow that makes a call."""
    engine, _ = prepared(half, x=5)
    assert engine.flow_name() is None
    assert in_flow(engine.flow_name) == "around"


def test_tags_and_loggers_are_there(mode):
    """What flows ask for while they run is there in every engine."""

    def body():
        engine, _ = prepared(half, x=5)
        with engine.tags("a"):
            engine.get_run_logger().info("said")
        return True

    assert in_flow(body)


def test_marks_are_understood(mode):
    """A failure that is allowed arrives as the exception."""

    @task(target="told.json")
    def tell(error):
        return type(error).__name__

    def body():
        engine, bad = prepared(half, x=0)
        failed = engine.submit(bad, Run("missing"), None)
        _, call = prepared(tell, error=allow_failure(failed))
        told = engine.submit(call, Run("missing"), None)
        told.wait()
        return told

    assert prefectx.load(in_flow(body)) == "ZeroDivisionError"
