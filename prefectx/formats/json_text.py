"""JSON that people can read, and that equals what was saved when it is loaded."""

from __future__ import annotations

import json
import math
from typing import Any, BinaryIO, cast

from prefectx.formats.base import Format, FormatError, type_name

_SCALARS = {type(None), bool, int, str}


def _dump(data: object, stream: BinaryIO) -> None:
    try:
        text = json.dumps(data, indent=2, ensure_ascii=False, allow_nan=False, default=_number)
    except (TypeError, ValueError, RecursionError) as error:
        raise FormatError(_first_difference(data) or str(error)) from error
    stream.write(text.encode())
    stream.write(b"\n")


def _load(stream: BinaryIO) -> object:
    return json.loads(stream.read())


def _verify(data: object, stream: BinaryIO) -> None:
    if not _is_plain(data) or _load(stream) != data:
        raise FormatError(_first_difference(data) or "it would not come back equal")


def _is_plain(data: object) -> bool:
    """Tell whether JSON keeps the types of all parts, or those are numbers of NumPy."""
    parts = [data]
    while parts:
        part = parts.pop()
        cls = type(part)
        if cls is list:
            parts.extend(cast("list[object]", part))
        elif cls is dict:
            members = cast("dict[object, object]", part)
            if not all(type(key) is str for key in members):
                return False
            parts.extend(members.values())
        elif cls not in _SCALARS and cls is not float and not _is_number(part):
            return False
    return True


def _is_number(value: object) -> bool:
    """Tell whether a value is a number of NumPy, which equals the same one of Python."""
    return type(value).__module__ == "numpy" and getattr(
        getattr(value, "dtype", None), "kind", ""
    ) in set("biuf")


def _number(value: Any) -> object:
    if _is_number(value) and value.shape == ():
        return value.item()
    raise FormatError(f"JSON cannot hold {type_name(value)}")


def _first_difference(data: object, where: str = "", depth: int = 0) -> str | None:
    """Describe the first part of `data` that JSON would change; None if it keeps all."""
    place = f" at {where}" if where else ""
    if depth > 100:
        return "it is nested too deeply"
    if type(data) is dict:
        return _dict_difference(data, where, depth)
    if type(data) is list:
        parts = (_first_difference(v, f"{where}[{i}]", depth + 1) for i, v in enumerate(data))
        return next(filter(None, parts), None)
    if isinstance(data, float) and not math.isfinite(data):
        return f"JSON has no {data!r}{place}"
    if type(data) in _SCALARS or type(data) is float or _is_number(data):
        return None
    if isinstance(data, tuple):
        named = "tuple" if type(data) is tuple else type_name(data)
        return f"the {named}{place} would come back as a list"
    for cls in (dict, list, str, int, float):
        if isinstance(data, cls):
            return f"the {type_name(data)}{place} would come back as {cls.__name__}"
    return f"JSON cannot hold {type_name(data)}{place}"


def _dict_difference(data: dict[object, object], where: str, depth: int) -> str | None:
    for key, value in data.items():
        if not isinstance(key, str):
            return f"the key {key!r}{f' of {where}' if where else ''} would come back as text"
        if type(key) is not str:
            return f"the key {key!r}{f' of {where}' if where else ''} would come back as str"
        if found := _first_difference(value, f"{where}[{key!r}]", depth + 1):
            return found
    return None


JSON = Format(".json", _dump, _load, _verify)
