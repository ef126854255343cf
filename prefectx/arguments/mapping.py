"""`.map`: from arguments that can be gone through to the arguments of each call."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from itertools import repeat
from typing import Any

from prefectx.arguments.marks import is_annotated, is_marked, unmapped
from prefectx.arguments.references import load
from prefectx.arguments.signature import Binder
from prefectx.futures import AnyFuture


def map_arguments(
    binder: Binder, args: tuple[Any, ...], kwargs: dict[str, Any], task: str
) -> Iterator[tuple[Any, ...]]:
    """Yield for each call of a mapped task its arguments, in the order of the parameters.

    Defaults are not gone through, nor are strings and bytes. A future is waited for and its data
    gone through; futures inside a list are left to the calls.

    Parameters:
        binder: binds arguments to the task's function.
        args: what `.map` was given.
        kwargs: likewise.
        task: the name of the task, for errors.

    Raises:
        TypeError: where nothing can be gone through, or the arguments do not fit the function.
        ValueError: where the lengths differ.
    """
    given = binder.flatten(binder.bind_given(args, kwargs))
    columns = {name: _column(value) for name, value in given.items() if _is_iterable(value)}
    if not columns:
        raise TypeError(f"task {task!r}: map needs at least one iterable argument")
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
        raise ValueError(f"task {task!r}: map needs iterables of one length, it got {lengths}")
    constants = {
        name: value.unwrap() if is_marked(value, unmapped) else value
        for name, value in given.items()
    }
    if columns.keys() <= set(binder.names):
        frame = binder.complete(constants)
        values = [columns.get(name, repeat(frame.get(name))) for name in binder.names]
        return zip(*values, strict=False)
    rows = (dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True))
    return (tuple(binder.complete({**constants, **row}).values()) for row in rows)


def _is_iterable(value: Any) -> bool:
    if is_marked(value, unmapped):
        return False
    if is_annotated(value):
        return _is_iterable(value.unwrap())
    if isinstance(value, AnyFuture):
        return True
    return isinstance(value, Iterable) and not isinstance(value, (str, bytes, io.IOBase))


def _column(value: Any) -> list[Any]:
    if is_annotated(value):
        return [value.rewrap(part) for part in _column(value.unwrap())]
    return list(load(value) if isinstance(value, AnyFuture) else value)
