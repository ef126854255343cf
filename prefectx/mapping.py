"""`.map`: from arguments that can be gone through to the arguments of each call."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from typing import Any

from prefectx.annotations import is_annotated, is_marked, unmapped
from prefectx.binding import Binder
from prefectx.futures import AnyFuture
from prefectx.references import load


def map_arguments(
    binder: Binder, args: tuple[Any, ...], kwargs: dict[str, Any], task: str
) -> Iterator[tuple[tuple[Any, ...], dict[str, Any]]]:
    """Yield positional and keyword arguments of each call of a mapped task.

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
    given = binder.fields(binder.bind_given(args, kwargs))
    for name in binder.variadic:
        if isinstance(given.get(name), dict):
            del given[name]
    columns = {name: _column(value) for name, value in given.items() if _is_iterable(value)}
    if not columns:
        raise TypeError(f"task {task!r}: map needs at least one iterable argument")
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
        raise ValueError(f"task {task!r}: map needs iterables of one length, it got {lengths}")
    constants = {
        name: value.unwrap() if is_marked(value, unmapped) else value
        for name, value in given.items()
        if name not in columns
    }
    for index in range(next(iter(lengths.values()))):
        row = {name: column[index] for name, column in columns.items()}
        yield binder.unbind(binder.nest({name: (constants | row)[name] for name in given}))


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
