"""The forms of what Python and its standard library have."""

from __future__ import annotations

import array
import collections
import datetime
import decimal
import enum
import fractions
import functools
import itertools
import os
import pathlib
import re
import struct
import types
import typing
import uuid
import zoneinfo
from collections.abc import Mapping
from typing import Any

from xxhash import xxh3_128_digest

from prefectx.arguments.by_value import ByValue
from prefectx.arguments.identity import functions
from prefectx.arguments.identity.form import Form, Maker, Unidentifiable
from prefectx.arguments.identity.objects import subclass_form


def list_form(value: list[object]) -> Form:
    """Identify a list by its elements."""
    return Form("list", value)


def tuple_form(value: tuple[object, ...]) -> Form:
    """Identify a tuple by its elements."""
    return Form("tuple", value)


def dict_form(value: Mapping[object, object]) -> Form:
    """Identify a dict by its keys and values, in order."""
    return Form("dict", list(itertools.chain.from_iterable(value.items())))


def _set(value: set[object] | frozenset[object]) -> Form:
    base = frozenset if isinstance(value, frozenset) else set
    form = Form(base.__name__, list(value), is_unordered=True)
    if type(value) is base:
        return form
    return Form("subclass", [type(value), form, getattr(value, "__dict__", None)])


def _enum(value: enum.Enum) -> Form:
    return Form("enum", (type(value), value._name_, value._value_))


def _datetime(value: datetime.datetime | datetime.time) -> Form:
    naive = value.replace(tzinfo=None).isoformat()
    return Form(type(value).__name__, (naive, value.fold, value.tzinfo))


def _zone(value: zoneinfo.ZoneInfo) -> Form:
    if value.key is None:
        raise Unidentifiable(value, "it has no name")
    return Form("ZoneInfo", (value.key,))


def _memoryview(value: memoryview) -> Form:
    try:
        content = (value.format, value.shape, xxh3_128_digest(value.tobytes()))
    except ValueError as error:
        raise Unidentifiable(value, str(error)) from error
    return Form("memoryview", content)


def _array(value: array.array[Any]) -> Form:
    return Form("array", (value.typecode, value.itemsize, xxh3_128_digest(value.tobytes())))


def path_form(value: pathlib.PurePath) -> Form:
    """Identify a path; a relative one and its absolute form are the same."""
    if type(value) in (pathlib.PosixPath, pathlib.WindowsPath):
        return Form("Path", place=str(value))
    if type(value) in (pathlib.PurePosixPath, pathlib.PureWindowsPath):
        return Form(type(value).__name__, (value.as_posix(),))
    is_concrete = isinstance(value, pathlib.Path)
    form = Form("Path", (), place=str(value)) if is_concrete else Form("path", (str(value),))
    return subclass_form(value, type(value).__mro__[1], form)


def _union(value: Any) -> Form:
    # Optional[int] is of this type too.
    return Form("union", typing.get_args(value), is_unordered=True)


def _typing_alias(value: Any) -> Form:
    parts = (value.__origin__, value.__args__, getattr(value, "__metadata__", None))
    return Form("typing alias", (getattr(value, "_name", None), *parts))


def _row(value: Any) -> Form:
    return Form("Row", (tuple(value.keys()), tuple(value)))


EXACT: dict[type, Maker] = {
    list: list_form,
    tuple: tuple_form,
    dict: dict_form,
    bytearray: lambda value: Form("bytearray", (bytes(value),)),
    memoryview: _memoryview,
    array.array: _array,
    slice: lambda value: Form("slice", (value.start, value.stop, value.step)),
    range: lambda value: Form("range", (value.start, value.stop, value.step)),
    type(...): lambda value: Form("Ellipsis"),
    type(NotImplemented): lambda value: Form("NotImplemented"),
    decimal.Decimal: lambda value: Form("Decimal", (str(value),)),
    fractions.Fraction: lambda value: Form("Fraction", (value.numerator, value.denominator)),
    datetime.datetime: _datetime,
    datetime.time: _datetime,
    datetime.date: lambda value: Form("date", (value.isoformat(),)),
    datetime.timedelta: lambda value: Form(
        "timedelta", (value.days, value.seconds, value.microseconds)
    ),
    datetime.timezone: lambda value: Form("timezone", (value.utcoffset(None), value.tzname(None))),
    zoneinfo.ZoneInfo: _zone,
    uuid.UUID: lambda value: Form("UUID", (value.hex,)),
    re.Pattern: lambda value: Form("pattern", (value.pattern, value.flags)),
    struct.Struct: lambda value: Form("Struct", (value.format,)),
    os.DirEntry: lambda value: Form("DirEntry", place=os.fsdecode(value.path)),
    collections.deque: lambda value: Form("deque", (value.maxlen, *value)),
    collections.Counter: lambda value: Form("Counter", dict_form(value).parts),
    collections.OrderedDict: lambda value: Form("OrderedDict", dict_form(value).parts),
    collections.defaultdict: lambda value: Form(
        "defaultdict", (value.default_factory, *dict_form(value).parts)
    ),
    collections.ChainMap: lambda value: Form("ChainMap", value.maps),
    types.SimpleNamespace: lambda value: Form(
        "SimpleNamespace", (functions.attributes_form(vars(value)),)
    ),
    types.MappingProxyType: lambda value: Form("mappingproxy", dict_form(value).parts),
    type({}.keys()): lambda value: Form("dict_keys", list(value)),
    type({}.values()): lambda value: Form("dict_values", list(value)),
    type({}.items()): lambda value: Form("dict_items", list(value)),
    typing.TypeVar: lambda value: Form(
        "TypeVar", (value.__name__, value.__bound__, value.__constraints__, value.__covariant__)
    ),
    types.GenericAlias: lambda value: Form("alias", (value.__origin__, value.__args__)),
    types.UnionType: _union,
    type(typing.Union[int, str]): _union,  # noqa: UP007  # another type before Python 3.14
    types.FunctionType: functions.function_form,
    types.CodeType: functions.code_form,
    types.CellType: functions.cell_form,
    types.MethodType: functions.method_form,
    types.BuiltinFunctionType: functions.builtin_form,
    types.MethodWrapperType: functions.builtin_form,
    types.MethodDescriptorType: functions.descriptor_form,
    types.WrapperDescriptorType: functions.descriptor_form,
    types.ClassMethodDescriptorType: functions.descriptor_form,
    types.GetSetDescriptorType: functions.descriptor_form,
    types.MemberDescriptorType: functions.descriptor_form,
    types.ModuleType: functions.module_form,
    functools.partial: functions.partial_form,
    type(functools.lru_cache(int)): functions.cached_form,
    classmethod: functions.wrapping_form,
    staticmethod: functions.wrapping_form,
    property: functions.property_form,
    functools.cached_property: lambda value: Form("cached property", (value.func,)),
    # The elements of a set are not in order.
    type(iter(set())): functions.consumable_form,
    # The file does not count: a program may be moved.
    ByValue: lambda value: Form("by value", (value.function,)),
}

NAMED: dict[str, Maker] = {
    "sqlite3.Row": _row,
}

FAMILIES: dict[type, Maker] = {
    type: functions.class_form,
    enum.Enum: _enum,
    set: _set,
    frozenset: _set,
    pathlib.PurePath: path_form,
    type(typing.List[int]): _typing_alias,  # noqa: UP006  # it is another type than list[int]
}
