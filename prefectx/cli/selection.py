"""`--only TASK`: calls of other tasks are not run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from prefectx.errors import PrefectxError
from prefectx.monitoring.hooks import HOOKS, ObservedCall, Subscriber


class NotSelectedError(PrefectxError):
    """A call of another task than the one that was asked for has to run."""


class _Only(Subscriber):
    def __init__(self, task: str) -> None:
        self._task = task

    def call_submitted(self, call: ObservedCall) -> None:
        if call.task.name != self._task and call.mode.keeps:
            where = "" if call.item is None else f" ({call.item.location})"
            raise NotSelectedError(
                f"a call of {call.task.name!r} is not finished{where}, and only {self._task!r} was"
                " to run: run it first"
            )


@contextmanager
def only(task: str) -> Iterator[None]:
    """Refuse in the block to run calls of other tasks.

    Parameters:
        task: the name of the task whose calls may run.
    """
    refusing = _Only(task)
    HOOKS.subscribe(refusing)
    try:
        yield
    finally:
        HOOKS.unsubscribe(refusing)
