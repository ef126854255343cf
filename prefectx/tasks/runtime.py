"""Functions to call inside flows and tasks: `wait`, `as_completed`, `tags`, `get_run_logger`."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from typing import TypeVar, cast

from prefectx.calls import with_lazy_started
from prefectx.futures import DoneAndNotDone, Future
from prefectx.tasks.flow import project_engine

R = TypeVar("R")


def wait(futures: Iterable[Future[object]], timeout: float | None = None) -> DoneAndNotDone:
    """Wait for futures.

    Parameters:
        futures: the futures, of any mode.
        timeout: seconds to wait at most, None for no limit.

    Returns:
        The futures of finished calls, and the others.
    """
    given = _started(futures)
    done, not_done = project_engine().wait(list(given), timeout)
    return DoneAndNotDone({given[each] for each in done}, {given[each] for each in not_done})


def as_completed(futures: Iterable[Future[R]], timeout: float | None = None) -> Iterator[Future[R]]:
    """Yield futures in the order in which their calls end.

    Parameters:
        futures: the futures, of any mode.
        timeout: seconds to wait at most, None for no limit.

    Raises:
        TimeoutError: if a call has not ended in time.
    """
    given = _started(futures)
    for future in project_engine().as_completed(list(given), timeout):
        yield cast(Future[R], given[future])


def _started(futures: Iterable[Future[object]]) -> dict[Future[object], Future[object]]:
    """Have lazy calls run; return for each future that is waited for the one that was given."""
    return {cast(Future[object], with_lazy_started(future)): future for future in futures}


def tags(*new_tags: str) -> AbstractContextManager[set[str]]:
    """Give the runs in a `with` block these tags; they have an effect only on Prefect."""
    return project_engine().tags(*new_tags)


def get_run_logger() -> logging.Logger | logging.LoggerAdapter[logging.Logger]:
    """Return the logger of the current flow or task."""
    return project_engine().get_run_logger()
