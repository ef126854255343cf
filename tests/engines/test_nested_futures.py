"""Pending futures, wherever they are among the arguments, reach the function as data."""

import collections
import time
import types
from dataclasses import InitVar, dataclass
from typing import Any, NamedTuple

import attrs
import pydantic
import pytest

import prefectx
from prefectx import dask_runner, flow, load, task

RUNS = [
    pytest.param("cache", None, id="cache"),
    pytest.param("prefect", "threads", id="prefect", marks=pytest.mark.prefect),
    pytest.param("prefect.skiptask", "threads", id="skiptask", marks=pytest.mark.prefect),
    pytest.param("prefect.skiptask", "dask", id="dask", marks=[pytest.mark.dask]),
]


class Model(pydantic.BaseModel):
    part: Any


class FrozenModel(pydantic.BaseModel, frozen=True):
    part: Any


@attrs.define
class Attrs:
    part: Any


@attrs.frozen
class Private:
    _part: Any


@dataclass
class Data:
    part: Any
    factor: InitVar[int] = 1

    def __post_init__(self, factor):
        self.scaled = factor


@dataclass(frozen=True, slots=True)
class FrozenData:
    part: Any


class Listing(list):
    pass


class Table(dict):
    pass


class Pair(NamedTuple):
    part: Any
    other: int = 0


def circle(part):
    made = [part]
    made.append(made)
    return made


def shared(part):
    inner = [part]
    return (inner, inner)


MAKERS = {
    "model": (lambda part: Model(part=part), lambda made: made.part),
    "frozen model": (lambda part: FrozenModel(part=part), lambda made: made.part),
    "list in a model": (lambda part: Model(part=[part]), lambda made: made.part[0]),
    "attrs": (Attrs, lambda made: made.part),
    "private attrs": (Private, lambda made: made._part),
    "dataclass": (lambda part: Data(part, 7), lambda made: made.part),
    "frozen dataclass": (FrozenData, lambda made: made.part),
    "list": (lambda part: [part], lambda made: made[0]),
    "subclass of list": (lambda part: Listing([part]), lambda made: made[0]),
    "dict": (lambda part: {"a": part}, lambda made: made["a"]),
    "subclass of dict": (lambda part: Table(a=part), lambda made: made["a"]),
    "named tuple": (Pair, lambda made: made.part),
    "deque": (lambda part: collections.deque([part], maxlen=3), lambda made: made[0]),
    "mapping proxy": (lambda part: types.MappingProxyType({"a": part}), lambda made: made["a"]),
    "defaultdict": (lambda part: collections.defaultdict(list, a=part), lambda made: made["a"]),
    "frozenset": (lambda part: frozenset([part]), lambda made: next(iter(made))),
    "circle": (circle, lambda made: made[0]),
    "shared part": (shared, lambda made: made[1][0]),
}


@task(target="one/{number}")
def slow(number):
    time.sleep(0.2)
    return number + 40


@task(target="seen/{name}", ignore=["value"])
def see(value, name):
    return type(value).__name__, MAKERS[name][1](value), getattr(value, "scaled", None)


@pytest.mark.parametrize(("mode", "runner"), RUNS)
def test_every_container(mode, runner, request, tmp_path):
    if mode.startswith("prefect"):
        request.getfixturevalue("on_prefect")

    @flow(**({"task_runner": dask_runner(workers=1)} if runner == "dask" else {}))
    def around():
        future = slow.submit(2)
        made = {name: see.submit(make(future), name) for name, (make, _) in MAKERS.items()}
        return {name: load(future.result()) for name, future in made.items()}

    with prefectx.override(mode=mode, root=tmp_path):
        found = around()
    assert {name: part for name, (_, part, _) in found.items()} == dict.fromkeys(MAKERS, 42)
    kinds = {name: type(make(1)).__name__ for name, (make, _) in MAKERS.items()}
    assert {name: kind for name, (kind, _, _) in found.items()} == kinds
    assert found["dataclass"][2] == 7
