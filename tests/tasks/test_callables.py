"""Tasks made of partials and of callable objects."""

import functools
import threading
from dataclasses import dataclass

import pytest

import prefectx
from prefectx import ConfigError, Item, flow, load, task

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


def power(base, x):
    return base**x


@dataclass
class Add:
    number: int

    def __call__(self, x: int) -> int:
        return self.number + x


@dataclass
class Where:
    number: int

    def __call__(self, data: Item[int]) -> str:
        return type(data).__name__


@pytest.mark.parametrize(
    ("make", "found"),
    [(lambda n: functools.partial(power, n), [2**3, 5**3]), (Add, [5, 8])],
    ids=["partial", "object"],
)
def test_each_is_a_task_of_its_own(mode, make, found):
    """Called and submitted, again in a second round, where their outputs exist."""

    @flow
    def around():
        tasks = [task(make(number)) for number in (2, 5)]
        called = [load(one(3)) for one in tasks]
        submitted = [load(one.submit(3).result()) for one in tasks]
        return called, submitted

    assert around() == (found, found)
    assert around() == (found, found)


def test_they_have_the_name_of_their_type():
    assert task(functools.partial(power, 2)).name == "partial"
    assert task(Add(1)).name == "Add"


def test_their_outputs_are_named_after_the_type_and_the_content(tmp_path):
    with prefectx.override(mode="cache", root=tmp_path):
        places = [task(Add(number))(3).location for number in (1, 1, 2)]
        named = task(name="plus")(Add(1))(3).location
    assert places[0] == places[1] != places[2]
    assert places[0].startswith(f"{tmp_path}/working/Add/Add-")
    assert named == f"{tmp_path}/working/Add/plus-3"


def test_annotations_of_the_class_are_not_those_of_the_call(tmp_path):
    with prefectx.override(mode="cache", root=tmp_path):
        item = task(Add(1))(3)
        assert load(task(Where(1))(item)) == "Item"


def test_an_object_without_identity_is_refused_for_an_automatic_base(tmp_path):
    class Locked:
        def __init__(self):
            self.lock = threading.Lock()

        def __call__(self, x):
            return x

    with prefectx.override(mode="cache", root=tmp_path):
        with pytest.raises(ConfigError, match=r"task 'Locked': nothing tells .* give the task a"):
            task(Locked())(1)
        assert load(task(name="locked")(Locked())(1)) == 1
        assert load(task(target="{x}.json")(Locked())(1)) == 1


@pytest.mark.parametrize("mode", ["function", "cache"])
def test_functions_of_c_without_a_signature(mode, tmp_path):
    with prefectx.override(mode=mode, root=tmp_path):
        for _ in range(2):
            assert load(task(max)([1, 3, 2])) == 3
            assert load(task(functools.partial(max, 5))(4)) == 5
            assert load(task(functools.partial(max, 5))(6)) == 6
            assert load(task(functools.partial(int, "7"))()) == 7
            assert load(task(functools.partial(int, "8"))()) == 8
