"""Functions that return a state of Prefect instead of data."""

import pytest

import prefectx
from prefectx import flow, load, task

MODES = [
    *("function", "cache"),
    *[
        pytest.param(mode, marks=pytest.mark.prefect)
        for mode in ("prefect", "prefect.cachetask", "prefect.skiptask")
    ],
]


@pytest.fixture(params=MODES)
def mode(request, tmp_path):
    if request.param.startswith("prefect"):
        request.getfixturevalue("on_prefect")
    with prefectx.override(mode=request.param, root=tmp_path):
        yield request.param


@task
def say(what):
    from prefect.states import Completed, Failed

    return {
        "nothing": lambda: Completed(message="nothing to do"),
        "own": lambda: Completed(name="Empty", message="no rows", data=[1, 2]),
        "failed": lambda: Failed(name="Rejected", message="too few rows"),
    }[what]()


def run(what):
    @flow
    def around():
        future = say.submit(what)
        future.wait()
        state = future.state
        data = None if state.is_failed() else load(future.result())
        return (state.name, state.message, data, state.is_failed())

    return around()


def test_without_data(mode):
    assert run("nothing") == ("Completed", "nothing to do", None, False)


def test_with_a_name_and_a_message(mode):
    assert run("own") == ("Empty", "no rows", [1, 2], False)


def test_a_failure_is_a_failure_and_is_not_kept(mode):
    for _ in range(2):
        name, message, _data, failed = run("failed")
        assert (name, failed) == ("Rejected", True)
        assert "too few rows" in message


def test_a_second_run_finds_the_output(mode, tmp_path):
    run("own")
    name, _message, data, _failed = run("own")
    assert data == [1, 2]
    assert name == ("Empty" if mode in ("function", "prefect") else "Cached")


@pytest.mark.parametrize("what", ["own", "failed"])
def test_details_are_there(mode, what):
    @flow
    def around():
        future = say.submit(what)
        future.wait()
        return future.state.state_details

    details = around()
    assert hasattr(details, "task_run_id")
    assert details.cache_key is None


@pytest.mark.parametrize("what", ["nothing", "own"])
def test_of_a_flow(mode, what):
    @flow
    def around():
        from prefect.states import Completed

        return Completed(message="m", data=None if what == "nothing" else [3])

    assert around() == (None if what == "nothing" else [3])
