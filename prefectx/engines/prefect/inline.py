"""A task runner of Prefect that runs each submitted call at once, as a task run."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import ParamSpec, Self, TypeVar

from prefect.task_runners import ThreadPoolTaskRunner

from prefectx.event_loops import outside_loop

P = ParamSpec("P")
R = TypeVar("R")


class InlineTaskRunner(ThreadPoolTaskRunner[object]):
    """Runs calls in the thread that submits them."""

    def duplicate(self) -> Self:
        """Return a runner that is not started."""
        return type(self)()

    def __enter__(self) -> Self:
        super().__enter__()
        assert self._executor is not None
        self._executor.shutdown()
        self._executor = _AtOnce()  # type: ignore[assignment]  # any executor does
        return self


class _AtOnce(Executor):
    def submit(self, fn: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> Future[R]:
        future: Future[R] = Future()
        future.set_running_or_notify_cancel()
        try:
            future.set_result(outside_loop(fn, *args, **kwargs))
        except BaseException as error:
            future.set_exception(error)
        return future
