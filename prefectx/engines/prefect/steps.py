"""What Prefect calls instead of a task's function: the caching step of one call."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import NamedTuple

from prefect.context import TaskRunContext
from prefect.transactions import Transaction

from prefectx.calls import Call, Outcome, TaskDefinition
from prefectx.engines.prefect.arguments import join
from prefectx.engines.prefect.around import around
from prefectx.engines.prefect.futures import cached_state, saved_state
from prefectx.item import Item
from prefectx.monitoring.hooks import observed

# The parameter that takes a delayed call to the worker.
SENT = "prefectx_call"


class Step:
    """The caching step of one call; it has the signature of the function.

    Parameters:
        call: the call.
        is_finished: whether its output existed when it was made.
    """

    def __init__(self, call: Call, is_finished: bool = False) -> None:
        self.call = call
        self.is_finished = is_finished
        self._has_saved = False
        _look_like(self, call.task)
        self.__signature__ = call.task.signature.inspected

    def __call__(self, *args: object, **kwargs: object) -> object:
        """Run the call; if it is skipped, return the state Cached."""
        args, kwargs = tuple(map(join, args)), {name: join(kwargs[name]) for name in kwargs}
        if self.call.task.isasync:
            return self._run_async(*args, **kwargs)
        return self._state(self.call.run(*args, **kwargs))

    async def _run_async(self, *args: object, **kwargs: object) -> object:
        return self._state(await self.call.run_async(*args, **kwargs))

    def _state(self, outcome: Outcome) -> object:
        if outcome.skipped:
            return cached_state(outcome.value)
        if not isinstance(outcome.value, Item) or outcome.value is not self.call.item:
            return outcome.value
        self._has_saved = True
        return saved_state(outcome.value, outcome)

    @property
    def undo(self) -> Callable[[Transaction], None]:
        """The hook that deletes the output if its transaction is rolled back."""

        def delete_output(transaction: Transaction) -> None:
            if self._has_saved and self.call.item is not None:
                self.call.item.delete()

        # Prefect logs a line for each hook, but this one is not the user's.
        delete_output.log_on_run = False  # type: ignore[attr-defined]
        return delete_output

    def __reduce__(self) -> tuple[type[Step], tuple[Call, bool]]:
        return Step, (self.call, self.is_finished)


class Watched:
    """The function itself, observed by the hooks: for calls that keep nothing.

    Parameters:
        call: the call.
    """

    def __init__(self, call: Call) -> None:
        self.call = call
        _look_like(self, call.task)
        self.__signature__ = call.task.signature.inspected

    def __call__(self, *args: object, **kwargs: object) -> object:
        """Run the function."""
        task = self.call.task
        run = functools.partial(task.fn, *args, **kwargs)
        return around(functools.partial(observed, self.call), task, run)


class Delayed(NamedTuple):
    """A call on its way to a task worker.

    Attributes:
        call: the call without its task, which the worker has; None if only the name is sent.
        run_name: a template of Prefect for the name of the run, None if Prefect chooses it.
        id: makes the arguments unique, so that Prefect's own cache never has a hit.
    """

    call: Call | None
    run_name: str | None
    id: str


class Served:
    """What a task worker calls: runs a call that another process made, or the function itself.

    Parameters:
        task: the task that is served.
    """

    def __init__(self, task: TaskDefinition) -> None:
        self._task = task
        _look_like(self, task)
        self.__signature__ = _with_keyword(task.signature.inspected, SENT)

    def __call__(
        self, *args: object, prefectx_call: Delayed | None = None, **kwargs: object
    ) -> object:
        """Run the call if one was sent, else the function."""
        run = TaskRunContext.get()
        if run is not None:
            # Not an argument of the user's: prefect.runtime must not show it.
            run.parameters.pop(SENT, None)
        if prefectx_call is None or prefectx_call.call is None:
            return self._task.fn(*args, **kwargs)
        return Step(prefectx_call.call.for_task(self._task))(*args, **kwargs)

    def run_name(self, parameters: dict[str, object]) -> str:
        """Return the name of a run with these parameters."""
        sent = parameters.get(SENT)
        if isinstance(sent, Delayed) and sent.run_name is not None:
            return sent.run_name.format(**parameters)
        run = TaskRunContext.get()
        assert run is not None
        return run.task_run.name


def _with_keyword(signature: inspect.Signature, name: str) -> inspect.Signature:
    added = inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None)
    # In the order of kinds: a keyword-only parameter is before `**kwargs`.
    parameters = sorted([*signature.parameters.values(), added], key=lambda p: p.kind)
    return signature.replace(parameters=parameters)


def _look_like(step: object, task: TaskDefinition) -> None:
    for name in ("__name__", "__qualname__", "__module__", "__doc__"):
        setattr(step, name, getattr(task, name))
    # Prefect's cache keys look for the function's code and source.
    step.__wrapped__ = task.fn  # type: ignore[attr-defined]
    if hasattr(task.fn, "__code__"):
        step.__code__ = task.fn.__code__  # type: ignore[attr-defined]
