"""Which change of an argument is another call, and which makes an output stale."""

import dataclasses
import datetime
import enum
import pathlib

import pytest

import prefectx
from prefectx import flow, task


class Colour(enum.Enum):
    RED = 1
    BLUE = 2


@dataclasses.dataclass
class Point:
    x: int


UTC, HOUR = datetime.UTC, datetime.timezone(datetime.timedelta(hours=1))
# Plain data: with one target these are two calls.
OTHER = [
    (1, 2), (1, True), (1.0, 1), (0.0, -0.0), (None, "None"), ("x" * 500, "x" * 499 + "y"),
    (b"a", "a"), (datetime.date(2024, 1, 1), datetime.date(2024, 1, 2)), (UTC, HOUR),
    ([1, {"a": (2, 3)}], [1, {"a": (2, 4)}]), ([1], (1,)), ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
    (Colour.RED, Colour.BLUE), (pathlib.Path("a"), pathlib.Path("b")), (range(2), range(3)),
]  # fmt: skip
SAME = [
    (1, 1), (float("nan"), float("nan")), ("x" * 500, "x" * 500), ([1, {"a": (2,)}],) * 2,
    ({1, 2, 3}, {3, 2, 1}), (Point(1), Point(1)),
    # What cannot be identified is not compared.
    ((i for i in "a"), (i for i in "b")),
]  # fmt: skip
OBJECTS = [(Point(1), Point(2)), (lambda: 1, lambda: 2)]


def second(values, tmp_path, **options):
    """Call a task with each of two values; return what the second flow run says is stale."""

    @task(target="one.json", version="1", **options)
    def one(value):
        return 1

    @flow(validate_parameters=False)
    def pipeline(value):
        one(value)

    with prefectx.override(mode="cache", root=tmp_path):
        for value in values:
            pipeline(value)
            stale = pipeline.last_run.stale
    return stale


@pytest.mark.parametrize("values", OTHER)
def test_other_plain_data_is_another_call(values, tmp_path):
    with pytest.raises(prefectx.TargetError, match="different call"):
        second(values, tmp_path)


@pytest.mark.parametrize("values", OTHER)
def test_what_is_shared_or_ignored_does_not_count(values, tmp_path):
    assert second(values, tmp_path / "shared", shared=True) == {}
    assert second(values, tmp_path / "ignored", ignore=["value"]) == {}


@pytest.mark.parametrize("values", SAME)
def test_equal_values_are_the_same_call(values, tmp_path):
    assert second(values, tmp_path) == {}


@pytest.mark.parametrize("values", OBJECTS)
def test_another_object_makes_the_output_stale(values, tmp_path, caplog):
    second(values, tmp_path)
    assert "the object 'value' changed" in caplog.text
