"""A plan in a process whose threads run other calls."""

import threading

import pytest

import prefectx
from prefectx import flow, task


@task(target="out/{n}.json")
def number(n):
    return n


@pytest.fixture(autouse=True)
def here(tmp_path):
    with prefectx.override(mode="cache", root=tmp_path, progress=False):
        yield tmp_path


def test_a_thread_that_runs_calls_goes_on_running_them(here):
    planning, called = threading.Event(), threading.Event()

    def work():
        planning.wait(10)
        number(1)
        called.set()

    thread = threading.Thread(target=work)
    thread.start()

    @flow
    def pipeline():
        planning.set()
        assert called.wait(10)
        return number.submit(2)

    plan = prefectx.plan(pipeline)
    thread.join()
    assert (here / "out/1.json").exists()
    assert not (here / "out/2.json").exists()
    assert [call.location for call in plan.calls] == ["out/2.json"]


def test_a_thread_that_the_flow_starts_plans_too(here):
    @flow
    def pipeline():
        thread = threading.Thread(target=number, args=(3,))
        thread.start()
        thread.join()

    plan = prefectx.plan(pipeline)
    assert [call.location for call in plan.calls] == ["out/3.json"]
    assert not (here / "out").exists()
