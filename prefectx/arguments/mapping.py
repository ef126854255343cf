"""`.map`: makes the arguments of each call from iterable arguments."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from itertools import repeat
from typing import cast

from prefectx.arguments.marks import is_annotated, is_marked, unmapped
from prefectx.arguments.references import load
from prefectx.arguments.signature import Arguments, Signature
from prefectx.futures import Future


def map_arguments(
    signature: Signature, args: tuple[object, ...], kwargs: Arguments, task: str
) -> Iterator[tuple[object, ...]]:
    """Yield the arguments of each call of a mapped task, in the order of the parameters.

    Strings, bytes and default values are the same for all calls. A future is waited for, and its
    data iterated; futures inside a list stay futures.

    Parameters:
        signature: binds arguments to the task's function.
        args: the positional arguments of `.map`.
        kwargs: its keyword arguments.
        task: the name of the task, for errors.

    Raises:
        TypeError: if no argument is iterable, or the arguments do not fit the function.
        ValueError: if the lengths differ.
    """
    given = signature.flatten(signature.bind_given(args, kwargs))
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
    if columns.keys() <= set(signature.names):
        frame = signature.complete(constants)
        values = [columns.get(name, repeat(frame.get(name))) for name in signature.names]
        return zip(*values, strict=False)
    rows = (dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True))
    return (tuple(signature.complete({**constants, **row}).values()) for row in rows)


def _is_iterable(value: object) -> bool:
    if is_marked(value, unmapped):
        return False
    if is_annotated(value):
        return _is_iterable(value.unwrap())
    if isinstance(value, Future):
        return True
    return isinstance(value, Iterable) and not isinstance(value, (str, bytes, io.IOBase))


def _column(value: object) -> list[object]:
    if is_annotated(value):
        return [value.rewrap(part) for part in _column(value.unwrap())]
    data = load(value) if isinstance(value, Future) else value
    return list(cast(Iterable[object], data))
