"""Frames, tables, arrays and pictures, as odd as their libraries can make them."""

from __future__ import annotations

import datetime as dt
import enum
import os
import subprocess
import sys
import zoneinfo
from collections import Counter, OrderedDict, defaultdict, namedtuple

import hypothesis.extra.numpy as hnp
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from pandas.core.dtypes import base
from polars.testing.parametric import dataframes as polars_frames

# How often each property is tried, if not as often as its test says.
MANY = int(os.environ.get("EXAMPLES", "0"))


def examples(number):
    """Run a property a moderate number of times; EXAMPLES sets another."""
    return settings(
        max_examples=MANY or number,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )


def passes_with_many_examples(file, *arguments):
    """Run the properties of a file with 20,000 examples of each."""
    environment = os.environ | {"EXAMPLES": "20000"}
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-x",
        "-p",
        "no:cacheprovider",
        file,
        *arguments,
    ]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-5000:]


# What readers of text take for something else.
awkward_text = st.sampled_from(
    [
        *("", " ", "NA", "N/A", "nan", "NaN", "null", "None", "<NA>", "NaT", "inf", "-inf"),
        *("1", "007", "1.0", "1e5", "-0", "True", "false", "TRUE", "1_000", "0x1f", "1,5"),
        *("2020-01-01", "2020-01-01T00:00:00", "12:30", "a,b", "a\tb", 'a "b"', '"', "'", "#"),
        *("a\nb", "a\rb", "\r\n", "\0", "\ufeff", "ü", "日本", "\u2028", "\\N", "[1]", "{}", "j"),
    ]
)
text = awkward_text | st.text(st.characters(exclude_categories=["Cs"]), max_size=4)
zones = st.sampled_from(
    [
        *map(zoneinfo.ZoneInfo, ["UTC", "Europe/Berlin", "America/St_Johns", "Asia/Kathmandu"]),
        *(dt.UTC, dt.timezone(dt.timedelta(hours=-3, minutes=-30))),
    ]
)
datetimes = st.datetimes(
    dt.datetime(1700, 1, 1), dt.datetime(2200, 1, 1), timezones=st.none() | zones
)
timestamps = st.builds(
    lambda time, unit: pd.Timestamp(time).as_unit(unit),
    st.datetimes(dt.datetime(1900, 1, 1), dt.datetime(2200, 1, 1), timezones=st.none() | zones),
    st.sampled_from(["s", "ms", "us", "ns"]),
)
deltas = st.timedeltas(dt.timedelta(-9999), dt.timedelta(9999))
# pandas cannot tell whether a signalling NaN is missing.
decimals = st.decimals().filter(lambda number: not number.is_snan())
numbers = st.one_of(
    st.integers(),
    st.integers(-9, 9),
    st.floats(),
    st.sampled_from([0.0, -0.0, 1.0, 2.0**53 + 2]),
    st.decimals(allow_nan=False, places=2, min_value=-999, max_value=999),
    decimals,
    st.complex_numbers(),
    st.fractions(),
)
missing = st.sampled_from([None, float("nan"), pd.NA, pd.NaT])
numpy_scalars = st.one_of(
    st.builds(np.int64, st.integers(-9, 9)),
    st.builds(np.uint8, st.integers(0, 9)),
    st.builds(np.float32, st.floats(width=32)),
    st.builds(np.float64, st.floats()),
    st.builds(np.bool_, st.booleans()),
    st.builds(np.str_, text),
    st.builds(np.datetime64, st.just("2020-01-01"), st.sampled_from(["D", "s", "ns"])),
)
Color = enum.Enum("Color", "RED GREEN")
Point = namedtuple("Point", "x y")


class Text(str):
    """A subclass of str."""


class Whole(int):
    """A subclass of int."""


class Table(dict):
    """A subclass of dict."""


scalars = st.one_of(
    missing,
    st.booleans(),
    numbers,
    text,
    st.binary(max_size=3),
    st.dates(),
    st.times(),
    datetimes,
    deltas,
    timestamps,
    st.builds(pd.Timedelta, deltas),
    st.uuids(),
    numpy_scalars,
    st.builds(pd.Interval, st.integers(0, 3), st.integers(4, 6)),
    st.builds(pd.Period, st.dates(dt.date(1900, 1, 1)), freq=st.sampled_from(["M", "D", "Q"])),
)
odd_objects = st.one_of(
    st.sampled_from(Color),
    st.builds(Text, text),
    st.builds(Whole, st.integers()),
    st.builds(object),
    st.builds(Point, st.integers(), text),
)


def containers(parts):
    keys = text | st.integers() | st.booleans() | st.none()
    return st.one_of(
        st.lists(parts, max_size=3),
        st.lists(parts, max_size=3).map(tuple),
        st.dictionaries(keys, parts, max_size=3),
        st.dictionaries(text, parts, max_size=3).flatmap(
            lambda made: st.sampled_from([OrderedDict, Table, lambda d: defaultdict(list, d)]).map(
                lambda cls: cls(made)
            )
        ),
        st.frozensets(st.integers() | text, max_size=3),
        st.builds(Counter, text),
    )


anything = st.recursive(scalars | odd_objects, containers, max_leaves=8)
plain_cells = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | text,
    lambda parts: st.lists(parts, max_size=3) | st.dictionaries(text, parts, max_size=3),
    max_leaves=5,
)

# Strategies for the cells of an object column: of one kind, with and without missing cells.
CELL_KINDS = [
    *(st.integers(), st.integers(-9, 9), st.booleans(), st.floats(), text, st.binary(max_size=3)),
    *(st.decimals(places=2, min_value=-999, max_value=999), decimals, st.dates(), st.times()),
    *(datetimes, deltas, timestamps, st.uuids(), st.lists(st.integers(), max_size=3)),
    *(st.dictionaries(text, st.integers(), max_size=2), plain_cells, numpy_scalars, scalars),
    *(st.integers() | text, st.builds(np.array, st.lists(st.integers(0, 9), max_size=3))),
]
cells = st.sampled_from(CELL_KINDS).flatmap(
    lambda kind: st.sampled_from([kind, kind | st.none(), kind | missing])
)
odd_cells = cells | st.just(anything)


def numpy_dtypes():
    """Give each NumPy type that a column of pandas can have, from NumPy's own registry."""
    names = {np.dtype(kind).str for kind in np.sctypeDict.values()}
    names = {name for name in names if np.dtype(name).kind in "biufc"}
    units = ["s", "ms", "us", "ns"]
    return [*sorted(names), *(f"M8[{unit}]" for unit in units), *(f"m8[{unit}]" for unit in units)]


def extension_dtypes():
    """Give instances of each type in pandas' registry."""
    made = []
    for cls in base._registry.dtypes:
        match cls.__name__:
            case "PeriodDtype":
                made += [cls(freq) for freq in ("M", "D", "Q-NOV", "W-WED", "h", "Y")]
            case "IntervalDtype":
                made += [
                    cls("int64", "left"),
                    cls("float64", "both"),
                    cls("datetime64[ns]", "right"),
                ]
            case "DatetimeTZDtype":
                made += [cls(u, z) for u in ("s", "ns") for z in ("UTC", "Europe/Berlin", "+05:30")]
            case "CategoricalDtype":
                pass  # drawn with their categories
            case "StringDtype":
                made += [cls(s, n) for s in ("python", "pyarrow") for n in (pd.NA, np.nan)]
            case "ArrowDtype":
                # pandas cannot show string views.
                made += [cls(kind) for kind in ARROW_SCALARS if kind != pa.string_view()]
                made += [cls(pa.list_(pa.int64())), cls(pa.struct({"a": pa.string()}))]
            case "SparseDtype":
                made += [cls("int64", 0), cls("float64"), cls("bool", False)]
            case _:
                made.append(cls())
    return made


ARROW_SCALARS = [
    *(pa.int8(), pa.int64(), pa.uint64(), pa.float32(), pa.float64(), pa.bool_(), pa.string()),
    *(pa.large_string(), pa.binary(), pa.date32(), pa.date64(), pa.time32("s"), pa.time64("us")),
    *(pa.timestamp("s"), pa.timestamp("ns", "Europe/Berlin"), pa.duration("ms"), pa.null()),
    *(pa.decimal128(9, 2), pa.float16(), pa.string_view(), pa.decimal256(50, 3)),
]


@st.composite
def numpy_values(draw, size):
    dtype = np.dtype(draw(st.sampled_from(numpy_dtypes())))
    if dtype.kind in "Mm":
        # pandas' own range of nanoseconds, and beyond for coarser units.
        elements = (
            st.integers(-(2**62), 2**62)
            if dtype.str.endswith("[ns]")
            else st.integers(-(10**10), 10**10)
        )
        elements |= st.integers(-99, 10**9) | st.just(np.iinfo("int64").min)
        return np.array(draw(st.lists(elements, min_size=size, max_size=size)), "i8").view(dtype)
    if dtype.kind in "fc" and dtype.itemsize in (16, 32) and dtype.str not in ("<c16", ">c16"):
        return draw(hnp.arrays("float64" if dtype.kind == "f" else "complex128", size)).astype(
            dtype
        )
    return draw(hnp.arrays(dtype, size))


@st.composite
def categoricals(draw, size):
    kinds = st.one_of(
        st.lists(text, max_size=4, unique=True),
        st.lists(st.integers(-9, 99), max_size=4, unique=True),
        st.lists(st.floats(allow_nan=False), max_size=4, unique=True),
        st.lists(st.sampled_from([True, False]), max_size=2, unique=True),
        st.lists(st.dates(), max_size=4, unique=True),
        st.lists(st.integers(0, 999), max_size=4, unique=True).map(pd.to_datetime),
        st.lists(st.integers(0, 9), max_size=3, unique=True).map(
            lambda days: pd.to_datetime(days, unit="D", utc=True).tz_convert("Europe/Berlin")
        ),
        st.lists(st.integers(0, 9), min_size=2, max_size=4, unique=True).map(
            lambda breaks: pd.IntervalIndex.from_breaks(sorted(breaks))
        ),
        st.lists(st.integers() | text, max_size=4, unique=True).map(
            lambda made: pd.Index(made, dtype=object)
        ),
        st.just(pd.period_range("2020", periods=2, freq="M")),
        st.just(pd.RangeIndex(3)),
        st.just(pd.Index([3, 1], dtype="Int8")),
    )
    categories = pd.Index(draw(kinds))
    codes = st.integers(-1, len(categories) - 1)
    drawn = draw(st.lists(codes, min_size=size, max_size=size))
    return pd.Categorical.from_codes(drawn, categories, ordered=draw(st.booleans()))


@st.composite
def extension_values(draw, size):
    dtype = draw(st.sampled_from(extension_dtypes()))
    integers = st.lists(st.integers(0, 100) | st.none(), min_size=size, max_size=size)
    match type(dtype).__name__:
        case "DatetimeTZDtype":
            hours = draw(integers)
            made = pd.to_datetime([None if h is None else h * 3600_000 for h in hours], unit="ms")
            return made.tz_localize("UTC").as_unit(dtype.unit).tz_convert(dtype.tz).array
        case "PeriodDtype":
            days = [
                None if d is None else dt.date(2020, 1, 1) + dt.timedelta(d * 20)
                for d in draw(integers)
            ]
            return (
                pd.PeriodIndex(days, freq=dtype.freq).array if size else pd.array([], dtype=dtype)
            )
        case "IntervalDtype":
            cells = [
                None if n is None else pd.Interval(n, n + 1, dtype.closed) for n in draw(integers)
            ]
            if dtype.subtype.kind == "M":
                return pd.array([None] * size, dtype=dtype)
            left = [np.nan if cell is None else float(cell.left) for cell in cells]
            return pd.arrays.IntervalArray.from_arrays(left, np.array(left) + 1, dtype.closed)
        case "StringDtype":
            return pd.array(draw(st.lists(text | st.none(), min_size=size, max_size=size)), dtype)
        case "ArrowDtype":
            return draw(arrow_values(dtype, size))
        case "SparseDtype":
            return pd.arrays.SparseArray(draw(hnp.arrays(dtype.subtype, size)), dtype=dtype)
        case "BooleanDtype":
            cells = st.sampled_from([True, False, None])
            return pd.array(draw(st.lists(cells, min_size=size, max_size=size)), dtype=dtype)
        case "IntervalDtype" | "ExtensionDtype":
            return pd.array([None] * size, dtype=dtype)
        case name if name.startswith("Float"):
            cells = st.floats(width=32) | st.none()
            values = draw(hnp.arrays(dtype.numpy_dtype, size))
            return type(pd.array([], dtype=dtype))(values, draw(hnp.arrays(bool, size)))
        case _:
            info = np.iinfo(dtype.numpy_dtype)
            cells = st.integers(int(info.min), int(info.max)) | st.none()
            return pd.array(draw(st.lists(cells, min_size=size, max_size=size)), dtype=dtype)


def arrow_values(dtype, size):
    kind = dtype.pyarrow_dtype
    match str(kind):
        case "bool":
            cells = st.booleans()
        case "string" | "large_string" | "string_view":
            cells = text
        case "binary":
            cells = st.binary(max_size=3)
        case name if name.startswith(("list",)):
            cells = st.lists(st.integers(0, 9) | st.none(), max_size=3)
        case name if name.startswith("struct"):
            cells = st.fixed_dictionaries({"a": text | st.none()})
        case name if name.startswith("decimal"):
            cells = st.decimals(-999, 999, places=2)
        case name if name.startswith("date"):
            cells = st.dates(dt.date(1900, 1, 1), dt.date(2200, 1, 1))
        case "null":
            cells = st.none()
        case name if name.startswith(("float", "half", "double")):
            cells = st.floats(width=16)
        case _:
            cells = st.integers(0, 100)

    def build(drawn):
        if pa.types.is_float16(kind):
            drawn = [None if cell is None else np.float16(cell) for cell in drawn]
        return pd.arrays.ArrowExtensionArray(pa.array(drawn, type=kind))

    return st.lists(cells | st.none(), min_size=size, max_size=size).map(build)


@st.composite
def object_values(draw, size, kinds=cells):
    cell = draw(kinds)
    values = np.empty(size, dtype=object)
    for i in range(size):
        values[i] = draw(cell)
    return values


def columns(size, kinds=cells):
    return st.one_of(
        numpy_values(size),
        categoricals(size),
        extension_values(size),
        object_values(size, kinds),
        hnp.arrays(st.sampled_from(["int64", "float64", "bool"]), size),
        st.lists(text | st.none(), min_size=size, max_size=size).map(
            lambda made: pd.array(made, dtype="str" if pd.__version__ >= "3" else object)
        ),
    )


labels = text | st.integers(-3, 2030) | st.dates() | st.none() | st.floats(allow_nan=False)
FREQS = ["D", "h", "MS", "W-WED", "B", "QS-FEB", "15min", "2D"]


@st.composite
def indexes(draw, size):
    names = st.none() | text | st.integers(0, 3) | st.tuples(text, st.integers(0, 3))
    kind = draw(st.sampled_from(["default", "range", "column", "times", "periods", "multi"]))
    if kind == "default":
        return pd.RangeIndex(size)
    if kind == "range":
        start, step = draw(st.integers(-3, 3)), draw(st.sampled_from([-2, 1, 3]))
        return pd.RangeIndex(start, start + step * size, step, name=draw(names))
    if kind == "times":
        zone = draw(st.none() | st.sampled_from(["UTC", "Europe/Berlin"]))
        return pd.date_range(
            "2020-03-01", periods=size, freq=draw(st.sampled_from(FREQS)), tz=zone, name=draw(names)
        )
    if kind == "periods":
        return pd.period_range("2020", periods=size, freq=draw(st.sampled_from(["M", "D", "Y"])))
    if kind == "multi":
        levels = draw(st.integers(1, 3))
        # pandas mixes up the values of sparse levels.
        dense = columns(size).filter(lambda made: not isinstance(made, pd.arrays.SparseArray))
        arrays = [draw(dense) for _ in range(levels)]
        try:
            return pd.MultiIndex.from_arrays(arrays, names=[draw(names) for _ in range(levels)])
        except Exception:
            return pd.RangeIndex(size)
    try:
        return pd.Index(draw(columns(size)), name=draw(names))
    except Exception:
        return pd.RangeIndex(size)


@st.composite
def headers(draw, width):
    kind = draw(st.sampled_from(["plain", "plain", "labels", "index"]))
    if kind == "plain":
        names = st.text("abcxyz _", min_size=1, max_size=4)
        return pd.Index(draw(st.lists(names, min_size=width, max_size=width, unique=True)))
    if kind == "labels":
        drawn = draw(st.lists(labels, min_size=width, max_size=width))
        return pd.Index(drawn, dtype=object if draw(st.booleans()) else None, tupleize_cols=False)
    return draw(indexes(width))


attributes = st.just({}) | st.dictionaries(text, plain_cells | scalars, max_size=2)


@st.composite
def frames(draw, kinds=cells):
    """Give frames of pandas with any columns, index, header and attributes."""
    size = draw(st.sampled_from([0, 1, 2, 3, 5]))
    width = draw(st.integers(0, 4))
    index = draw(indexes(size))
    made = [pd.Series(draw(columns(size, kinds)), index=index) for _ in range(width)]
    frame = pd.concat(made, axis=1) if made else pd.DataFrame(index=index)
    frame.columns = draw(headers(width))
    frame.index = index
    frame.attrs = draw(attributes)
    return frame


arrow_types = st.recursive(
    st.sampled_from(
        [
            *ARROW_SCALARS,
            *(pa.dictionary(pa.int8(), pa.string()), pa.dictionary(pa.int32(), pa.int64())),
            *(pa.binary(3), pa.binary_view(), pa.large_binary(), pa.month_day_nano_interval()),
        ]
    ),
    lambda kinds: st.one_of(
        kinds.map(pa.list_),
        kinds.map(pa.large_list),
        kinds.map(lambda kind: pa.list_(kind, 2)),
        st.lists(kinds, max_size=2).map(
            lambda made: pa.struct([(f"f{i}", kind) for i, kind in enumerate(made)])
        ),
        kinds.map(lambda kind: pa.map_(pa.string(), kind)),
    ),
    max_leaves=3,
)


def arrow_cell(kind):
    types = pa.types
    if types.is_dictionary(kind):
        return arrow_cell(kind.value_type)
    if types.is_map(kind):
        item = arrow_cell(kind.item_type)
        return st.dictionaries(st.text("ab", max_size=2), item, max_size=2).map(
            lambda made: list(made.items())
        )
    if types.is_fixed_size_list(kind):
        return st.lists(arrow_cell(kind.value_type) | st.none(), min_size=2, max_size=2)
    if types.is_list(kind) or types.is_large_list(kind):
        return st.lists(arrow_cell(kind.value_type) | st.none(), max_size=2)
    if types.is_struct(kind):
        return st.fixed_dictionaries({f.name: arrow_cell(f.type) | st.none() for f in kind})
    if types.is_fixed_size_binary(kind):
        return st.binary(min_size=3, max_size=3)
    if types.is_null(kind):
        return st.none()
    if types.is_boolean(kind):
        return st.booleans()
    if types.is_decimal(kind):
        return st.decimals(-999, 999, places=2)
    if types.is_floating(kind):
        return st.floats(width=16).map(np.float16 if types.is_float16(kind) else float)
    if types.is_date(kind):
        return st.dates(dt.date(1900, 1, 1), dt.date(2200, 1, 1))
    if types.is_interval(kind):
        return st.tuples(st.integers(0, 9), st.integers(0, 9), st.integers(0, 9)).map(
            lambda parts: pa.MonthDayNano(parts)
        )
    if "string" in str(kind):
        return text
    if "binary" in str(kind):
        return st.binary(max_size=3)
    return st.integers(0, 100)


@st.composite
def tables(draw, kinds=arrow_types, repeats=True, names=("a", "b", "", "ü")):
    """Give Arrow tables of any types, with metadata, nulls, chunks and repeated names."""
    size = draw(st.integers(0, 4))
    fields, arrays = [], []
    for _ in range(draw(st.integers(0, 4))):
        kind = draw(kinds)
        cells = draw(st.lists(arrow_cell(kind) | st.none(), min_size=size, max_size=size))
        try:
            if pa.types.is_dictionary(kind):
                array = pa.array(cells, kind.value_type).dictionary_encode().cast(kind)
            else:
                array = pa.array(cells, kind)
        except pa.ArrowException:
            array = pa.nulls(size, kind)
        metadata = draw(st.none() | st.just({"unit": "m"}))
        repeated = repeats and draw(st.integers(0, 19)) == 0
        name = draw(st.sampled_from(names)) + ("" if repeated else str(len(fields)))
        fields.append(pa.field(name, kind, metadata=metadata))
        arrays.append(array)
    table = pa.Table.from_arrays(arrays, schema=pa.schema(fields))
    return table.replace_schema_metadata(draw(st.none() | st.just({"k": "v", "pandas": "{}"})))


PLAIN_ARROW = [
    *(pa.int8(), pa.int64(), pa.uint64(), pa.float32(), pa.float64(), pa.bool_(), pa.string()),
    *(pa.large_string(), pa.binary(), pa.date32(), pa.time64("us"), pa.decimal128(9, 2)),
    *(pa.timestamp("us"), pa.timestamp("ns", "Europe/Berlin"), pa.duration("ms")),
]
plain_arrow = st.sampled_from(PLAIN_ARROW)
plain_tables = tables(plain_arrow | plain_arrow.map(pa.list_), repeats=False)


def polars_dtypes():
    """Give every type of polars, from its own tree of classes."""

    def below(cls):
        for sub in cls.__subclasses__():
            yield sub
            yield from below(sub)

    return sorted({cls for cls in below(pl.DataType) if not cls.__subclasses__()}, key=str)


polars_tables = polars_frames(max_cols=4, max_size=5, allow_null=True)

IMAGE_MODES = ["1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr", "I", "F", "I;16"]
