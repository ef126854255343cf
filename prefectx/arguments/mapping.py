"""`.map`: from iterable arguments to the arguments of each call."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from itertools import repeat
from typing import NamedTuple

from prefectx.arguments.marks import allow_failure, is_annotated, is_marked, unmapped
from prefectx.arguments.references import load, outcome, result
from prefectx.arguments.signature import Arguments, Signature
from prefectx.futures import Future, State
from prefectx.item import Item
from prefectx.prefect_errors import also_prefects


class MissingIterableError(TypeError):
    """No argument of `.map` can be iterated."""


class LengthMismatchError(ValueError):
    """The iterable arguments of `.map` have different lengths."""


class Mapped(NamedTuple):
    """The calls of a mapped task.

    Attributes:
        rows: of each call the arguments, in the order of the parameters, defaults applied.
        sources: the futures whose data were iterated: the calls depend on them.
    """

    rows: Iterator[tuple[object, ...]]
    sources: list[Future[object]]


def map_arguments(
    signature: Signature, args: tuple[object, ...], kwargs: Arguments, task: str
) -> Mapped:
    """Return the arguments of each call of a mapped task.

    Futures, states and items are resolved first: data that can be iterated are, anything else is
    the same for all calls, as are strings, bytes and default values. References inside a list
    stay what they are.

    Parameters:
        signature: binds arguments to the task's function.
        args: the positional arguments of `.map`.
        kwargs: its keyword arguments.
        task: the name of the task, for errors.

    Raises:
        MissingIterableError: if no argument is iterable.
        LengthMismatchError: if the lengths differ.
        BindError: if the arguments do not fit the function.
        UpstreamError: if an argument is a future that failed, and its failure is not allowed.
    """
    given = signature.flatten(signature.bind_given(args, kwargs))
    found = {name: _column(value) for name, value in given.items()}
    columns = {name: column for name, column in found.items() if column is not None}
    if not columns:
        error = MissingIterableError(f"task {task!r}: map needs at least one iterable argument")
        raise also_prefects(error, "MappingMissingIterable")
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
        message = f"task {task!r}: map needs iterables of one length, it got {lengths}"
        raise also_prefects(LengthMismatchError(message), "MappingLengthMismatch")
    constants = {
        name: value.unwrap() if is_marked(value, unmapped) else value
        for name, value in given.items()
    }
    rows: Iterator[tuple[object, ...]]
    if columns.keys() <= set(signature.names):
        frame = signature.complete(constants)
        values = [columns.get(name, repeat(frame.get(name))) for name in signature.names]
        rows = zip(*values, strict=False)
    else:
        named = (
            dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)
        )
        rows = (tuple(signature.complete({**constants, **row}).values()) for row in named)
    sources = [given[name] for name in columns]
    return Mapped(rows, [source for source in sources if isinstance(source, Future)])


def _column(value: object) -> list[object] | None:
    """Return what each call gets of an argument, None if it is the same for all."""
    if is_marked(value, unmapped):
        return None
    if is_annotated(value):
        inner = value.unwrap()
        if is_marked(value, allow_failure):
            # What failed and may fail is no data: the calls get the exception.
            inner = outcome(inner)
        column = _column(inner)
        return None if column is None else [value.rewrap(part) for part in column]
    if isinstance(value, (Future, State, Item)):
        value = load(result(value) if isinstance(value, Future) else value)
    if isinstance(value, Iterable) and not isinstance(value, (str, bytes, io.IOBase)):
        return list(value)
    return None
