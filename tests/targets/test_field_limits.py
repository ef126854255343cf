"""What a field may ask for: a width that fits into a name, attributes that are data."""

from __future__ import annotations

import datetime
import functools
import math
import sys
import types
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prefectx.errors import TargetError
from prefectx.targets.template import Template


def fill(text, **values):
    return Template(text).locate(values)


@pytest.mark.parametrize(
    ("spec", "value"),
    [
        (">1000000000", "x"),
        ("01000000000d", 3),
        (".1000000000f", 0.5),
        ("*^1001", "x"),
        (">1001.3f", 0.5),
        ("+#1001x", 3),
        (",.1001f", Decimal(3)),
        ("%1000000000Y", datetime.date(2024, 3, 9)),
        ("%Y-%_2000d", datetime.datetime(2024, 3, 9)),
        (">99999999999999999999", "x"),
    ],
)
class TestWidths:
    def test_of_a_template(self, spec, value):
        """Refused with the template, before any call."""
        with pytest.raises(TargetError, match=r"\{x:.*at most 1,000"):
            Template(f"{{x:{spec}}}.json")

    def test_of_a_value(self, spec, value):
        """Refused with the call that gives it."""
        with pytest.raises(TargetError, match="at most 1,000"):
            fill("{x:{spec}}.json", x=value, spec=spec)


@given(
    st.integers(1001, 10**12), st.sampled_from("<>=^"), st.sampled_from(["", "d", "f", "e", "x"])
)
def test_no_wide_specification_is_filled(width, align, kind):
    with pytest.raises(TargetError):
        fill(f"{{x:{align}{width}{kind}}}", x=3)


@pytest.mark.parametrize(
    ("spec", "value", "filled"),
    [
        (">5", "x", "    x"),
        ("01000d", 3, "0" * 999 + "3"),
        ("%Y-2024-20240101", datetime.date(2024, 3, 9), "2024-2024-20240101"),
        ("%Y1001", datetime.date(2024, 3, 9), "20241001"),
        (".2%", 0.5, "50.00%"),
        ("5.1f", 0.25, "  0.2"),
        ("x<5", "a", "axxxx"),
    ],
)
def test_other_specifications(spec, value, filled):
    assert fill(f"{{x:{spec}}}", x=value) == filled


_REFUSED = r"not a value|are not followed|an address in memory|its address in memory"


def generator():
    yield 1


async def coroutine():
    return 1


class Owner:
    plain = 3
    kind = dict
    module = math
    function = staticmethod(fill)
    partial = functools.partial(fill)
    frame = sys._getframe()

    def method(self):
        return 1

    @property
    def computed(self):
        return 4


class Box:
    def __init__(self, value):
        self.value = value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{x.gi_frame}", generator()),
        ("{x.gi_frame.f_globals}", generator()),
        ("{x.gi_frame.f_builtins[open]}", generator()),
        ("{x.gi_code.co_filename}", generator()),
        ("{x.gi_running}", generator()),
        ("{x.f_lineno}", sys._getframe()),
        ("{x.co_name}", fill.__code__),
        ("{x.pi}", math),
        ("{x.environ[HOME]}", __import__("os")),
        ("{x.tb_frame}", types.TracebackType(None, sys._getframe(), 0, 1)),
        ("{x.mro}", Owner),
        ("{x.method}", Owner()),
        ("{x.kind}", Owner()),
        ("{x.module}", Owner()),
        ("{x.module.pi}", Owner()),
        ("{x.function}", Owner()),
        ("{x.partial.func}", Owner()),
        ("{x.frame}", Owner()),
        ("{x.method}", Owner),
        ("{x.value.gi_frame}", Box(generator())),
        ("{x[0]}", [math]),
        ("{x[f].co_name}", {"f": fill.__code__}),
        ("{x.append}", []),
        ("{x.join}", "text"),
        ("{x.func}", functools.partial(fill)),
    ],
)
def test_only_plain_attributes_are_followed(text, value):
    with pytest.raises(TargetError, match=_REFUSED):
        fill(text, x=value)


def test_a_coroutine():
    waiting = coroutine()
    try:
        with pytest.raises(TargetError, match=_REFUSED):
            fill("{x.cr_frame}", x=waiting)
    finally:
        waiting.close()


@pytest.mark.parametrize(
    ("text", "value", "filled"),
    [
        ("{x.plain}", Owner(), "3"),
        ("{x.computed}", Owner(), "4"),
        ("{x.plain}", Owner, "3"),
        ("{x.value.plain}", Box(Owner()), "3"),
        ("{x.real}", 3, "3"),
        ("{x.year}", datetime.date(2024, 3, 9), "2024"),
        ("{x.stem}", Path("raw/a.csv"), "a"),
        ("{x[a][0]}", {"a": ["b"]}, "b"),
    ],
)
def test_data_is_followed(text, value, filled):
    assert fill(text, x=value) == filled
