"""Stable fingerprints: equal arguments have equal ones, in every process and on every machine."""

from __future__ import annotations

import datetime
import decimal
import enum
import fractions
import types
import uuid
from collections.abc import Iterable, Mapping
from hashlib import blake2b
from pathlib import PurePath
from typing import Any

from prefectx.arguments.by_value import ByValue
from prefectx.arguments.traversal import ATOMS
from prefectx.futures import item_of

_BY_REPR = (
    datetime.date,
    datetime.time,
    datetime.timedelta,
    datetime.tzinfo,
    decimal.Decimal,
    fractions.Fraction,
    uuid.UUID,
    range,
    slice,
)
_FUNCTIONS = (types.FunctionType, types.BuiltinFunctionType, type)


def fingerprint(value: Any) -> bytes:
    """Return 16 bytes that stand for a value.

    Built from the type and the content, never from an address or a raw pickle, so that it is the
    same in every process. What cannot be taken apart (locks, connections, generators) counts by
    its type only.

    Parameters:
        value: any object; containers and objects are entered.
    """
    return _digest(value, ())


def short_hash(arguments: Mapping[str, Any]) -> str:
    """Return eight hexadecimal digits that stand for all arguments of a call."""
    return fingerprint(dict(arguments)).hex()[:8]


def comparable(value: Any) -> Any:
    """Return a small object that is equal for equal values: the value itself, or its print."""
    return value if type(value) in ATOMS else fingerprint(value)


def _hash(tag: str, *parts: bytes) -> bytes:
    state = blake2b(tag.encode(), digest_size=16)
    for part in parts:
        state.update(len(part).to_bytes(8, "little"))
        state.update(part)
    return state.digest()


def _digest(value: Any, above: tuple[int, ...]) -> bytes:
    kind = type(value)
    if kind in ATOMS:
        return _hash(kind.__name__, repr(value).encode("utf-8", "surrogatepass"))
    if id(value) in above:
        return _hash("cycle")
    above = (*above, id(value))
    if kind in (list, tuple):
        return _hash(kind.__name__, *_each(value, above))
    if kind is dict:
        return _hash("dict", *sorted(_pairs(value.items(), above)))
    if kind in (set, frozenset):
        return _hash(kind.__name__, *sorted(_each(value, above)))
    return _digest_object(value, above)


def _each(values: Iterable[Any], above: tuple[int, ...]) -> list[bytes]:
    return [_digest(value, above) for value in values]


def _pairs(pairs: Iterable[tuple[Any, Any]], above: tuple[int, ...]) -> list[bytes]:
    return [_digest(key, above) + _digest(value, above) for key, value in pairs]


def _digest_object(value: Any, above: tuple[int, ...]) -> bytes:
    item = item_of(value)
    if item is not None:
        return _hash("item", _name(type(item.store)), item.location.encode())
    if isinstance(value, enum.Enum):
        return _hash("enum", _name(type(value)), value.name.encode())
    if isinstance(value, _BY_REPR):
        return _hash("repr", _name(type(value)), repr(value).encode())
    if isinstance(value, PurePath):
        return _hash("path", str(value).encode("utf-8", "surrogatepass"))
    if isinstance(value, _FUNCTIONS):
        return _digest_function(value, above)
    if isinstance(value, ByValue):
        # The file does not count: a program may be moved.
        return _digest(value.function, above)
    if type(value).__module__.partition(".")[0] == "pandas" and hasattr(value, "to_frame"):
        return _digest_columns(value, above)
    if type(value).__module__.partition(".")[0] == "pandas" and hasattr(value, "columns"):
        return _digest_columns(value, above)
    return _digest_state(value, above)


def _digest_columns(value: Any, above: tuple[int, ...]) -> bytes:
    """Go by index, names, types and values: a frame's inner layout depends on its history."""
    frame = value if hasattr(value, "columns") else value.to_frame()
    parts = [frame.index.to_numpy(), *(frame.iloc[:, i].to_numpy() for i in range(frame.shape[1]))]
    names = [list(frame.columns), [str(kind) for kind in frame.dtypes]]
    return _hash("frame", _name(type(value)), *_each(names, above), *_each(parts, above))


def _digest_function(value: Any, above: tuple[int, ...]) -> bytes:
    name = _name(value)
    code = getattr(value, "__code__", None)
    if code is None or "<" not in value.__qualname__:
        return _hash("function", name)
    cells = [cell.cell_contents for cell in value.__closure__ or ()]
    content = [value.__defaults__, value.__kwdefaults__, cells]
    return _hash("local", name, *_digest_code(code), *_each(content, above))


def _digest_code(code: types.CodeType) -> list[bytes]:
    parts = [code.co_code, " ".join(code.co_names).encode()]
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            parts += _digest_code(constant)
        else:
            parts.append(_digest(constant, ()))
    return parts


def _digest_state(value: Any, above: tuple[int, ...]) -> bytes:
    try:
        reduced = value.__reduce_ex__(4)
    except Exception:  # whatever an object's own __reduce__ raises, it cannot be taken apart
        return _hash("opaque", _name(type(value)))
    if isinstance(reduced, str):
        return _hash("global", _name(type(value)), reduced.encode())
    make, arguments, *rest = reduced
    state, items, pairs = (*rest, None, None, None)[:3]
    return _hash(
        "object",
        _name(type(value)),
        _digest(make, above),
        _digest(arguments, above),
        _digest(state, above),
        *_each(items or (), above),
        *_pairs(pairs or (), above),
    )


def _name(thing: Any) -> bytes:
    return f"{thing.__module__}.{getattr(thing, '__qualname__', thing.__name__)}".encode()
