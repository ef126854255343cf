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
        return str(value.dtype), exact(list(value.names)), freq, exact(value.tolist())
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


def near(strategy):
    """Draw two values, each second time the same twice."""
    return strategy.flatmap(
        lambda first: st.tuples(st.just(first), strategy | st.builds(same, st.just(first)))
    )


def same(value):
    return copy.deepcopy(value) if is_copied(value) else value


def found_by(strategy, examples):
    """Return a test that compares pairs of values."""
    quiet = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]

    @settings(max_examples=examples, deadline=None, suppress_health_check=quiet)
    @given(pair=near(strategy))
    def test(pair):
        check(*pair)

    return test


test_objects = found_by(objects, 300)
test_frames = found_by(frames, 300)
test_arrays = found_by(arrays, 300)
test_many_objects = pytest.mark.slow(found_by(objects, 20_000))
test_many_frames = pytest.mark.slow(found_by(frames, 20_000))
test_many_arrays = pytest.mark.slow(found_by(arrays, 20_000))
