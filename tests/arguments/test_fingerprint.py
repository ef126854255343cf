"""Fingerprints: the same for equal values, in every process; of whatever Python has."""

import enum
import subprocess
import sys
import threading
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from prefectx import Filestore, Item, task
from prefectx.arguments.fingerprint import fingerprint, short_hash
from prefectx.engines.local.futures import LocalFuture


class Color(enum.Enum):
    RED = 1
    BLUE = 2


@dataclass
class Point:
    x: int
    y: object = None


class Plain:
    def __init__(self, value):
        self.value = value


def named(value):
    return value


DIFFERENT = [
    1,
    True,
    1.0,
    "1",
    b"1",
    None,
    (1,),
    [1],
    {1},
    frozenset([1]),
    {1: 1},
    {"1": 1},
    Color.RED,
    Color.BLUE,
    Path("1"),
    Point(1),
    Point(2),
    Plain(1),
    Plain(Plain(1)),
    int,
    named,
    lambda x: x + 1,
    lambda x: x + 2,
    partial(named, 1),
    partial(named, 2),
    range(1),
    np.int64(1),
    np.array([1]),
    np.array([1.0]),
    np.array([[1]]),
    pd.DataFrame({"a": [1]}),
    pd.DataFrame({"b": [1]}),
    pd.DataFrame({"a": [1.0]}),
    pd.Series([1]),
    pd.Timestamp("2024-01-01"),
    Item(Filestore(), "/a"),
    Item(Filestore(), "/b"),
]


def test_different_values_have_different_fingerprints():
    """Type and content both count."""
    prints = {fingerprint(value) for value in DIFFERENT}
    assert len(prints) == len(DIFFERENT)


@pytest.mark.parametrize(
    "make",
    [
        lambda: {"b": 1, "a": {2, 3}},
        lambda: Point(1, [Plain("x")]),
        lambda: pd.DataFrame({"a": ["x", None], "b": [1.5, 2.5]}),
        lambda: np.arange(6).reshape(2, 3)[:, ::2],
        lambda: partial(named, value=Color.RED),
    ],
)
def test_equal_values_have_equal_fingerprints(make):
    """Made twice, a value counts the same."""
    assert fingerprint(make()) == fingerprint(make())


def test_the_order_of_dicts_and_sets_does_not_count():
    """Equal dicts are equal however they were filled."""
    assert fingerprint({"a": 1, "b": 2}) == fingerprint({"b": 2, "a": 1})


@pytest.mark.parametrize("body", ["1", "2"])
def test_the_file_of_a_local_task_does_not_count(body):
    """A program may be moved to another folder; what the function does counts."""

    def made_in(file, body):
        text = f"def make():\n @task\n def f():\n  return {body}\n return f"
        exec(compile(text, file, "exec"), names := {"task": task, "__name__": "program"})
        return names["make"]()

    same = fingerprint(made_in("a.py", "1")) == fingerprint(made_in("b.py", body))
    assert same == (body == "1")


def test_a_future_counts_as_its_item():
    """A call is the same call before and after its input is there."""
    item = Item(Filestore(), "/a.json")
    assert fingerprint([LocalFuture(3, item=item)]) == fingerprint([item])


def test_what_cannot_be_taken_apart_counts_by_its_type():
    """Locks are not compared, and do not fail."""
    assert fingerprint(Plain(threading.Lock())) == fingerprint(Plain(threading.Lock()))


def test_cycles_end():
    """A value that holds itself has a fingerprint."""
    cycle = [1]
    cycle.append(cycle)
    assert fingerprint(cycle) == fingerprint(cycle)


def test_fingerprints_are_the_same_in_another_process():
    """Neither the hash seed nor an address gets in."""
    program = (
        "from prefectx.arguments.fingerprint import short_hash\n"
        "import pathlib, decimal\n"
        "print(short_hash({'a': {'x', 'y', 'z'}, 'b': pathlib.Path('p'), 'c': print}))\n"
    )
    root = str(Path(__file__).parents[2])
    runs = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": root},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for seed in ("1", "2")
    }
    assert runs == {short_hash({"a": {"x", "y", "z"}, "b": Path("p"), "c": print})}
