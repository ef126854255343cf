"""What becomes of lazy calls and temporary outputs at the end of a flow run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from prefectx.calls.lazy import LazyFuture
from prefectx.calls.temporary import TEMPORARY
from prefectx.lazy_outputs import lazy_outputs
from prefectx.monitoring.summary import RunSummary


@contextmanager
def whole_run(summary: RunSummary) -> Iterator[None]:
    """The calls of a flow run: at its end those that nothing needed are forgotten.

    Temporary outputs are deleted if it ends well.
    """
    try:
        yield
    except BaseException:
        summary.has_raised = True
        raise
    finally:
        _forget(summary)
        if summary.outer is not None and not summary.is_clean:
            summary.outer.has_unclean_part = True
        TEMPORARY.end(summary)


def _forget(summary: RunSummary) -> None:
    for item, lazy in list(lazy_outputs().items()):
        if isinstance(lazy, LazyFuture) and lazy.run is summary and not lazy.is_started:
            lazy_outputs().pop(item, None)
            summary.not_needed(lazy.call.task.name)
