"""Durations and sizes: read as people write them, kept in seconds and bytes.

The parsers follow the rules of those in values.py.
"""

from __future__ import annotations

import math
import re

from pydantic import ByteSize, TypeAdapter, ValidationError

_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_SPELLED = {
    "sec": "s",
    "second": "s",
    "min": "m",
    "minute": "m",
    "hr": "h",
    "hour": "h",
    "day": "d",
}
UNITS = (*_SECONDS, *(f"{unit}s?" for unit in _SPELLED))
"""The units of durations as a pattern has them."""

_PART = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([a-zA-Z]*)\s*")

_BYTES = {"TB": 10**12, "TiB": 2**40, "GB": 10**9, "GiB": 2**30, "MB": 10**6, "MiB": 2**20}
_SIZE = re.compile(r"\s*\d*\.?\d+\s*[a-zA-Z]*\s*")

_OFF = ("false", "off")

_byte_size = TypeAdapter(ByteSize)


def is_off(value: object) -> bool:
    """Return whether a value means false; false is kept as None."""
    return value is None or value is False or (isinstance(value, str) and value.lower() in _OFF)


def parse_duration(value: object) -> float | None:
    """Read a duration in seconds; None if it is switched off."""
    if is_off(value):
        return None
    seconds = _spelled(value) if isinstance(value, str) else number(value)
    if seconds is None or not 0 < seconds < math.inf:
        raise ValueError('a duration: write "90s", "10m", "2h", a number of seconds, or false')
    return seconds


def _spelled(text: str) -> float | None:
    """Add up the parts of `1h 30m`; a number alone means seconds."""
    parts = _PART.findall(text)
    if _PART.sub("", text) or (len(parts) > 1 and any(not unit for _, unit in parts)):
        return None
    units = [_unit(unit or "s") for _, unit in parts]
    if not parts or not all(units):
        return None
    return sum(float(count) * _SECONDS[unit] for (count, _), unit in zip(parts, units, strict=True))


def _unit(text: str) -> str:
    unit = text.lower()
    return unit if unit in _SECONDS else _SPELLED.get(unit.removesuffix("s"), "")


def format_duration(seconds: float) -> str:
    """Write a duration as people do: `90s`, `10m`."""
    for unit in ("d", "h", "m"):
        if seconds % _SECONDS[unit] == 0 and (unit != "m" or seconds >= 120):
            return f"{seconds / _SECONDS[unit]:.12g}{unit}"
    return f"{seconds:.12g}s"


def parse_size(value: object) -> int | None:
    """Read a size in bytes."""
    if value is None:
        return None
    size = _bytes(value)
    if size is None:
        raise ValueError('a size: write "2GB", "512MiB" or a number of bytes')
    return size


def format_size(size: int) -> str:
    """Write a size in the largest unit that divides it: `2GB`, `512MiB`."""
    for unit, factor in _BYTES.items():
        if size % factor == 0:
            return f"{size // factor}{unit}"
    return f"{size}B"


def parse_memory_limit(value: object) -> int | float | str | None:
    """Read a worker's memory limit: a size, a fraction of the machine's, "auto", or false."""
    if is_off(value):
        return None
    if isinstance(value, str) and value.lower() == "auto":
        return "auto"
    share = number(value)
    if share is not None and 0 < share <= 1:
        return share
    size = _bytes(value)
    if size is None:
        raise ValueError('a memory limit: write "4GB", "auto", a fraction such as 0.5, or false')
    return size


def parse_fraction(value: object) -> float | bool | None:
    """Read a fraction of the memory limit, or false; None leaves the choice to Dask."""
    if is_off(value):
        return None if value is None else False
    share = number(value)
    if share is None or not 0 < share <= 1:
        raise ValueError("a fraction of the memory limit: write 0.8, or false")
    return share


def number(value: object) -> float | None:
    """Read a finite number, also one written as text; None if it is not one."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        parsed = float(value)
    except (ValueError, OverflowError):
        return None
    return parsed if math.isfinite(parsed) else None


def _bytes(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    # pydantic stops at the comma of "1,5GB" and reads one byte.
    if isinstance(value, str) and not _SIZE.fullmatch(value):
        return None
    if isinstance(value, str) and value.rstrip()[-1:] == "i":  # as Kubernetes writes it: 2Gi
        value = f"{value.rstrip()}B"
    try:
        size = int(_byte_size.validate_python(value))
    except (ValidationError, OverflowError, ValueError):
        return None
    return size if size > 0 else None
