"""The default of `{base}`: a readable name made from the arguments of a call."""

from __future__ import annotations

import datetime
import re
from collections.abc import Collection, Mapping
from pathlib import PurePath
from typing import Any

from prefectx.arguments.fingerprint import short_hash
from prefectx.futures import item_of
from prefectx.targets.field import show

_PLAIN_STRING = re.compile(r"[A-Za-z_][A-Za-z0-9_.]{0,39}")
_PLAIN_FLOAT = re.compile(r"-?[0-9]{1,15}\.[0-9]{1,15}")
# What is shown for another value, and what looks like a hash, of today or of earlier versions.
_AMBIGUOUS = re.compile(r"None|True|False|nan|inf|[0-9a-f]{8}|[0-9a-f]{16}")
_HASH_DIGITS = 16
_UNSAFE = re.compile(r"[^A-Za-z0-9_.=+-]+")
_LONGEST = 80
_MOST_SHOWN = 40


class DefaultName:
    """Names the calls of one function; different calls get different names.

    Parameters:
        default: the name of a call without arguments.
        hidden: the names of arguments that are not shown: `self`, `*args`, `**kwargs`, passwords.
            They count in the hash if they are not empty.
        ignored: the names of arguments that are left out altogether.
        folders: the root and the project's folder: paths in the hash count relative to them.
        name: the name that was given to the task; it stands before the arguments.
    """

    __slots__ = ("_default", "_folders", "_hidden", "_ignored", "_name")
    text = "base"

    def __init__(
        self,
        default: str,
        hidden: Collection[str] = (),
        ignored: Collection[str] = (),
        folders: tuple[str, ...] = (),
        name: str | None = None,
    ) -> None:
        self._default = default
        self._name = [] if name is None else [_UNSAFE.sub("_", name).strip("-.") or default]
        self._hidden = hidden
        self._ignored = ignored
        self._folders = folders

    def fill(self, arguments: Mapping[str, object]) -> str:
        """Return the name of the call with these arguments.

        Parameters:
            arguments: name to value, in the order of the function's parameters, defaults applied.

        Returns:
            `a.csv-3`, and with a short hash of all arguments behind it if the readable form
            could mean another call too: `a.csv-3-5f0c9a1e33b2c47d`.

        Raises:
            TargetError: the hash is needed, and an argument has no identity.
        """
        parts = [*self._name]
        for name, value in arguments.items():
            if name in self._ignored:
                continue
            part = _plain(value)
            if name in self._hidden:
                if type(value) in (tuple, dict) and not value:
                    continue
                part = None
            if part is None:
                return self._hashed(arguments)
            parts.append(part)
        text = "-".join(parts)
        return (text or self._default) if len(text) <= _LONGEST else self._hashed(arguments)

    def _hashed(self, arguments: Mapping[str, object]) -> str:
        without = {*self._hidden, *self._ignored}
        shown = [value for name, value in arguments.items() if name not in without]
        digest = short_hash(arguments, self._folders, self._ignored)
        parts = [*self._name, *(_readable(value) for value in shown)]
        readable = "-".join(parts)[:_LONGEST].strip("-.")
        return f"{readable or self._default}-{digest}"


def _plain(value: Any) -> str | None:
    """Return the text of a value if no other value has the same, else None."""
    kind = type(value)
    if kind is str:
        fits = _PLAIN_STRING.fullmatch(value) and not _AMBIGUOUS.fullmatch(value)
        return value if fits else None
    if kind is int:
        text = str(value) if -(10**19) < value < 10**19 else ""
        return text if text and len(text) != _HASH_DIGITS else None
    if value is None or kind is bool:
        return str(value)
    if kind is float and _PLAIN_FLOAT.fullmatch(text := repr(value)):
        return text
    return None


def _readable(value: object, is_nested: bool = False) -> str:
    if isinstance(value, (str, PurePath)):
        text = str(value).rstrip("/").rpartition("/")[2]
    elif isinstance(value, (list, tuple)) and not is_nested:
        text = "-".join(_readable(part, is_nested=True) for part in value[:_MOST_SHOWN])
    elif isinstance(value, (int, float, datetime.date)) or item_of(value) is not None:
        text = show(value)
    elif value is None:
        text = "None"
    else:
        text = type(value).__name__
    return _UNSAFE.sub("_", text)[:40]
