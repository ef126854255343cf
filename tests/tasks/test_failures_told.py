"""Failures say which call it was: in a note, in the flow's log, with the user's frames only."""

from __future__ import annotations

import gc
import logging
import traceback

import pytest

import prefectx
from prefectx import UpstreamError, flow, load, task

MODES = [
    ("function", "inline"),
    ("cache", "inline"),
    ("cache", "threads"),
    ("cache", "processes"),
    pytest.param(("prefect.skiptask", "threads"), marks=pytest.mark.prefect),
    pytest.param(("prefect", "threads"), marks=pytest.mark.prefect),
]


@task(target="out/{n}.json")
def divide(n, by, password="hunter2"):
    return n / by


@task(target="next/{n}.json")
def add(n, x):
    return n + x


@pytest.fixture(params=MODES, ids="-".join)
def anywhere(request, tmp_path):
    mode, runner = request.param
    if mode.startswith("prefect"):
        request.getfixturevalue("on_prefect")
    with prefectx.override(
        mode=mode, root=tmp_path, runner={"type": runner}, progress=False, fsync=False
    ):
        yield mode


@pytest.fixture
def here(tmp_path):
    with prefectx.override(mode="cache", root=tmp_path, progress=False):
        yield tmp_path


def told(error: BaseException) -> str:
    return "".join(traceback.format_exception(error))


def test_the_exception_names_the_call_once(anywhere):
    @flow
    def pipeline():
        return divide.submit(1, by=0).result()

    with pytest.raises(ZeroDivisionError) as caught:
        pipeline()
    text = told(caught.value)
    assert text.count("This was the call divide(n=1, by=0, password=***)") == 1
    if anywhere == "cache":
        assert "of out/1.json" in text
    assert "hunter2" not in text
    assert text.count("/prefectx/") <= 3 or anywhere.startswith("prefect")


def test_a_chain_of_failures_is_told_once(here):
    @flow
    def pipeline():
        x = divide.submit(1, 0)
        for n in range(20):
            x = add.submit(n, x)
        return x.result()

    with pytest.raises(UpstreamError) as caught:
        pipeline()
    text = told(caught.value)
    assert str(caught.value) == "an input failed: ZeroDivisionError: division by zero"
    assert text.count("ZeroDivisionError: division by zero") == 2
    assert text.count("Traceback") == 2
    assert len(text.splitlines()) < 25
    counts = pipeline.last_run.tasks
    assert (counts["divide"].failed, counts["add"].not_run) == (1, 20)


def test_the_log_of_a_flow_lists_its_failed_calls(here, caplog):
    @flow
    def pipeline():
        divide.map(range(13), 0)

    with caplog.at_level(logging.INFO):
        pipeline()
    lines = [line for line in caplog.messages if "failed" in line]
    assert lines[0] == "pipeline: divide: 13 failed"
    assert lines[1] == (
        "pipeline: divide(n=0, by=0, password=***) failed: ZeroDivisionError: division by zero"
    )
    assert len(lines) == 12
    assert lines[-1] == "pipeline: divide: and 3 more calls failed"


def test_a_call_of_a_call_is_noted_where_it_failed(here):
    @task
    def outer(n):
        return load(divide(n, 0))

    with pytest.raises(ZeroDivisionError) as caught:
        outer(1)
    assert len(caught.value.__notes__) == 1
    assert "divide(n=1" in caught.value.__notes__[0]


def test_a_deleted_input_says_which_task_makes_it(here):
    item = add(1, 1)
    item.delete()
    with pytest.raises(UpstreamError, match=r"task 'add' makes it: call it again"):
        add(2, item)


def test_arguments_that_do_not_fit_name_the_task(here):
    with pytest.raises(TypeError, match=r"add\(n, x\).*'y'"):
        add.submit(1, 2, y=2)


class Large:
    """Something large that a function holds."""

    alive = 0

    def __init__(self):
        Large.alive += 1

    def __del__(self):
        Large.alive -= 1


@pytest.mark.parametrize("runner", ["inline", "threads"])
def test_a_failed_call_keeps_nothing_of_its_function_alive(here, runner):
    @task
    def fail(n):
        held = Large()
        raise ValueError(n, held.alive)

    @flow
    def pipeline():
        futures = [fail.submit(n) for n in range(5)]
        for future in futures:
            future.wait()
        return futures, Large.alive

    gc.disable()
    try:
        with prefectx.override(runner={"type": runner}):
            futures, alive = pipeline()
    finally:
        gc.enable()
    assert alive == 0
    assert len(futures) == 5


class TwoArgumentsError(Exception):
    """An exception that pickle alone cannot bring to another process."""

    def __init__(self, code, text):
        super().__init__(f"{code}: {text}")
        self.code = code


@task
def raise_two(n):
    raise TwoArgumentsError(n, "text")


EVERYWHERE = [
    *MODES,
    pytest.param(("cache", "dask"), marks=pytest.mark.dask),
    pytest.param(("prefect.skiptask", "processes"), marks=pytest.mark.prefect),
    pytest.param(("prefect.skiptask", "dask"), marks=[pytest.mark.prefect, pytest.mark.dask]),
]


@pytest.mark.parametrize("where", EVERYWHERE, ids="-".join)
def test_an_exception_arrives_as_itself_whatever_its_constructor_takes(where, tmp_path, request):
    mode, runner = where
    if mode.startswith("prefect"):
        request.getfixturevalue("on_prefect")
    workers = {"dask": {"workers": 1}} if runner == "dask" else {}

    @flow
    def pipeline():
        return raise_two.submit(3).result(raise_on_failure=False)

    with prefectx.override(
        mode=mode, root=tmp_path, runner={"type": runner}, progress=False, **workers
    ):
        found = pipeline()
    assert type(found) is TwoArgumentsError
    assert (str(found), found.code) == ("3: text", 3)
