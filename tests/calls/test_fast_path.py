"""Finished calls are found in a short way and in a long way: both come to the same."""

import datetime
import math
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prefectx import PrefectxError, context, load, override, task
from prefectx.calls import Skip, decide, look, make_call, target_owners

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


SCALARS = (
    ATOMS | st.complex_numbers() | st.sampled_from(["", ".", "..", "a/b", "/", "x" * 300, "\0"])
)
PARAMETERS = ("a", "b", "c")
FIELDS = st.sampled_from(
    ["{a}", "{b}", "{c}", "{a!r}", "{b:>4}", "{a.stem}", "{base}", "{funcname}", "{ext}", "{none}"]
)
TEXTS = st.sampled_from(["", "-", "/", "x", "%s", "100%", "..", "out/", ".json", "s3:/"])


@st.composite
def situations(draw):
    """A task of up to three parameters with some defaults, a target, and some calls of it."""
    names = PARAMETERS[: draw(st.integers(1, 3))]
    defaults = draw(st.lists(SCALARS, max_size=len(names)))
    target = "".join(
        part for pair in draw(st.lists(st.tuples(TEXTS, FIELDS), max_size=4)) for part in pair
    )
    calls = st.lists(SCALARS, min_size=len(names) - len(defaults), max_size=len(names))
    return names, defaults, target + draw(TEXTS), draw(st.lists(calls, min_size=1, max_size=5))


def function_of(names, defaults):
    """Return a function with these parameters, the last of them with defaults."""
    scope = {f"default_{name}": value for name, value in zip(names[::-1], defaults, strict=False)}
    shown = ", ".join(f"{n}=default_{n}" if f"default_{n}" in scope else n for n in names)
    exec(f"def made({shown}): pass", scope)
    return scope["made"]


@settings(max_examples=300, deadline=None)
@given(situation=situations(), shared=st.booleans(), data=st.data())
def test_the_fast_path_never_differs_from_the_decision(tmp_path_factory, situation, shared, data):
    """What it knows is what make_call, look and decide say; on what they refuse it is silent."""
    names, defaults, target, calls = situation
    with override(root=tmp_path_factory.mktemp("root")):
        target_owners().clear()
        try:
            resolved = task(target=target, shared=shared)(function_of(names, defaults)).resolved()
        except PrefectxError:
            return
        for arguments in calls:
            row, fast, exists = resolved.fast_path.find(tuple(arguments), {})
            places, found = resolved.fast_path.find_many([row])
            assert (places, fast in found) == ([fast], exists)
            try:
                bound = resolved.task.signature.bind(tuple(arguments), {})
                call = make_call(resolved, bound, lambda: None)
                decision = decide(*look([call]))
            except PrefectxError:
                assert fast is None
                continue
            if fast is not None:
                assert fast == call.item.location
                assert exists == isinstance(decision, Skip)
            if data.draw(st.booleans()):
                with suppress(PrefectxError):
                    call.item.save(1)


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
    target_owners().clear()
    again = task(target="working/{a}-{b}")(both)
    assert made == again(a=1) == again(1, b=0) == again(b=0, a=1)


def test_wrong_arguments_are_an_error():
    """The short way refuses what the function would refuse."""
    with pytest.raises(TypeError, match="missing a required argument: 'a'"):
        task(target="working/{a}")(both)()
    with pytest.raises(TypeError, match="c"):
        task(target="working/{a}")(both)(1, c=2)
