"""What stands for the arguments of a call in its record."""

from __future__ import annotations

import datetime
import decimal
import enum
import fractions
import pathlib
import reprlib
import sys
import uuid
from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import Any

from prefectx.arguments.fingerprint import Stamp
from prefectx.arguments.identity.form import Unidentifiable
from prefectx.arguments.identity.means import is_means
from prefectx.arguments.identity.places import Folders, canonical_place
from prefectx.arguments.marks import is_annotated
from prefectx.arguments.references import holds_references
from prefectx.arguments.traversal import ATOMS, replace
from prefectx.futures import Future
from prefectx.item import Item
from prefectx.masking import mask, mask_urls, masked
from prefectx.records.record import Argument

# Longer texts are recorded by their fingerprint.
_LONGEST = 120
_PLAIN = (
    datetime.date, datetime.time, datetime.timedelta, datetime.tzinfo, decimal.Decimal, enum.Enum,
    fractions.Fraction, pathlib.PurePath, uuid.UUID, range, slice,
)  # fmt: skip
_CONTAINERS = (list, tuple, set, frozenset)


def recorded_arguments(
    arguments: Mapping[str, object],
    folders: Folders,
    ignored: Collection[str] = (),
    secret: Collection[str] = (),
) -> dict[str, Argument]:
    """Return what stands for each argument; secrets, and what has no identity, as None.

    Parameters:
        arguments: the arguments by name, defaults applied.
        folders: paths count relative to them.
        ignored: the names of arguments that do not count.
        secret: the names of arguments that are not recorded.
    """
    return {
        name: None if name in secret else recorded(value, folders)
        for name, value in arguments.items()
        if name not in ignored and (type(value) in ATOMS or not is_means(value))
    }


def recorded(value: object, folders: Folders) -> Argument:
    """Return what stands for one argument."""
    if type(value) in ATOMS:
        text = repr(value)
        if len(text) <= _LONGEST:
            return mask_urls(text) if "://" in text else text
        return ["plain", *_stamp(value, folders, reprlib.repr(mask_urls(text)))]
    if isinstance(value, pathlib.PurePath):
        return f"Path{canonical_place(str(value), folders)}"
    if hasattr(value, "get_secret_value"):
        return None
    if isinstance(value, (Item, Future)):
        return list(_bare_input())
    if holds_references(value):
        kind, value = "inputs", replace(value, _without_references)
    else:
        kind = "plain" if _is_plain(value) else "object"
    try:
        return [kind, *_stamp(value, folders, _shown(value) if kind == "plain" else "")]
    except Unidentifiable:
        return None


@lru_cache(maxsize=1)
def _bare_input() -> tuple[Any, ...]:
    """Return what stands for an argument that is an input itself: which one is told apart."""
    return ("inputs", *_stamp(..., (), ""))


def _stamp(value: object, folders: Folders, shown: str) -> list[Any]:
    stamp = Stamp.of(value, folders)
    return [stamp.digest, shown, stamp.scheme, *stamp.libraries]


def _shown(value: object) -> str:
    """Return a short text for people."""
    return mask(reprlib.repr(masked(value)))


def _without_references(value: object) -> object:
    """Replace an item by a constant: which items there are, and their versions, is told apart."""
    if is_annotated(value):
        return replace(value.unwrap(), _without_references)
    return ... if isinstance(value, (Item, Future)) else value


def _is_plain(value: object) -> bool:
    """Tell whether a value is a scalar, a date, an enum, or a container of these."""
    waiting = [value]
    seen: set[int] = set()
    while waiting:
        part = waiting.pop()
        if type(part) in ATOMS or isinstance(part, _PLAIN) or _is_numpy_scalar(part):
            continue
        if id(part) in seen:
            continue
        seen.add(id(part))
        if isinstance(part, Mapping):
            waiting += [*part.keys(), *part.values()]
        elif isinstance(part, _CONTAINERS):
            waiting += part
        elif not isinstance(part, (str, int, float, bytes, complex)):
            return False
    return True


def _is_numpy_scalar(value: object) -> bool:
    numpy = sys.modules.get("numpy")
    return numpy is not None and isinstance(value, numpy.generic)
