"""Values set at run time: those for templates, and the name of a flow without Prefect."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from datetime import datetime

from prefectx.scope import Scoped

_NOTHING: Mapping[str, object] = {}
VALUES: Scoped[Mapping[str, object]] = Scoped("prefectx_context")
# When the outermost flow run began that goes on here.
_began: ContextVar[datetime | None] = ContextVar("prefectx_began", default=None)
_flow: ContextVar[str | None] = ContextVar("prefectx_flow", default=None)


def context(**values: object) -> AbstractContextManager[Mapping[str, object]]:
    """Set values for templates: `with prefectx.context(base="2024-q1"): ...`.

    Blocks nest: an inner one adds to the values of the outer one, or replaces them.

    Parameters:
        **values: field name to value.
    """
    return VALUES.change(lambda around: {**(around or _NOTHING), **values})


def use_values(values: Mapping[str, object]) -> AbstractContextManager[Mapping[str, object]]:
    """Set exactly these values, without those of outer blocks."""
    return VALUES.set(values)


def current_values() -> Mapping[str, object]:
    """Return the values in force."""
    return VALUES.here.get() or VALUES.everywhere or _NOTHING


@contextmanager
def began_at(when: datetime | None) -> Iterator[None]:
    """Let what runs in the block belong to a flow run that began then, unless it belongs to one."""
    if when is None or _began.get() is not None:
        yield
        return
    token = _began.set(when)
    try:
        yield
    finally:
        _began.reset(token)


def run_began() -> datetime | None:
    """Return when the outermost flow run began that goes on here, None outside one."""
    return _began.get()


@contextmanager
def in_flow(name: str) -> Iterator[None]:
    """Run the block as part of a flow that runs without Prefect."""
    token = _flow.set(name)
    try:
        yield
    finally:
        _flow.reset(token)


def flow_name() -> str | None:
    """Return the name of the current flow without Prefect, None outside one."""
    return _flow.get()
