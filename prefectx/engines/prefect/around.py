"""Running a function inside a context: a plain or async one, a generator of either kind."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any, Protocol

Context = Callable[[], AbstractContextManager[Any]]


class Kind(Protocol):
    """What says of which kind a function is, as Prefect's tasks and flows do."""

    isasync: bool
    isgenerator: bool


def around(
    context: Context, kind: Kind, fn: Callable[..., Any], args: Any, kwargs: dict[str, Any]
) -> Any:
    """Call a function; all of its run is inside the context.

    Parameters:
        context: makes the context, where and when the function begins to run.
        kind: of which kind the function is.
        fn: the function.
        args: its arguments.
        kwargs: likewise.
    """
    if kind.isgenerator:
        return (_generate_async if kind.isasync else _generate)(context, fn, args, kwargs)
    if kind.isasync:
        return _run_async(context, fn, args, kwargs)
    with context():
        return fn(*args, **kwargs)


async def _run_async(
    context: Context, fn: Callable[..., Any], args: Any, kwargs: dict[str, Any]
) -> Any:
    with context():
        return await fn(*args, **kwargs)


def _generate(
    context: Context, fn: Callable[..., Any], args: Any, kwargs: dict[str, Any]
) -> Iterator[Any]:
    with context():
        yield from fn(*args, **kwargs)


async def _generate_async(
    context: Context, fn: Callable[..., Any], args: Any, kwargs: dict[str, Any]
) -> AsyncIterator[Any]:
    with context():
        async for part in fn(*args, **kwargs):
            yield part
