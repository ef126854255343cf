"""What is set at run time: values for templates, and the flow that runs without Prefect."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar

from prefectx.scope import Scoped

_NOTHING: Mapping[str, object] = {}
VALUES: Scoped[Mapping[str, object]] = Scoped("prefectx_context")
_flow: ContextVar[str | None] = ContextVar("prefectx_flow", default=None)


def context(**values: object) -> AbstractContextManager[Mapping[str, object]]:
    """Set values for templates: `with prefectx.context(base="2024-q1"): ...`.

    Blocks nest: the values of the outer one hold as well, unless the inner sets them.

    Parameters:
        **values: field name to value.
    """
    return VALUES.set({**current_values(), **values})


def use_values(values: Mapping[str, object]) -> AbstractContextManager[Mapping[str, object]]:
    """Make `values` all that is set."""
    return VALUES.set(values)


def current_values() -> Mapping[str, object]:
    """Return the values that are set."""
    return VALUES.here.get() or VALUES.everywhere or _NOTHING


@contextmanager
def in_flow(name: str) -> Iterator[None]:
    """Run the block as part of a flow that no Prefect knows."""
    token = _flow.set(name)
    try:
        yield
    finally:
        _flow.reset(token)


def flow_name() -> str | None:
    """Return the name of the flow that runs without Prefect, None outside one."""
    return _flow.get()
