"""Two values have one fingerprint exactly if a plain, slow comparison finds them the same."""

import collections
import copy
import datetime
import decimal
import enum
import fractions
import functools
import pathlib
import pickle
import re
import types
import zoneinfo

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from prefectx.arguments.fingerprint import fingerprint
from tests.arguments.values import (
    Color,
    Defined,
    Kinds,
    Level,
    Model,
    Number,
    Pair,
    Plain,
    Point,
    Slots,
    Table,
    Words,
    named,
    other,
)

# When drawing fails, hypothesis shows the strategy.
pytestmark = pytest.mark.filterwarnings("ignore:Generating overly large repr")


def adder(number, start):
    return lambda value, start=start: value + number + start


def exact(value):
    """Say all of a value in tuples, types included."""
    kind = type(value).__qualname__
    if isinstance(value, float):
        return kind, value.hex()
    if isinstance(value, complex):
        return kind, exact(value.real), exact(value.imag)
    if isinstance(value, (set, frozenset)):
        return kind, frozenset(map(exact, value))
    if isinstance(value, (dict, types.MappingProxyType)):
        factory = getattr(value, "default_factory", None)
        return kind, exact(factory), tuple((exact(k), exact(v)) for k, v in value.items())
    if isinstance(value, collections.deque):
        return kind, value.maxlen, tuple(map(exact, value))
    if isinstance(value, (list, tuple)):
        return kind, tuple(map(exact, value))
    if isinstance(value, enum.Enum):
        return kind, value.name
    if isinstance(value, functools.partial):
        return kind, exact(value.func), exact(value.args), exact(value.keywords)
    if isinstance(value, types.FunctionType):
        cells = tuple(cell.cell_contents for cell in value.__closure__ or ())
        return kind, value.__qualname__, exact(value.__defaults__), exact(cells)
    if isinstance(value, datetime.datetime) and not isinstance(value, pd.Timestamp):
        return kind, repr(value), value.fold
    if isinstance(value, (Point, Plain, Model)):
        return kind, exact(sorted(vars(value).items()))
    if isinstance(value, (Slots, Defined)):
        return kind, exact(value.x), exact(value.y)
    return kind, *_exact_data(value)


def _exact_data(value):
    if isinstance(value, np.ndarray):
        return value.dtype.str, value.shape, exact(value.tolist())
    if isinstance(value, np.generic):
        return value.dtype.str, exact(value.tolist())
    if isinstance(value, pd.MultiIndex):
        return exact(list(value.names)), exact(value.tolist())
    if isinstance(value, pd.Index):
        freq = str(getattr(value, "freq", None))
        return exact(list(value.names)), freq, _exact_column(value)
    if isinstance(value, pd.Series):
        return exact(value.name), exact(value.index), _exact_column(value), exact(value.attrs)
    if isinstance(value, pd.DataFrame):
        columns = [_exact_column(value.iloc[:, i]) for i in range(value.shape[1])]
        return exact(value.columns), exact(value.index), tuple(columns), exact(value.attrs)
    if isinstance(value, pl.Series):
        return value.name, repr(value.dtype), exact(value.to_list())
    if isinstance(value, (pa.Array, pa.ChunkedArray)):
        return str(value.type), exact(value.to_pylist())
    return (repr(value),)


def _exact_column(column):
    dtype = column.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        return exact(dtype.categories), dtype.ordered, exact(column.tolist())
    return str(dtype), exact(column.tolist())


ints = st.integers(-2, 2)
texts = st.text("ab", max_size=2) | st.sampled_from(["1", "None", "ä", "\ud800"])
atoms = st.one_of(
    st.none(),
    st.booleans(),
    ints,
    st.sampled_from([0.0, -0.0, 1.0, float("nan"), float("inf"), 2.0**70, 2**70, 1 + 0j, -1j]),
    texts,
    st.binary(max_size=2),
)
zones = st.sampled_from(
    [None, datetime.UTC, zoneinfo.ZoneInfo("UTC"), zoneinfo.ZoneInfo("Europe/Paris")]
)
scalars = st.one_of(
    atoms,
    st.sampled_from(["1", "1.0", "1.00", "NaN", "-0"]).map(decimal.Decimal),
    st.builds(fractions.Fraction, ints, st.just(2)),
    st.builds(datetime.datetime, st.just(2024), st.just(3), st.integers(1, 2), tzinfo=zones),
    st.builds(datetime.date, st.just(2024), st.just(3), st.integers(1, 2)),
    st.builds(datetime.timedelta, ints, ints),
    st.sampled_from(["a", "b/a", "/a", "."]).map(pathlib.Path),
    st.sampled_from([Color.RED, Color.BLUE, Level.LOW, int, str, Point, named, other, len]),
    ints.map(Number),
    st.builds(range, ints, ints),
    st.builds(slice, st.none() | ints, ints),
    st.builds(re.compile, st.sampled_from(["a", "b"]), st.sampled_from([0, re.I])),
    st.builds(adder, ints, ints),
    ints.map(np.int64) | ints.map(np.int32) | ints.map(np.float64),
)
keys = st.one_of(ints, texts, st.booleans(), st.tuples(ints, texts))
names = st.sampled_from([None, "a", 1])


def lists(inner, **more):
    return st.lists(inner, max_size=3, **more)


def containers(inner):
    pairs = lists(st.tuples(keys, inner))
    return st.one_of(
        lists(inner),
        lists(inner).map(tuple),
        lists(inner).map(Words),
        lists(inner).map(collections.deque),
        st.builds(collections.deque, lists(inner), st.just(4)),
        pairs.map(dict),
        pairs.map(Table),
        pairs.map(collections.OrderedDict),
        pairs.map(dict).map(types.MappingProxyType),
        st.builds(collections.defaultdict, st.sampled_from([list, set, None]), pairs),
        lists(keys).map(set),
        lists(keys).map(frozenset),
        lists(keys).map(Kinds),
        st.builds(Pair, inner, inner),
        st.builds(Point, inner, inner),
        st.builds(Slots, inner, inner),
        st.builds(Defined, inner, inner),
        st.builds(Plain, a=inner, b=inner),
        st.builds(Plain, b=inner),
        st.builds(lambda x, y: Model(x=x, y=y), inner, ints),
        st.builds(functools.partial, st.sampled_from([named, other]), inner),
        # One object twice, and the same content twice.
        inner.map(lambda part: [part, part]),
        inner.filter(is_copied).map(lambda part: [part, copy.deepcopy(part)]),
    )


def is_copied(value):
    try:
        copy.deepcopy(value)
    except TypeError:  # a mapping proxy
        return False
    return True


objects = st.recursive(scalars, containers, max_leaves=8)

columns = st.one_of(
    st.lists(ints, min_size=2, max_size=2).map(lambda v: pd.array(v, dtype="int64")),
    st.lists(ints, min_size=2, max_size=2).map(lambda v: pd.array(v, dtype="int32")),
    st.lists(ints, min_size=2, max_size=2).map(lambda v: np.array(v, dtype="float64")),
    st.lists(ints | st.none(), min_size=2, max_size=2).map(lambda v: pd.array(v, dtype="Int64")),
    st.lists(atoms.filter(lambda v: v != "\ud800"), min_size=2, max_size=2).map(
        lambda v: pd.Series(v, dtype=object).array
    ),
    st.lists(st.sampled_from(["a", "b", None]), min_size=2, max_size=2).flatmap(
        lambda v: st.sampled_from(
            [
                pd.array(v, dtype="string"),
                pd.Categorical(v, ["a", "b"]),
                pd.Categorical(v, ["b", "a"]),
                pd.Categorical(v, ["a", "b", "c"]),
                pd.Categorical(v, ["a", "b"], ordered=True),
            ]
        )
    ),
    st.sampled_from([None, "UTC", "Europe/Paris"]).map(
        lambda zone: pd.date_range("2024", periods=2, tz=zone).array
    ),
)
indexes = st.one_of(
    st.builds(lambda name: pd.RangeIndex(2, name=name), names),
    st.builds(lambda v, name: pd.Index(v, dtype=v.dtype, name=name), columns, names),
    st.builds(
        lambda v, a, b: pd.MultiIndex.from_tuples(v, names=[a, b]),
        st.lists(st.tuples(ints, st.sampled_from("ab")), min_size=2, max_size=2),
        names,
        names,
    ),
)


def frame(parts, index, labels, name, attrs):
    made = pd.concat([pd.Series(part) for part in parts], axis=1)
    made.index = index
    made.columns = pd.Index(labels[: len(parts)], name=name)
    made.attrs = attrs
    return made


attributes = st.sampled_from([{}, {"source": "a"}, {"source": "b"}])
frames = st.one_of(
    indexes,
    st.builds(lambda v, i, n: pd.Series(v, index=i, name=n), columns, indexes, names),
    st.builds(
        frame,
        st.lists(columns, min_size=1, max_size=3),
        indexes,
        st.sampled_from(["abc", "abd", "aab"]).map(list) | st.just([1, 2, 3]),
        names,
        attributes,
    ),
)
arrays = st.one_of(
    st.builds(
        lambda v, dtype, order, shape: np.array(v).astype(dtype).reshape(shape, order=order),
        st.lists(ints, min_size=4, max_size=4),
        st.sampled_from(["i4", "i8", "f8", "?", "M8[s]", "M8[D]", "U2", "O", ">i2"]),
        st.sampled_from("CF"),
        st.sampled_from([4, (2, 2), (1, 4)]),
    ),
    st.builds(
        lambda v, kind: pa.array(v, kind),
        lists(ints | st.none()),
        st.sampled_from([None, pa.int8()]),
    ),
    st.builds(pa.array, lists(st.sampled_from(["a", "b", None]))),
    st.builds(pa.array, lists(st.none() | lists(ints))),
    st.builds(
        lambda first, second: pa.chunked_array([first, second], pa.int64()),
        lists(ints | st.none()),
        lists(ints),
    ),
    st.builds(pl.Series, texts.filter(str.isascii), lists(ints | st.none()), st.just(pl.Int64)),
    st.builds(pl.Series, st.just("a"), lists(st.sampled_from(["a", None])), st.just(pl.String)),
    st.builds(pl.Series, st.just("a"), lists(lists(ints)), st.just(pl.List(pl.Int64))),
)


def check(first, second):
    """Compare two values, and each with its copies."""
    one, two = fingerprint(first), fingerprint(second)
    assert (one == two) == (exact(first) == exact(second))
    for make in (copy.deepcopy, lambda value: pickle.loads(pickle.dumps(value))):
        try:
            copied = make(first)
        except (TypeError, AttributeError, pickle.PicklingError):  # a proxy, a local function
            continue
        if exact(copied) == exact(first):
            assert fingerprint(copied) == one


# --- values that differ in one thing


def changed(draw, value):
    """Change one thing somewhere in a value, of the kind that one forgets."""
    kinds = [kind for kind in CHANGES if isinstance(value, kind)]
    changes = [change for kind in kinds for change in CHANGES[kind]] or [str]
    change = draw(st.sampled_from(changes))
    return change(draw, value) if change is inside else change(value)


def inside(draw, value):
    """Change an element or attribute."""
    if isinstance(value, dict):
        if not value:
            return {1: 1}
        key = draw(st.sampled_from(list(value)))
        new = copy.copy(value)
        new[key] = changed(draw, value[key])
        return new
    if isinstance(value, (list, tuple, collections.deque)):
        if not value:
            return type(value)([1]) if type(value) is not Pair else value
        place = draw(st.integers(0, len(value) - 1))
        parts = [changed(draw, p) if i == place else p for i, p in enumerate(value)]
        return Pair(*parts) if isinstance(value, Pair) else type(value)(parts)
    new = copy.copy(value)
    name = draw(st.sampled_from([name for name in ("a", "b", "x", "y") if hasattr(value, name)]))
    object.__setattr__(new, name, changed(draw, getattr(value, name)))
    return new


def frame_with(**options):
    def change(value):
        new = value.copy()
        for name, option in options.items():
            setattr(new, name, option)
        return new

    return change


def recategorized(value):
    if not isinstance(value.dtype, pd.CategoricalDtype):
        return value
    return value.cat.add_categories(["more"])


def ordered(value):
    return value.cat.as_ordered() if isinstance(value.dtype, pd.CategoricalDtype) else value


def reordered(value):
    return type(value)(reversed(value.items())) if type(value) in (dict, Table) else value


def by_column(change):
    def changed_frame(frame):
        # concat would align the rows.
        plain = frame.reset_index(drop=True)
        columns = [change(plain.iloc[:, place]) for place in range(frame.shape[1])]
        new = pd.concat(columns, axis=1)
        new.index, new.columns, new.attrs = frame.index, frame.columns, frame.attrs
        return new

    return changed_frame


def scalar(value):
    if isinstance(value, bool):
        return int(value)
    return {1: 1.0, 0: False, 2: "2"}.get(value, repr(value))


CHANGES = {
    dict: [
        inside,
        inside,
        lambda v: dict(reversed(v.items())),
        Table,
        dict,
        lambda v: [*v.items()],
    ],
    collections.defaultdict: [lambda v: collections.defaultdict(int, v)],
    list: [inside, inside, tuple, Words, lambda v: v[::-1], lambda v: [v], collections.deque],
    tuple: [inside, inside, list, lambda v: tuple(v[::-1])],
    collections.deque: [inside, list, lambda v: collections.deque(v, 9)],
    (set, frozenset): [lambda v: {*v, "more"}, list, set, frozenset, Kinds, lambda v: {*v, 1}],
    (Point, Plain, Slots, Defined, Model): [inside],
    functools.partial: [lambda v: functools.partial(v.func), lambda v: v.func],
    (int, float, str, bytes, type(None)): [scalar, lambda v: [v], lambda v: (v, v)],
    pd.Index: [lambda v: v.set_names(["z"] * v.nlevels), lambda v: v[::-1], list],
    pd.Series: [
        lambda v: v.rename("other"),
        lambda v: v.iloc[::-1],
        lambda v: v.astype(object),
        recategorized,
        ordered,
        frame_with(attrs={"source": "z"}),
    ],
    pd.DataFrame: [
        frame_with(attrs={"source": "z"}),
        lambda v: v.astype(object),
        lambda v: v.iloc[:, ::-1],
        lambda v: v.rename_axis(columns="z"),
        lambda v: v.rename_axis(index=["z"] * v.index.nlevels),
        lambda v: v.reset_index(drop=True),
        by_column(pd.Series.copy),
        by_column(recategorized),
        by_column(ordered),
    ],
    np.ndarray: [
        lambda v: v.T,
        lambda v: v.copy("F"),
        lambda v: v.ravel(),
        lambda v: v[::-1],
        lambda v: v.astype(object),
        np.ndarray.tolist,
    ],
    pl.Series: [lambda v: v.alias("z"), lambda v: v[::-1], pl.Series.to_list],
    (pa.Array, pa.ChunkedArray): [
        lambda v: v[::-1] if isinstance(v, pa.Array) else v,
        lambda v: v.take(pa.array(range(len(v))[::-1], pa.int64())),
        lambda v: v.to_pylist(),
        lambda v: v.slice(1),
    ],
}


@st.composite
def near(draw, strategy):
    """Draw two values: independent, equal, or different in one thing."""
    first = draw(strategy)
    how = draw(st.sampled_from(["fresh", "copy", "changed", "changed", "changed", "changed"]))
    if how == "fresh":
        return first, draw(strategy)
    if how == "copy":
        return first, copy.deepcopy(first) if is_copied(first) else first
    return first, changed(draw, first)


BASES = [
    {"a": 1, "b": 2},
    Table(a=1, b=2),
    collections.OrderedDict(a=1, b=2),
    collections.defaultdict(list, a=1, b=2),
    [1, 2],
    (1, 2),
    Words([1, 2]),
    collections.deque([1, 2], 4),
    {1, 2},
    frozenset("ab"),
    functools.partial(named, 1),
    True,
    1,
    2,
    0,
    1.0,
    "a",
    b"a",
    None,
    pd.Index([1, 2], name="a"),
    pd.MultiIndex.from_tuples([(1, "a"), (2, "b")], names=["a", "b"]),
    pd.Series(pd.Categorical(["a", "b"]), name="a"),
    pd.Series([1, 2]),
    pd.DataFrame({"a": [1, 2], "b": pd.Categorical(["a", "b"])}, index=[3, 4]),
    np.arange(4).reshape(2, 2),
    np.array(["a", "b"]),
    pl.Series("a", [1, 2]),
    pa.array([1, 2, None]),
    pa.chunked_array([[1], [2, 3]]),
]


@pytest.mark.parametrize("base", BASES, ids=lambda base: f"{type(base).__name__}")
def test_each_change_is_seen(base):
    """A value that was changed in one way, in all ways that apply."""
    changes = [change for kind in CHANGES if isinstance(base, kind) for change in CHANGES[kind]]
    for change in changes:
        if change is not inside:
            check(base, change(base))


def found_by(strategy, examples):
    """Return a test that compares pairs of values."""
    quiet = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]

    @settings(max_examples=examples, deadline=None, suppress_health_check=quiet)
    @given(pair=near(strategy))
    def test(pair):
        check(*pair)

    return test


test_objects = found_by(objects, 500)
test_frames = found_by(frames, 300)
test_arrays = found_by(arrays, 300)
test_many_objects = pytest.mark.exhaustive(found_by(objects, 20_000))
test_many_frames = pytest.mark.exhaustive(found_by(frames, 20_000))
test_many_arrays = pytest.mark.exhaustive(found_by(arrays, 20_000))
