"""The first lines of an output: the head of a table, text, the size of a picture."""

from __future__ import annotations

import contextlib
import pprint
from collections.abc import Iterator
from itertools import islice

from prefectx.errors import PrefectxError
from prefectx.item import Item

_LARGEST = 50_000_000
_LINES = 10


def preview(item: Item[object]) -> Iterator[str]:
    """Yield a few lines that show what an output holds.

    Parameters:
        item: an output that exists.
    """
    size = None
    with contextlib.suppress(PrefectxError, OSError):
        size = item.info().size
    if size is not None and size > _LARGEST:
        yield "(too large for a preview)"
        return
    try:
        data = item.load()
    except (PrefectxError, OSError) as error:
        yield f"(cannot be read: {error})"
        return
    yield from islice(_lines(data), _LINES + 1)


def _lines(data: object) -> Iterator[str]:
    kind = type(data)
    shape = getattr(data, "shape", None)
    if hasattr(data, "head") and shape is not None:
        rows, columns = (*shape, 1)[:2]
        yield f"{kind.__name__}, {rows:,} rows and {columns:,} columns"
        yield from str(data.head(_LINES - 2)).splitlines()
    elif kind.__module__.startswith("PIL."):
        yield f"picture, {getattr(data, 'width', '?')} x {getattr(data, 'height', '?')} pixels"
    elif shape is not None:
        yield f"{kind.__name__} of shape {tuple(shape)} and type {getattr(data, 'dtype', '?')}"
        yield from str(data).splitlines()
    elif isinstance(data, str):
        yield from data.splitlines()
    elif isinstance(data, bytes):
        yield f"{len(data):,} bytes: {data[:40]!r}"
    else:
        yield from pprint.pformat(data, width=100, compact=True).splitlines()
