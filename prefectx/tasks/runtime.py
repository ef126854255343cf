"""What flows and tasks ask for while they run."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from typing import Any

from prefectx.futures import DoneAndNotDone, Future
from prefectx.tasks.flow import project_engine


def wait(futures: Iterable[Future[Any]], timeout: float | None = None) -> DoneAndNotDone:
    """Wait for futures.

    Parameters:
        futures: those of any mode.
        timeout: seconds to wait at most, without end if None.

    Returns:
        The set of those that are over, and the set of those that are not.
    """
    return project_engine().wait(list(futures), timeout)


def as_completed(
    futures: Iterable[Future[Any]], timeout: float | None = None
) -> Iterator[Future[Any]]:
    """Yield futures as their calls end.

    Parameters:
        futures: those of any mode.
        timeout: seconds to wait at most, without end if None.

    Raises:
        TimeoutError: if not all were over in time.
    """
    return project_engine().as_completed(list(futures), timeout)


def tags(*new_tags: str) -> AbstractContextManager[set[str]]:
    """Give the runs in a `with` block these tags; without Prefect nobody sees them."""
    return project_engine().tags(*new_tags)


def get_run_logger() -> logging.Logger | logging.LoggerAdapter[Any]:
    """Return the logger of the flow or task that runs."""
    return project_engine().get_run_logger()
