"""One call on its way, where calls run at once."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from prefectx.arguments.references import check_upstream, load_items, resolve_futures
from prefectx.calls.call import Outcome, make_call
from prefectx.calls.resolved_task import Recipe
from prefectx.futures import Future, SkippedFuture, State
from prefectx.item import Store
from prefectx.monitoring import progress
from prefectx.runtime import flow_name
from prefectx.tasks.task import Task


class Run:
    """A call on its way in one of these modes.

    Parameters:
        recipe: the recipe of the task.
        arguments: its arguments by name, defaults applied; futures among them are over.
        wait_for: futures that must not have failed.
    """

    __slots__ = ("arguments", "call", "item", "task", "wait_for")

    def __init__(self, recipe: Recipe, arguments: dict[str, Any], wait_for: Any) -> None:
        self.task = recipe.task
        self.wait_for = wait_for
        self.arguments = arguments
        has_item = recipe.keeps or recipe.target is not None
        self.call = make_call(recipe, arguments, flow_name) if has_item else None
        self.item = self.call.item if self.call else None

    @property
    def is_finished(self) -> bool:
        """Whether the output exists, and inputs need not be waited for."""
        # Where there are none, the caching step looks early enough.
        return self.call is not None and not self.call.is_plain and self.call.is_finished

    def value(self) -> Any:
        """Run the call, unless it is finished; return data, or the item of its output."""
        return self.skipped().item if self.is_finished else self._outcome().value

    async def value_async(self) -> Any:
        """Do what `value` does for an async task."""
        return self.skipped().item if self.is_finished else (await self._outcome_async()).value

    def complete(self) -> Future:
        """Run the call to its end, async or not; hold its result or failure."""
        return _complete(self.future_async()) if self.task.isasync else self.future()

    def future(self) -> Future:
        """Run the call, unless it is finished; hold its result or failure."""
        try:
            if self.is_finished:
                return self.skipped()
            outcome = self._outcome()
        except Exception as error:  # as in Prefect, one bad input does not stop the others
            return Future(error, failed=True, item=self.item)
        return Future(outcome.value, item=self.item, skipped=outcome.skipped)

    async def future_async(self) -> Future:
        """Do what `future` does for an async task."""
        try:
            if self.is_finished:
                return self.skipped()
            outcome = await self._outcome_async()
        except Exception as error:  # as in Prefect, one bad input does not stop the others
            return Future(error, failed=True, item=self.item)
        return Future(outcome.value, item=self.item, skipped=outcome.skipped)

    async def state_async(self) -> State:
        """Do what `future` does for an async task, and return its state."""
        return (await self.future_async()).state

    def skipped(self) -> Future:
        """Return the future of the call, which is finished."""
        assert self.item is not None
        return skipped(self.task, self.item.store, self.item.location)

    def _outcome(self) -> Outcome:
        if progress.current() is None:
            return self._run()
        with progress.running(self.task.name, self.item) as end:
            outcome = self._run()
            end(State("COMPLETED", "Cached", None) if outcome.skipped else None)
            return outcome

    async def _outcome_async(self) -> Outcome:
        with progress.running(self.task.name, self.item) as end:
            outcome = await self._run_async()
            end(State("COMPLETED", "Cached", None) if outcome.skipped else None)
            return outcome

    def _run(self) -> Outcome:
        args, kwargs = self._inputs()
        if self.call is not None:
            return self.call.run(*args, **kwargs)
        data = self.task.fn(*args, **kwargs)
        return Outcome(list(data) if self.task.isgenerator else data, False)

    async def _run_async(self) -> Outcome:
        args, kwargs = self._inputs()
        if self.call is not None:
            return await self.call.run_async(*args, **kwargs)
        result = self.task.fn(*args, **kwargs)
        is_generator = self.task.isgenerator
        data = [part async for part in result] if is_generator else await result
        return Outcome(data, False)

    def _inputs(self) -> tuple[tuple[Any, ...], dict[str, Any]]:
        check_upstream(self.wait_for)
        if self.call is not None and self.call.is_plain:
            return self.task.binder.unbind(self.arguments)
        arguments = resolve_futures(self.arguments)
        return self.task.binder.unbind(load_items(arguments) if self.call is None else arguments)


def skipped(task: Task[..., Any], store: Store, location: str) -> Future:
    """Count a finished call, and return its future."""
    progress.skipped(task.name)
    return SkippedFuture(store, location)


def _complete(coroutine: Coroutine[Any, Any, Future]) -> Future:
    """Run a coroutine to its end, in a thread of its own where a loop runs here."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(coroutine)
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(contextvars.copy_context().run, asyncio.run, coroutine).result()
