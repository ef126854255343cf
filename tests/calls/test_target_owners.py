"""Targets that two different calls fill: an error that names both, and what the template lacks."""

import logging
import threading
from pathlib import Path

import pytest

from prefectx import TargetError, load, override, task


@pytest.fixture(autouse=True)
def cached(tmp_path: Path):
    """Run in mode cache, under tmp_path."""
    with override(mode="cache", root=tmp_path):
        yield


@task(target="clean/{path.stem}.json")
def clean(path, year=2024):
    return [path, year]


def test_the_error_names_both_calls_and_the_lacking_argument():
    """The second call does not silently get the first one's output."""
    clean("a/x.csv")
    with pytest.raises(TargetError) as error:
        clean("b/x.csv")
    text = str(error.value)
    assert "clean(path='a/x.csv', year=2024)" in text
    assert "clean(path='b/x.csv', year=2024)" in text
    assert "lacks {path}" in text
    assert "shared = true" in text
    with pytest.raises(TargetError, match=r"lacks \{year\}"):
        clean("a/x.csv", 2025)


def test_submitting_raises_as_well():
    """The collision is found when the call is made, not when it runs."""
    clean.submit("a/x.csv")
    with pytest.raises(TargetError):
        clean.submit("b/x.csv")


def test_the_same_call_again_is_no_error():
    """Equal arguments, however given, are one call."""
    assert clean("a/x.csv") == clean(path="a/x.csv", year=2024)


def test_not_a_number_is_the_same_argument():
    """The same call is no error, though its argument is not equal to itself."""
    kept = clean.with_options(target="nan/{year}")
    assert kept("a", float("nan")) == kept("a", float("nan"))


def test_shared_targets_are_allowed_where_they_are_wanted():
    """shared = true lets calls share one output."""
    shared = clean.with_options(shared=True, target="all.json")
    assert load([shared("a"), shared("b")]) == [["a", 2024]] * 2


def test_a_deleted_target_is_free_again():
    """When the output is gone, another call may have its place."""
    clean("a/x.csv").delete()
    assert load(clean("b/x.csv")) == ["b/x.csv", 2024]


def test_what_cannot_be_compared_does_not_count():
    """Loggers, locks and connections are no difference."""

    @task(target="one.json")
    def one(x, tool):
        return x

    assert one(1, threading.Lock()) == one(1, threading.Lock())
    assert load(one.with_options(target="two.json")(1, logging.getLogger("a"))) == 1


def test_a_failed_call_leaves_its_target_free():
    """A call that failed has no output to protect."""

    @task(target="fixed.json")
    def picky(x):
        if x == 1:
            raise ValueError
        return x

    picky.submit(1)
    assert load(picky(2)) == 2


def test_an_automatic_base_needs_no_thought():
    """By default no two calls share a target."""

    @task
    def f(x, y=None):
        return [x, y]

    calls = [
        (1,),
        ("1",),
        (1, 2),
        ((1, 2),),
        ([1, 2],),
        ("1-2",),
        (None,),
        ("None",),
        (1.0,),
        (True,),
    ]
    items = [f(*arguments) for arguments in calls]
    assert len(set(items)) == len(calls)
    assert load(items[2]) == [1, 2]
