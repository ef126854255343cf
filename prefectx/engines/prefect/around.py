"""Runs a function inside a context: plain, async, a generator, or an async generator."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from typing import Protocol, cast

Context = Callable[[], AbstractContextManager[object]]
Thunk = Callable[[], object]


class Kind(Protocol):
    """The kind of a function, as Prefect's tasks and flows state it."""

    isasync: bool
    isgenerator: bool


def _unchanged(value: object) -> object:
    return value


def around(
    context: Context, kind: Kind, run: Thunk, then: Callable[[object], object] = _unchanged
) -> object:
    """Call a function so that all of its run is inside the context.

    Parameters:
        context: makes the context; called when the function starts to run.
        kind: the kind of the function.
        run: calls the function.
        then: called inside the context with what a function that is no generator returns.

    Returns:
        The result of the function; a coroutine or a generator if the function is of that kind.
    """
    if kind.isgenerator:
        return (_generate_async if kind.isasync else _generate)(context, run)
    if kind.isasync:
        return _run_async(context, run, then)
    with context():
        return then(run())


async def _run_async(context: Context, run: Thunk, then: Callable[[object], object]) -> object:
    with context():
        return then(await cast(Awaitable[object], run()))


def _generate(context: Context, run: Thunk) -> Iterator[object]:
    with context():
        yield from cast(Iterable[object], run())


async def _generate_async(context: Context, run: Thunk) -> AsyncIterator[object]:
    with context():
        async for part in cast(AsyncIterable[object], run()):
            yield part
