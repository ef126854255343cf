"""JSON that people can read, and that equals what was saved when it is loaded."""

from __future__ import annotations

import json
import math
from typing import Any, BinaryIO

from prefectx.formats.base import Format, FormatError, type_name


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
    if _load(stream) != data:
        raise FormatError(_first_difference(data) or "it would not come back equal")


def _number(value: Any) -> object:
    # NumPy's numbers equal Python's. Its arrays equal nothing in JSON.
    if type(value).__module__ == "numpy" and getattr(value, "shape", None) == ():
        return value.item()
    raise FormatError(f"JSON cannot hold {type_name(value)}")


def _first_difference(data: object, where: str = "", depth: int = 0) -> str | None:
    """Describe the first part of `data` that JSON would change; None if it keeps all."""
    place = f" at {where}" if where else ""
    if depth > 100:
        return "it is nested too deeply"
    if isinstance(data, dict):
        return _dict_difference(data, where, depth)
    if isinstance(data, list):
        parts = (_first_difference(v, f"{where}[{i}]", depth + 1) for i, v in enumerate(data))
        return next(filter(None, parts), None)
    if isinstance(data, float) and not math.isfinite(data):
        return f"JSON has no {data!r}{place}"
    if data is None or isinstance(data, str | int | float):
        return None
    if isinstance(data, tuple):
        return f"the tuple{place} would come back as a list"
    return f"JSON cannot hold {type_name(data)}{place}"


def _dict_difference(data: dict[object, object], where: str, depth: int) -> str | None:
    for key, value in data.items():
        if not isinstance(key, str):
            return f"the key {key!r}{f' of {where}' if where else ''} would come back as text"
        if found := _first_difference(value, f"{where}[{key!r}]", depth + 1):
            return found
    return None


JSON = Format(".json", _dump, _load, _verify)
