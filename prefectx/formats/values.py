"""Single values as JSON, for what the types of a file's columns cannot say.

Text, finite numbers, lists and dicts with text as keys are written as they are. Any other value is
an object with the one key "": its kind and its text or parts, as in `{"": ["date", "2024-01-30"]}`.
Longer than 250 lines for the number of kinds.
"""

from __future__ import annotations

import base64
import datetime as dt
import decimal
import fractions
import json
import math
import sys
import uuid
import zoneinfo
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, NamedTuple, TypeAlias, cast

from prefectx.formats.base import FormatError, type_name
from prefectx.imports import require

if TYPE_CHECKING:
    from prefectx.formats.library_types import Array, PandasScalar

    Json: TypeAlias = bool | int | float | str | list["Json"] | dict[str, "Json"] | None


class _Kind(NamedTuple):
    """How values of one type become text, and values again."""

    write: Callable[..., str]
    read: Callable[[str], object]


def text_kind(value: object) -> str | None:
    """Name the kind of a value that one line of text can hold; None if there is no such kind."""
    kind = _NAMES.get(type(value))
    if kind is not None:
        return kind
    pandas, numpy = sys.modules.get("pandas"), sys.modules.get("numpy")
    if pandas is not None:
        if value is pandas.NA or value is pandas.NaT:
            return "NA" if value is pandas.NA else "NaT"
        cls = type(value)
        if cls is pandas.Timestamp or cls is pandas.Timedelta:
            return f"{cls.__name__} {cast('PandasScalar', value).unit}"
        if cls is pandas.Period:
            return f"Period {cast('PandasScalar', value).freqstr}"
    if numpy is not None and isinstance(value, numpy.generic):
        dtype = value.dtype
        return f"numpy {dtype.str}" if dtype.kind in "biufcMmU" else None
    return None


def to_text(value: object, kind: str) -> str:
    """Return the text of a value of a kind."""
    return _find(kind).write(value)


def from_text(text: str, kind: str) -> object:
    """Return the value of a kind that has a text."""
    return _find(kind).read(text)


def encode(value: object) -> Json:
    """Return a value as JSON.

    Raises:
        FormatError: values of this type cannot be kept.
    """
    cls = type(value)
    if value is None or cls in (bool, int, str) or (cls is float and math.isfinite(value)):  # type: ignore[arg-type]  # it is a float
        return cast("Json", value)
    if cls is list:
        return [encode(part) for part in cast("list[object]", value)]
    if cls is dict:
        parts = cast("dict[object, object]", value)
        if "" not in parts and all(type(key) is str for key in parts):
            return {cast("str", key): encode(part) for key, part in parts.items()}
        return {"": ["dict", [[encode(key), encode(part)] for key, part in parts.items()]]}
    if cls in (tuple, set, frozenset):
        made = [encode(part) for part in cast("tuple[object, ...]", value)]
        made = made if cls is tuple else sorted(made, key=json.dumps)
        return {"": [cls.__name__, made]}
    kind = text_kind(value)
    if kind is not None:
        return {"": [kind, to_text(value, kind)]}
    return _encode_of_libraries(value)


def _encode_of_libraries(value: object) -> Json:
    pandas, numpy = sys.modules.get("pandas"), sys.modules.get("numpy")
    if pandas is not None and type(value) is pandas.Interval:
        interval = cast("PandasScalar", value)
        ends = [encode(interval.left), encode(interval.right)]
        return {"": ["Interval", [*ends, interval.closed]]}
    if numpy is not None and type(value) is numpy.ndarray:
        array = cast("Array", value)
        if array.dtype.names is None:
            cells = [encode(cell) for cell in array.ravel()]
            return {"": ["ndarray", [array.dtype.str, list(array.shape), cells]]}
    raise FormatError(f"it cannot hold {type_name(value)}")


def decode(value: Json) -> object:
    """Return the value that `encode` wrote."""
    if isinstance(value, list):
        return [decode(part) for part in value]
    if not isinstance(value, dict):
        return value
    if "" not in value:
        return {key: decode(part) for key, part in value.items()}
    kind, content = cast("tuple[str, Json]", value[""])
    if isinstance(content, str):
        return from_text(content, kind)
    parts = [decode(part) for part in cast("list[Json]", content)]
    if kind == "dict":
        return dict(cast("list[tuple[object, object]]", parts))
    if kind == "Interval":
        return require("pandas", "to read intervals").Interval(*parts)
    if kind == "ndarray":
        numpy = require("numpy", "to read arrays")
        dtype, shape, cells = parts
        array = numpy.empty(len(cast("list[object]", cells)), dtype)
        for i, cell in enumerate(cast("list[object]", cells)):
            array[i] = cell
        return array.reshape(shape)
    return {"tuple": tuple, "set": set, "frozenset": frozenset}[kind](parts)


def write_zone(zone: dt.tzinfo) -> str:
    """Name a time zone, so that `read_zone` gives an object of the same type."""
    if zone is dt.UTC:
        return "utc"
    if type(zone) is dt.timezone:
        return f"{zone.utcoffset(None) // dt.timedelta(microseconds=1)}us"
    if isinstance(zone, zoneinfo.ZoneInfo) and zone.key:
        return zone.key
    if type(zone).__module__.partition(".")[0] == "pytz":
        return f"pytz {zone}"
    raise FormatError(f"it cannot hold the zone {zone!r}: use zoneinfo.ZoneInfo")


def read_zone(name: str) -> dt.tzinfo:
    """Return the zone that `write_zone` named."""
    if name == "utc":
        return dt.UTC
    if name.endswith("us"):
        return dt.timezone(dt.timedelta(microseconds=int(name[:-2])))
    if name.startswith("pytz "):
        return cast("dt.tzinfo", require("pytz", "for its zones").timezone(name[5:]))
    return zoneinfo.ZoneInfo(name)


def _write_time(time: dt.datetime | dt.time) -> str:
    # The zone follows in brackets, as in RFC 9557.
    zone = "" if time.tzinfo is None else f"[{write_zone(time.tzinfo)}]"
    return f"{time.isoformat()}{zone}" + "[fold]" * time.fold


def _read_time(text: str, cls: type[dt.datetime] | type[dt.time]) -> object:
    plain, *marks = text.replace("]", "").split("[")
    time = cls.fromisoformat(plain)
    for mark in marks:
        is_fold = mark == "fold"
        time = time.replace(fold=1) if is_fold else time.replace(tzinfo=read_zone(mark))
    return time


def _write_delta(delta: dt.timedelta) -> str:
    return f"{delta.days} {delta.seconds} {delta.microseconds}"


def _read_bool(text: str) -> bool:
    return {"True": True, "False": False}[text]


def _find(kind: str) -> _Kind:
    if kind in _KINDS:
        return _KINDS[kind]
    name, _, detail = kind.partition(" ")
    if name == "numpy":
        return _numpy_kind(detail)
    pandas = require("pandas", "to read its types")
    if name in ("NA", "NaT"):
        return _Kind(lambda value: "", lambda text: getattr(pandas, name))
    if name == "Period":
        return _Kind(
            lambda period: str(period.ordinal),
            lambda text: pandas.Period(ordinal=int(text), freq=detail),
        )
    if name == "Timedelta":
        return _Kind(
            lambda delta: str(delta.asm8.astype("int64")),
            lambda text: pandas.Timedelta(_scalar("m8", text, detail)).as_unit(detail),
        )
    if name == "Timestamp":
        return _Kind(_write_timestamp, lambda text: _read_timestamp(text, detail))
    raise ValueError(f"unknown kind of value: {kind!r}")


def _scalar(kind: str, text: str, unit: str) -> object:
    numpy = require("numpy", "to read times")
    return numpy.array(int(text), "int64").astype(f"{kind}[{unit}]")[()]


def _write_timestamp(time: dt.datetime) -> str:
    offset = time.utcoffset() or dt.timedelta()
    if time.tzinfo is None or not offset % dt.timedelta(minutes=1):
        return _write_time(time)
    # pandas cannot read the seconds of an offset.
    utc = time.astimezone(dt.UTC).isoformat()
    return f"{utc}[{write_zone(time.tzinfo)}]" + "[fold]" * time.fold


def _read_timestamp(text: str, unit: str) -> object:
    pandas = require("pandas", "to read times")
    plain, *marks = text.replace("]", "").split("[")
    time = pandas.Timestamp(plain)
    for mark in marks:
        if mark != "fold":
            time = time.tz_convert(read_zone(mark))
        elif not time.fold:  # the offset of a time with a zone says it already
            time = time.replace(fold=1)
    return time.as_unit(unit)


def _numpy_kind(name: str) -> _Kind:
    numpy = require("numpy", "to read its types")
    dtype = numpy.dtype(name)
    if dtype.kind in "Mm":
        return _Kind(
            lambda value: str(value.astype("int64")),
            lambda text: numpy.array(int(text), "int64").astype(dtype)[()],
        )
    if dtype.kind == "b":
        return _Kind(str, lambda text: numpy.bool_(_read_bool(text)))
    if dtype.kind == "U":
        # Its own `str` drops zero bytes at the end.
        return _Kind(str.__str__, numpy.str_)
    return _Kind(str, dtype.type)


_TYPES = {
    "none": (type(None), _Kind(lambda value: "", lambda text: None)),
    "bool": (bool, _Kind(str, _read_bool)),
    "int": (int, _Kind(str, int)),
    "float": (float, _Kind(repr, float)),
    "str": (str, _Kind(str, str)),
    "bytes": (bytes, _Kind(lambda b: base64.b64encode(b).decode(), base64.b64decode)),
    "complex": (complex, _Kind(repr, complex)),
    "decimal": (decimal.Decimal, _Kind(str, decimal.Decimal)),
    "fraction": (fractions.Fraction, _Kind(str, fractions.Fraction)),
    "date": (dt.date, _Kind(dt.date.isoformat, dt.date.fromisoformat)),
    "datetime": (dt.datetime, _Kind(_write_time, lambda text: _read_time(text, dt.datetime))),
    "time": (dt.time, _Kind(_write_time, lambda text: _read_time(text, dt.time))),
    "timedelta": (
        dt.timedelta,
        _Kind(_write_delta, lambda text: dt.timedelta(*map(int, text.split()))),
    ),
    "uuid": (uuid.UUID, _Kind(str, uuid.UUID)),
}
_KINDS = {name: kind for name, (_, kind) in _TYPES.items()}
_NAMES: dict[object, str] = {cls: name for name, (cls, _) in _TYPES.items()}


def is_same(one: object, other: object) -> bool:
    """Tell whether two values are of one type and equal in all their parts."""
    if type(one) is not type(other):
        return False
    if isinstance(one, str | int | bytes) or one is None:
        return one == other
    if isinstance(one, float | complex | fractions.Fraction | decimal.Decimal):
        # Their texts tell NaN, signs of zero and the places of a decimal.
        return repr(one) == repr(other)
    if isinstance(one, dict):
        assert isinstance(other, dict)
        return _are_same(one, other) and _are_same(one.values(), other.values())
    if isinstance(one, list | tuple):
        assert isinstance(other, list | tuple)
        return _are_same(one, other)
    try:
        return encode(one) == encode(other)
    except FormatError:
        return False


def _are_same(one: Collection[object], other: Collection[object]) -> bool:
    return len(one) == len(other) and all(map(is_same, one, other))
