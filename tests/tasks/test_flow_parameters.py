"""The annotated parameters of flows are validated and converted, each by itself."""

import asyncio
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Literal

import pydantic
import pytest

import prefectx
from prefectx import Item, flow, load, task

MODES = [
    "cache",
    *[
        pytest.param(mode, marks=pytest.mark.prefect)
        for mode in ("prefect.cachetask", "prefect.skiptask")
    ],
]


@pytest.fixture(params=MODES)
def mode(request, tmp_path):
    if request.param.startswith("prefect"):
        request.getfixturevalue("on_prefect")
    with prefectx.override(mode=request.param, root=tmp_path):
        yield request.param


class Model(pydantic.BaseModel):
    size: int
    days: list[date] = []


@dataclass
class Point:
    x: int


class Own:
    pass


@task
def one():
    return 1


def make():
    @flow
    def around(
        number: int,
        day: date | None = None,
        path: Path | None = None,
        model: Model | None = None,
        point: Point | None = None,
        letter: Literal["a", "b"] = "a",
        positive: Annotated[int, pydantic.Field(gt=0)] = 1,
        own: Own | None = None,
        data=None,
    ):
        return locals()

    return around


def test_they_are_converted(mode):
    own = Own()
    found = make()(
        "3",
        "2020-01-02",
        "a/b",
        {"size": "1", "days": ["2020-01-02"]},
        {"x": "5"},
        own=own,
    )
    assert found == {
        "number": 3,
        "day": date(2020, 1, 2),
        "path": Path("a/b"),
        "model": Model(size=1, days=[date(2020, 1, 2)]),
        "point": Point(5),
        "letter": "a",
        "positive": 1,
        "own": own,
        "data": None,
    }


def test_every_mistake_is_named(mode):
    exceptions = pytest.importorskip("prefect.exceptions")
    with pytest.raises(exceptions.ParameterTypeError) as caught:
        make()("x", "2020-13-01", letter="c", positive=0, own=3)
    for name in ("number", "day", "letter", "positive", "own"):
        assert f" - {name}" in str(caught.value)


def test_an_item_passes_and_the_others_are_validated_all_the_same(mode):
    @flow
    def outer():
        item, future = one(), one.submit()
        found = make()("3", data=[item, future], point={"x": "7"}, own=Own())
        assert (found["number"], found["point"]) == (3, Point(7))
        assert isinstance(found["data"][0], Item)
        assert load(found["data"]) == [1, 1]
        assert load(make()(item)["number"]) == 1
        return make()("x", data=item)

    with pytest.raises(Exception, match="- number: Input should be a valid integer"):
        outer()


def test_not_if_it_is_switched_off(mode):
    @flow(validate_parameters=False)
    def around(number: int):
        return number

    assert around("3") == "3"


def test_async_flows_and_methods(mode):
    @flow
    async def around(number: int):
        return number

    class Around:
        @flow
        def method(self, number: int):
            return number

    assert asyncio.run(around("3")) == 3
    assert Around().method("3") == 3


def test_function_mode_passes_what_it_is_given():
    with prefectx.override(mode="function"):
        assert make()("3")["number"] == "3"
