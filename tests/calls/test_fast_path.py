"""Finished calls are found in a short way and in a long way: both come to the same."""

import datetime
import math
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prefectx import PrefectxError, context, load, override, task
from prefectx.calls import TARGET_OWNERS

ATOMS = (
    st.integers()
    | st.text(st.characters(codec="utf-8"), max_size=20)
    | st.floats()
    | st.booleans()
    | st.none()
    | st.binary(max_size=5)
)
TARGETS = st.sampled_from(
    [
        "working/{funcname}/{base}",
        "working/{a}-{b}",
        "working/{b}/{a}.pkl",
        "working/{a}",
        "{a}/{b}",
        "{a}",
        "100%/{a}%s",
        "working/{a!r}-{b:>8}",
        "working/{a.stem}{b}",
    ]
)


def both(a, b=0):
    return [a, b]


def short(target, *args):
    """Return what the call of atoms comes to."""
    return task(target=target)(both)(*args)


def long(target, *args):
    """Return what the same call comes to where something is set at run time."""
    with context(anything=1):
        return task(target=target)(both)(*args)


@pytest.fixture(autouse=True)
def cached(tmp_path: Path):
    """Run in mode cache, under tmp_path."""
    with override(mode="cache", root=tmp_path, fsync=False):
        yield


@settings(max_examples=150, deadline=None)
@given(target=TARGETS, a=ATOMS, b=ATOMS)
def test_both_ways_find_the_same_output(tmp_path_factory, target, a, b):
    """What a call has saved is found by the same call, and is the same file in both ways."""
    with override(root=tmp_path_factory.mktemp("root")):
        try:
            made = long(target, a, b)
        except PrefectxError as error:
            with pytest.raises(type(error)):
                short(target, a, b)
            return
        assert short(target, a, b) == made == long(target, a, b)
        assert task(target=target)(both).map([a], [b]).result() == [made]
        assert repr(load(made)) == repr([a, b])


@settings(max_examples=100, deadline=None)
@given(target=TARGETS, first=st.tuples(ATOMS, ATOMS), second=st.tuples(ATOMS, ATOMS))
def test_no_call_gets_the_output_of_another(tmp_path_factory, target, first, second):
    """In both ways two different calls have different outputs, or the second is an error."""
    with override(root=tmp_path_factory.mktemp("root")):
        for way in (short, long):
            with suppress(PrefectxError):
                way(target, *first)
            with suppress(PrefectxError):
                found = load(way(target, *second))
                assert found == list(second) or any(value != value for value in second)


@pytest.mark.parametrize("values", [(math.inf, 1), (10**5000, 1), ("../x", 1), ("", 1)])
def test_odd_values_are_refused_or_kept(values):
    """Where the short way has no answer, the long one has it."""
    for _ in range(2):
        with suppress(PrefectxError):
            assert load(short("working/{a}", *values)) == list(values)


def test_missing_outputs_among_found_ones_are_made():
    """Of a mapped task only those calls run whose output is missing, whatever they are given."""
    ran = []

    @task(target="working/{n}")
    def double(n):
        ran.append(n)
        return n

    days = [datetime.date(2024, 1, day) for day in (1, 2)]
    inputs = [*range(20), "a", *days, None]
    double.map(inputs).wait()
    missing = {3, 17, days[0]}
    for future in double.map(inputs):
        if future.result().load() in missing:
            future.item.delete()
    ran.clear()
    assert load(double.map(inputs)) == inputs
    assert set(ran) == missing


def test_keywords_and_defaults_are_the_same_call():
    """However the arguments are given, the output is found."""
    made = short("working/{a}-{b}", 1)
    TARGET_OWNERS.clear()
    again = task(target="working/{a}-{b}")(both)
    assert made == again(a=1) == again(1, b=0) == again(b=0, a=1)


def test_wrong_arguments_are_an_error():
    """The short way refuses what the function would refuse."""
    with pytest.raises(TypeError, match="missing a required argument: 'a'"):
        task(target="working/{a}")(both)()
    with pytest.raises(TypeError, match="c"):
        task(target="working/{a}")(both)(1, c=2)
