"""Values as users pass them: expressions, one line for each value, equal ones in one line.

Values of different lines are different. Functions and classes that are made on the fly are in the
tests: their bytecode is that of one Python.
"""

from __future__ import annotations

import array
import collections
import dataclasses
import datetime
import decimal
import enum
import fractions
import functools
import ipaddress
import math
import operator
import os
import pathlib
import re
import sqlite3
import struct
import sys
import types
import typing
import uuid
import zoneinfo

import attrs
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pydantic

from prefectx import Filestore, Item
from prefectx.arguments.fingerprint import fingerprint
from prefectx.stores import SqlStore


class Color(enum.Enum):
    RED = 1
    BLUE = 2


class Level(enum.IntEnum):
    LOW = 1


class Access(enum.Flag):
    READ = 1
    WRITE = 2


Pair = collections.namedtuple("Pair", "left right")


class Typed(typing.NamedTuple):
    left: int
    right: int


@dataclasses.dataclass
class Point:
    x: object
    y: object = None


@dataclasses.dataclass(frozen=True, slots=True)
class Slots:
    x: object
    y: object = None


@attrs.define
class Defined:
    x: object
    y: object = None


@attrs.frozen(slots=False)
class Frozen:
    x: object
    y: object = None


class Model(pydantic.BaseModel):
    x: typing.Any
    y: int = 0


class Open(pydantic.BaseModel, extra="allow"):
    x: typing.Any = 0


class Plain:
    def __init__(self, **attributes):
        self.__dict__.update(attributes)

    def method(self):
        return self


class Words(list):
    pass


class Table(dict):
    pass


class Number(int):
    pass


class Kinds(set):
    pass


class Array(np.ndarray):
    pass


def named(value=1):
    return value


def other(value=1):
    return value


def row(sql):
    connection = sqlite3.connect(":memory:")
    connection.row_factory = sqlite3.Row
    try:
        return connection.execute(sql).fetchone()
    finally:
        connection.close()


def circle(*more):
    value = [*more]
    value.append(value)
    return value


def parsed(text, parse=eval):
    """Return a value that shares nothing with constants of the program."""
    return parse(text)


def index(**options):
    return pd.DataFrame({0: [1, 2]}, index=pd.Index([1, 2], **options))


def dates(**options):
    return pd.date_range("2024-01-01", periods=3, freq="D", **options)


def labelled(**attributes):
    frame = pd.DataFrame({0: [1]})
    frame.attrs.update(attributes)
    return frame


def fragmented():
    frame = pd.DataFrame({"a": [1, 2]})
    frame["b"] = [1.5, 2.5]
    frame["c"] = [3, 4]
    return frame


def multi(tuples, names=("i", "j")):
    """Make the levels of one type in all versions of pandas."""
    first, second = zip(*tuples, strict=True)
    return pd.MultiIndex.from_arrays([first, pd.Index(second, dtype=object)], names=names)


HERE = pathlib.Path.cwd
OBJECT = {"dtype": object}
LINES = r"""
1
True
1.0
1 + 0j
0.0
-0.0
math.nan <=> float("nan")
math.inf
2**100
Number(1)
""
"1" <=> parsed("'1'") <=> "".join(["", "1"])
"None"
"ä" <=> "\u00e4"
"a\u0308"
"\ud800"
b"1"
bytearray(b"1")
memoryview(b"1") <=> memoryview(bytearray(b"1"))
memoryview(b"12")
array.array("i", [1])
array.array("d", [1])
None
...
NotImplemented
()
[]
{}
set()
frozenset()
(1,)
[1]
[[1]]
[1, 1]
["ab", "ab"] <=> ["ab", "".join("ab")]
[[1], [1]] <=> [parsed("[1]")] * 2 <=> (lambda x: [x, x])([1])
[1, 2]
[2, 1]
[True, 2]
[1, [2, [3, [4]]]]
["a", "bc"]
["ab", "c"]
[["a"], "b"]
["a", ["b"]]
Words([1])
{1}
{"a", "b", "c"} <=> {"c", "b", "a"} <=> set("abc")
{1, "1", None, (1, 2)} <=> {(1, 2), None, "1", 1}
{frozenset("ab"), frozenset("cd")} <=> {frozenset("dc"), frozenset("ba")}
frozenset([1])
Kinds([1])
{1: 1}
{1: 1.0}
{True: 1}
{"1": 1}
{"a": 1, "b": 2} <=> dict(a=1, b=2) <=> dict([("a", 1), ("b", 2)])
{"b": 2, "a": 1}
{"a": {"b": 2}}
Table(a=1, b=2)
collections.OrderedDict(a=1, b=2)
collections.Counter("aab")
collections.Counter(a=2)
collections.defaultdict(list, a=1)
collections.defaultdict(set, a=1)
collections.deque([1, 2])
collections.deque([1, 2], maxlen=2)
collections.deque([1, 2], maxlen=3)
collections.ChainMap({"a": 1}, {"b": 2})
collections.UserDict(a=1)
types.MappingProxyType({"a": 1})
types.MappingProxyType({"a": 2})
types.SimpleNamespace(a=1, b=2) <=> types.SimpleNamespace(b=2, a=1)
types.SimpleNamespace(a=1)
{"a": 1}.keys()
{"b": 1}.keys()
{"a": 1}.values()
{"a": 1}.items()
{"a": 2}.items()
Pair(1, 2)
Typed(1, 2)
range(1)
range(2)
range(0, 2, 1 + 1)
slice(1)
slice(0, 1)
slice(None, None, 2)
decimal.Decimal("1.0")
decimal.Decimal("1.00")
decimal.Decimal("NaN")
fractions.Fraction(1, 3) <=> fractions.Fraction(2, 6)
fractions.Fraction(1, 2)
datetime.date(2024, 1, 1)
datetime.datetime(2024, 1, 1)
datetime.datetime(2024, 1, 1, fold=1)
datetime.datetime(2024, 1, 1, tzinfo=datetime.timezone.utc)
datetime.datetime(2024, 1, 1, tzinfo=zoneinfo.ZoneInfo("UTC"))
datetime.datetime(2024, 1, 1, tzinfo=zoneinfo.ZoneInfo("Europe/Paris"))
datetime.datetime(2024, 1, 1, tzinfo=datetime.timezone(datetime.timedelta(hours=1)))
datetime.datetime(2024, 1, 1, tzinfo=datetime.timezone(datetime.timedelta(hours=1), "CET"))
datetime.time(12, 30)
datetime.time(12, 30, tzinfo=datetime.timezone.utc)
datetime.timedelta(days=1) <=> datetime.timedelta(hours=24)
datetime.timedelta(seconds=1)
datetime.timezone.utc <=> datetime.timezone(datetime.timedelta(0))
zoneinfo.ZoneInfo("UTC")
zoneinfo.ZoneInfo("Europe/Paris") <=> zoneinfo.ZoneInfo.no_cache("Europe/Paris")
uuid.UUID(int=1)
uuid.UUID(int=2)
ipaddress.ip_address("127.0.0.1")
ipaddress.ip_network("127.0.0.0/8")
Color.RED <=> Color(1) <=> Color["RED"]
Color.BLUE
Level.LOW
Access.READ
Access.READ | Access.WRITE
Access(0)
re.compile("a")
re.compile("b")
re.compile("a", re.I)
re.compile(b"a")
struct.Struct("<i")
pathlib.Path("a/b.csv") <=> HERE() / "a/b.csv" <=> pathlib.Path("a//b.csv")
pathlib.Path("a/c.csv")
pathlib.Path("/a/b.csv")
pathlib.PurePosixPath("a/b.csv")
pathlib.PureWindowsPath("a/b.csv")
pathlib.Path()
operator.itemgetter(1)
operator.itemgetter(2)
operator.itemgetter(1, 2)
operator.attrgetter("a")
operator.methodcaller("a", 1)
operator.methodcaller("a", b=1)
int
str
type(None)
list[int]
list[str]
dict[str, int]
typing.List[int]
int | str <=> str | int <=> typing.Union[int, str]
int | None <=> typing.Optional[int]
typing.Any
typing.Literal["a"]
typing.Literal["b"]
Color
Point
Model
pd.DataFrame
ValueError("a")
ValueError("b")
KeyError("a")
print
len
math.sin
operator.add
str.upper
str.lower
"a".upper
"b".upper
[1].append
dict.fromkeys
named
other
functools.partial(named, 1) <=> functools.partial(functools.partial(named), 1)
functools.partial(named, 2)
functools.partial(other, 1)
functools.partial(named, value=1)
functools.partial(int, base=2)
Plain.method
Plain(a=1).method <=> Plain(a=1).method
Plain(a=2).method
os.path
math
Plain()
Plain(a=1)
Plain(a=1, b=2) <=> Plain(b=2, a=1)
Plain(a=Plain(a=1))
Plain(a=[1], b=[1]) <=> (lambda x: Plain(a=x, b=x))([1])
Point(1)
Point(2)
Point(1, [Plain(x=1)])
Slots(1)
Slots(2)
Defined(1)
Defined(2)
Frozen(1)
Frozen(2)
Model(x=1)
Model(x=2)
Model(x="1")
Model(x=1, y=1)
Open(a=1)
Open(a=2)
circle() <=> circle()
circle(1) <=> circle(1)
circle(2)
row("select 1 as a, 2 as b") <=> row("select 1 as a, 2 as b")
row("select 2 as a, 1 as b")
row("select 1 as b, 2 as a")
Item(Filestore(), "a.json") <=> Item(Filestore(), str(HERE() / "a.json")) <=> Item(Filestore(fsync=False), "a.json")
Item(Filestore(), "b.json")
Item(Filestore(), "s3://bucket/a.json")
Item(Filestore(storage_options={"endpoint_url": "x"}), "a.json") <=> Item(Filestore(storage_options={"endpoint_url": "x", "key": "k"}), "a.json")
Item(Filestore(format=".json"), "a.json")
Item(SqlStore("sqlite:///a.db"), "a.json")
Item(SqlStore("sqlite:///b.db"), "a.json")
np.int64(1)
np.int32(1)
np.float64(1) <=> np.array([1.0])[0]
np.bool_(True)
np.str_("1")
np.bytes_(b"1")
np.complex128(1)
np.datetime64("2024-01-01")
np.datetime64("2024-01-01", "ns")
np.datetime64("NaT")
np.timedelta64(1, "D")
np.array(1)
np.array([1])
np.array([1], "i4")
np.array([1], ">i4")
np.array([1.0])
np.array([[1]])
np.array([True])
np.array([])
np.empty((0, 2))
np.empty((2, 0))
np.arange(6).reshape(2, 3) <=> np.asfortranarray(np.arange(6).reshape(2, 3)) <=> np.arange(12).reshape(2, 6)[:, ::2] // 2
np.arange(6).reshape(3, 2)
np.arange(6).reshape(2, 3).T <=> np.array([[0, 3], [1, 4], [2, 5]])
np.array(["a", "b"])
np.array(["a", "b"], "U2")
np.array(["a", "b"], object) <=> np.array(["a", "".join(["", "b"])], object)
np.array([b"a"])
np.array(["a", None], object)
np.array([[1, "a"], [None, 2.0]], object)
np.array(["2024-01-01"], "M8[D]")
np.array(["2024-01-01"], "M8[s]")
np.array([(1, 2.0)], "i4,f8")
np.array([(1, 2.0)], [("a", "i4"), ("b", "f8")])
np.array([(1, 2.0)], np.dtype([("a", "i4"), ("b", "f8")], align=True))
np.rec.array([(1, 2.0)], dtype="i4,f8")
np.array([1]).view(Array)
np.ma.array([1, 2], mask=[False, True])
np.ma.array([1, 2], mask=[True, False])
np.ma.array([1, 2])
np.dtype("i4")
np.dtype("f8")
np.dtype("i4,f8")
np.dtype([("a", "i4"), ("b", "f8")])
np.dtype("U3")
np.dtype("M8[s]")
np.add
np.multiply
np.mean
np.random.default_rng(1) <=> np.random.default_rng(1)
np.random.default_rng(2)
pd.Timestamp("2024-01-01").as_unit("ns")
pd.Timestamp("2024-01-01").as_unit("s")
pd.Timestamp("2024-01-01", tz="UTC").as_unit("ns")
pd.Timestamp("2024-01-01", tz="Europe/Paris").as_unit("ns")
pd.Timedelta(1, "s").as_unit("ns")
pd.Period("2024-01", "M")
pd.Interval(0, 1)
pd.Interval(0, 1, closed="both")
pd.NaT
pd.NA
pd.offsets.MonthEnd()
pd.offsets.MonthEnd(2)
pd.DateOffset(months=1)
pd.DateOffset(months=2)
pd.Index([1, 2])
pd.Index([1, 2], name="a")
pd.Index([1.0, 2.0])
pd.Index(["a"], dtype=object)
pd.RangeIndex(2)
pd.RangeIndex(2, name="a")
dates(unit="ns")
dates(unit="ns", name="a")
dates(unit="ns", tz="UTC")
dates(unit="ns", tz="Europe/Paris")
pd.DatetimeIndex(dates(unit="ns").to_list(), dtype="M8[ns]")
pd.CategoricalIndex([1, 2], [1, 2])
multi([(1, "b"), (1, "a")]) <=> multi([(1, "b"), (1, "a"), (0, "z")])[:2]
multi([(1, "a"), (1, "b")])
multi([(1, "b"), (1, "a")], ("i", "k"))
pd.Series([1, 2])
pd.Series([1, 2], name="a")
pd.Series([1, 2], index=[1, 2])
pd.Series([1.0, 2.0])
pd.Series([1, 2], dtype="i4")
pd.Series([1, None], dtype="Int64") <=> pd.Series([1, 2], dtype="Int64").where([True, False])
pd.Series([1, 2], dtype="Int64")
pd.Series([True, None], dtype="boolean")
pd.Series([1, None], dtype="Float64")
pd.Series(["a", None], **OBJECT)
pd.Series(["a", "b"], **OBJECT)
pd.Series(["a", None], dtype="string[python]") <=> pd.Series(["a", None], dtype="string[pyarrow]")
pd.Series(["a", None, "b"], dtype="string[python]").iloc[1:] <=> pd.Series(["b", None, "b"], dtype="string[pyarrow]").iloc[1:]
pd.Series(["a", "b"], dtype=pd.CategoricalDtype(pd.Index(["a", "b"], dtype=object)))
pd.Series(["a", "b"], dtype=pd.CategoricalDtype(pd.Index(["b", "a"], dtype=object)))
pd.Series(["a", "b"], dtype=pd.CategoricalDtype(pd.Index(["a", "b", "c"], dtype=object)))
pd.Series(["a", "b"], dtype=pd.CategoricalDtype(pd.Index(["a", "b"], dtype=object), ordered=True))
pd.Series(dates(unit="ns"))
pd.Series(dates(unit="ns", tz="Europe/Paris"))
pd.Series(pd.period_range("2024-01", periods=2, freq="M"))
pd.Series(pd.interval_range(0, 2))
pd.Series(pd.arrays.SparseArray([0, 0, 1]))
pd.Series(pd.arrays.SparseArray([0, 1, 0]))
pd.Series([1, None], dtype="int64[pyarrow]")
pd.Series([[1], None], dtype=pd.ArrowDtype(pa.list_(pa.int64())))
pd.DataFrame()
pd.DataFrame({"a": [1, 2], "b": [1.5, 2.5], "c": [3, 4]}, columns=pd.Index(["a", "b", "c"], dtype=object)) <=> fragmented().set_axis(pd.Index(["a", "b", "c"], dtype=object), axis=1)
pd.DataFrame({0: [1]})
pd.DataFrame({1: [1]})
pd.DataFrame({0: [1.0]})
pd.DataFrame({0: [1], 1: [2]}, columns=pd.Index([0, 1]))
pd.DataFrame({0: [1], 1: [2]}, columns=pd.Index([1, 0]))
pd.DataFrame({0: [1, 2]})
pd.DataFrame({0: [[1, 2], {"a": 1}]})
pd.DataFrame({0: ["x", None], 1: [1.5, math.nan]}, pd.RangeIndex(2), pd.Index([0, 1]), **OBJECT)
pd.DataFrame({0: [1]}).rename_axis(columns="a")
pd.DataFrame({0: [1]}).rename_axis(index="a")
pd.DataFrame([[1, 2]], columns=multi([(1, "b"), (1, "a")]))
pd.DataFrame([[1, 2]], columns=[0, 0])
pd.CategoricalDtype(pd.Index(["a"], dtype=object))
pd.Int64Dtype()
pl.DataFrame({"a": [1, None]}) <=> pl.concat([pl.DataFrame({"a": [1]}), pl.DataFrame({"a": [None]}, {"a": pl.Int64})])
pl.DataFrame({"b": [1, None]})
pl.DataFrame({"a": [1, 2]})
pl.DataFrame({"a": [1.0, None]})
pl.DataFrame({"a": ["x", None]})
pl.DataFrame({"a": [[1], []]})
pl.DataFrame({"a": [{"x": 1}, {"x": 2}]})
pl.DataFrame({"a": [datetime.date(2024, 1, 1)]})
pl.DataFrame({"a": [decimal.Decimal("1.5")]}, {"a": pl.Decimal(10, 2)})
pl.Series([1, 2])
pl.Series("a", [1, 2])
pl.Series([1, 2, 3])[1:] <=> pl.Series([2, 3])
pl.Series([True, None])
pl.Series(["a", "b"], dtype=pl.Categorical) <=> pl.Series(["z", "a", "b"], dtype=pl.Categorical)[1:]
pl.Series(["a", "b"], dtype=pl.Enum(["a", "b"]))
pl.Series(["a", "b"], dtype=pl.Enum(["b", "a"]))
pl.Series([1], dtype=pl.Int128)
pl.Series([datetime.datetime(2024, 1, 1)])
pl.Series([datetime.datetime(2024, 1, 1)], dtype=pl.Datetime("ms"))
pl.Int64
pl.List(pl.Int64)
pl.Schema({"a": pl.Int64})
pa.array([1, None]) <=> pa.array([0, 1, None])[1:]
pa.array([1, 2])
pa.array([1, None], pa.int32())
pa.array(["a", None]) <=> pa.array(["z", "a", None, "y"])[1:3]
pa.array(["a", None], pa.large_string())
pa.array(["a", ""])
pa.array([b"a", None])
pa.array([True, None]) <=> pa.array([False, True, None])[1:]
pa.array([[1], None, []]) <=> pa.array([[0], [1], None, []])[1:]
pa.array([[1], [], []])
pa.array([{"a": 1}, None])
pa.array([{"a": 1}, {"a": None}])
pa.array([[("a", 1)]], pa.map_(pa.string(), pa.int64()))
pa.array(["a", "b"]).dictionary_encode()
pa.array([datetime.date(2024, 1, 1)])
pa.array([decimal.Decimal("1.5")])
pa.nulls(2)
pa.scalar(1)
pa.chunked_array([[1], [2]]) <=> pa.chunked_array([[1, 2]])
pa.table({"a": [1, 2]}) <=> pa.concat_tables([pa.table({"a": [1]}), pa.table({"a": [2]})])
pa.table({"b": [1, 2]})
pa.table({"a": [1, 2]}).replace_schema_metadata({"k": "v"})
pa.table({"a": ["x", "y"]})
pa.schema([("a", pa.int64())])
pa.schema([pa.field("a", pa.int64(), nullable=False)])
pa.schema([pa.field("a", pa.int64(), metadata={"k": "v"})])
pa.field("a", pa.int64())
pa.int64()
pa.list_(pa.int64())
pa.timestamp("ns", "UTC")
index()
index(name="a")
labelled()
labelled(source="x")
"""

GROUPS = [line.split(" <=> ") for line in LINES.strip().splitlines()]


def fingerprints() -> dict[str, str]:
    """Return the fingerprint of each expression."""
    return {text: fingerprint(eval(text, globals())).hex() for group in GROUPS for text in group}


if __name__ == "__main__":
    import json

    json.dump(fingerprints(), sys.stdout, indent=0, ensure_ascii=True)
