"""What is set at run time, and what flows and tasks ask for while they run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from typing import Any

from prefectx import settings
from prefectx.futures import DoneAndNotDone
from prefectx.modes import get_mode, load_engine
from prefectx.scope import Scoped

_values: Scoped[Mapping[str, Any]] = Scoped("prefectx_context")
_here = _values.here.get
_NOTHING: Mapping[str, Any] = {}
_flow: ContextVar[str | None] = ContextVar("prefectx_flow", default=None)


def context(**values: Any) -> AbstractContextManager[Mapping[str, Any]]:
    """Set values for templates: `with prefectx.context(base="2024-q1"): ...`.

    Blocks nest: the values of the outer one hold as well, where the inner does not set them.

    Parameters:
        **values: field name to value.
    """
    return _values.set({**current_values(), **values})


def use_values(values: Mapping[str, Any]) -> AbstractContextManager[Mapping[str, Any]]:
    """Make `values` all that is set."""
    return _values.set(values)


def current_values() -> Mapping[str, Any]:
    """Return the values that are set."""
    # Every call asks: a method of the scope would take as long as all of this.
    return _here() or _values.everywhere or _NOTHING


@contextmanager
def in_flow(name: str) -> Iterator[None]:
    """Say that a flow runs that no Prefect knows."""
    token = _flow.set(name)
    try:
        yield
    finally:
        _flow.reset(token)


def flow_name() -> str | None:
    """Return the name of the flow that runs without Prefect, None outside one."""
    return _flow.get()


def wait(futures: Iterable[Any], timeout: float | None = None) -> DoneAndNotDone:
    """Wait for futures.

    Parameters:
        futures: those of any mode.
        timeout: seconds to wait at most, without end where it is None.

    Returns:
        The set of those that are over, and the set of those that are not.
    """
    return DoneAndNotDone(*_engine().wait(list(futures), timeout=timeout))


def as_completed(futures: Iterable[Any], timeout: float | None = None) -> Iterator[Any]:
    """Yield futures as their calls end.

    Parameters:
        futures: those of any mode.
        timeout: seconds to wait at most, without end where it is None.

    Raises:
        TimeoutError: where not all were over in time.
    """
    return iter(_engine().as_completed(list(futures), timeout=timeout))


def tags(*new_tags: str) -> AbstractContextManager[set[str]]:
    """Give the runs in a `with` block these tags, where a Prefect runs them."""
    context: AbstractContextManager[set[str]] = _engine().tags(*new_tags)
    return context


def get_run_logger() -> Any:
    """Return the logger of the flow or task that runs."""
    return _engine().get_run_logger()


def _engine() -> Any:
    return load_engine(get_mode(settings.current().project.mode))
