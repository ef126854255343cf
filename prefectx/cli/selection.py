"""`--only TASK`: unfinished calls of other tasks are not run."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager
from typing import Any, cast

from prefectx import settings
from prefectx.calls import Call, Decision
from prefectx.engines.local.futures import LocalFuture
from prefectx.engines.protocol import Engine, Result, WaitFor
from prefectx.engines.registry import ENGINES
from prefectx.errors import PrefectxError
from prefectx.futures import Future
from prefectx.modes import get_mode


class NotSelectedError(PrefectxError, CancelledError):
    """A call of another task than the one that was asked for is not finished."""


class _Selecting:
    """An engine that runs calls of one task, and cancels those of others."""

    def __init__(self, engine: Engine, task: str) -> None:
        self._engine = engine
        self._task = task

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)

    def submit(self, call: Call, decision: Decision, wait_for: WaitFor) -> Future[object]:
        if self._runs(call):
            return self._engine.submit(call, decision, wait_for)
        return LocalFuture(self._refusal(call), failed=True, item=call.item)

    def run(self, call: Call, decision: Decision, wait_for: WaitFor, return_state: bool) -> Result:
        if self._runs(call):
            return self._engine.run(call, decision, wait_for, return_state)
        raise self._refusal(call)

    async def run_async(
        self, call: Call, decision: Decision, wait_for: WaitFor, return_state: bool
    ) -> Result:
        if self._runs(call):
            return await self._engine.run_async(call, decision, wait_for, return_state)
        raise self._refusal(call)

    def _runs(self, call: Call) -> bool:
        return call.task.name == self._task or call.item is None

    def _refusal(self, call: Call) -> NotSelectedError:
        where = "" if call.item is None else f" ({call.item.location})"
        return NotSelectedError(
            f"a call of {call.task.name!r} is not finished{where}, and only {self._task!r} was to"
            " run"
        )


@contextmanager
def only(task: str) -> Iterator[None]:
    """Run in the block only calls of one task, and of those that keep no output.

    A call of another one that is not finished is cancelled; called directly, it ends the flow.

    Parameters:
        task: the name of the task.
    """
    module = get_mode(settings.current().project.mode).engine
    engine = ENGINES[module]
    ENGINES[module] = cast(Engine, _Selecting(engine, task))
    try:
        yield
    finally:
        ENGINES[module] = engine
