"""What Prefect runs in the place of a task's function: the caching step of one call."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, NamedTuple

from prefect.context import TaskRunContext

from prefectx.calls import Call, Outcome
from prefectx.engines.prefect.around import around
from prefectx.engines.prefect.futures import cached_state, saved_state
from prefectx.item import Item
from prefectx.monitoring.hooks import observed
from prefectx.tasks.task import Task


class Step:
    """The caching step of one call, with the signature of the function.

    Parameters:
        call: the call.
        is_finished: whether its output existed when it was made.
    """

    def __init__(self, call: Call, is_finished: bool = False) -> None:
        self.call = call
        self.is_finished = is_finished
        self._has_saved = False
        _look_like(self, call.task.fn)
        self.__signature__ = call.task.signature.inspected

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the call; a skipped one ends in the state Cached."""
        if self.call.task.isasync:
            return self._run_async(*args, **kwargs)
        return self._state(self.call.run(*args, **kwargs))

    async def _run_async(self, *args: Any, **kwargs: Any) -> Any:
        return self._state(await self.call.run_async(*args, **kwargs))

    def _state(self, outcome: Outcome) -> Any:
        if outcome.skipped:
            return cached_state(outcome.value)
        if not isinstance(outcome.value, Item) or outcome.value is not self.call.item:
            return outcome.value
        self._has_saved = True
        return saved_state(outcome.value, outcome.seconds)

    @property
    def undo(self) -> Callable[[Any], None]:
        """The hook for a transaction that is rolled back: the output is deleted."""

        def delete_output(transaction: Any) -> None:
            if self._has_saved and self.call.item is not None:
                self.call.item.delete()

        # The hook is not the user's, and Prefect is not to announce it.
        delete_output.log_on_run = False  # type: ignore[attr-defined]
        return delete_output

    def __reduce__(self) -> tuple[type[Step], tuple[Call, bool]]:
        return Step, (self.call, self.is_finished)


class Watched:
    """What Prefect runs if nothing is kept: the function itself, seen by the hooks.

    Parameters:
        call: the call.
    """

    def __init__(self, call: Call) -> None:
        self.call = call
        _look_like(self, call.task.fn)
        self.__signature__ = call.task.signature.inspected

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the function."""
        task = self.call.task
        return around(functools.partial(observed, self.call), task, task.fn, args, kwargs)


class Delayed(NamedTuple):
    """A call on its way to a task worker.

    Attributes:
        call: the call without its task, which the worker has; None where only the name goes.
        run_name: the name of the run as a template of Prefect's, None where Prefect makes it.
        id: makes its arguments like no others: Prefect's cache is not to answer for a target.
    """

    call: Call | None
    run_name: str | None
    id: str


class Served:
    """What a task worker runs: a call that was made elsewhere, or the function itself.

    Parameters:
        task: the task that is served.
    """

    def __init__(self, task: Task[..., Any]) -> None:
        self._task = task
        _look_like(self, task.fn)
        self.__signature__ = _with_keyword(task.signature.inspected, "prefectx_call")

    def __call__(self, *args: Any, prefectx_call: Delayed | None = None, **kwargs: Any) -> Any:
        """Run the call where one was sent along, else the function."""
        _hide_from_runtime("prefectx_call")
        if prefectx_call is None or prefectx_call.call is None:
            return self._task.fn(*args, **kwargs)
        return Step(prefectx_call.call.for_task(self._task))(*args, **kwargs)

    def run_name(self, parameters: dict[str, Any]) -> str:
        """Return the name of a run with these parameters."""
        sent: Delayed | None = parameters.get("prefectx_call")
        if sent is not None and sent.run_name is not None:
            return sent.run_name.format(**parameters)
        run = TaskRunContext.get()
        assert run is not None
        return run.task_run.name


def _hide_from_runtime(name: str) -> None:
    run = TaskRunContext.get()
    if run is not None:
        run.parameters.pop(name, None)


def _with_keyword(signature: inspect.Signature, name: str) -> inspect.Signature:
    added = inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None)
    # Prefect does not bind an absent argument; what sorts parameters is their kind.
    parameters = sorted([*signature.parameters.values(), added], key=lambda p: p.kind)
    return signature.replace(parameters=parameters)


def _look_like(thing: Any, fn: Callable[..., Any]) -> None:
    thing.__name__, thing.__qualname__ = fn.__name__, fn.__qualname__
    thing.__module__, thing.__doc__ = fn.__module__, fn.__doc__
