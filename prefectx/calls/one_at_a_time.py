"""The same call runs once at a time; whoever makes it meanwhile gets the outcome of that run."""

from __future__ import annotations

import asyncio
import os
import threading
from concurrent.futures import Future as Outcome
from contextlib import AbstractContextManager, nullcontext
from contextvars import ContextVar, Token
from types import TracebackType
from typing import Any

from prefectx.errors import TargetError
from prefectx.futures import Future
from prefectx.item import Item
from prefectx.monitoring.hooks import ObservedCall

# The outputs of the calls that run here, the innermost last.
ACTIVE: ContextVar[tuple[Item[object] | None, ...]] = ContextVar("prefectx_active", default=())

# What whoever waits for a run gets if it was cancelled: the next one takes its turn.
ABANDONED = object()


class Runs:
    """The calls of this process that run, or are submitted and not over, by their outputs."""

    def __init__(self) -> None:
        self._running: dict[Item[object], Outcome[Any] | None] = {}
        self._submitted: dict[Item[object], Future[object]] = {}
        self._lock = threading.Lock()

    def is_busy(self, item: Item[object]) -> bool:
        """Tell whether a call with this output is under way."""
        return item in self._running or item in self._submitted

    def submitted(self, item: Item[object] | None) -> Future[object] | None:
        """Return the future of a call that was submitted and is not over, else None."""
        return None if item is None else self._submitted.get(item)

    def submit(self, item: Item[object], future: Future[object]) -> None:
        """Remember the future of a submitted call until it is over."""
        self._submitted[item] = future
        future.add_done_callback(lambda _: self._submitted.pop(item, None))

    def reset(self) -> None:
        """Forget all calls: in a forked process those of the parent do not run."""
        self.__init__()  # type: ignore[misc]  # an object that others hold is made anew

    def begin(self, item: Item[object]) -> Outcome[Any] | None:
        """Begin to run a call.

        Returns:
            None: the caller runs it, and calls `end`. Else the outcome to come of the run that is
            under way.
        """
        with self._lock:
            if item not in self._running:
                self._running[item] = None
                return None
            # Made when somebody waits, which is rare: it is slow to create.
            outcome = self._running[item] = self._running[item] or Outcome()
            return outcome

    def end(self, item: Item[object], value: object, error: BaseException | None) -> None:
        """End the run that `begin` began, and tell those who wait for it."""
        with self._lock:
            waiting = self._running.pop(item, None)
        if waiting is None:
            return
        if error is None:
            waiting.set_result(value)
        elif isinstance(error, Exception):
            waiting.set_exception(error)
        else:
            # A cancellation or Ctrl-C is not theirs.
            waiting.set_result(ABANDONED)


RUNS = Runs()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=RUNS.reset)


class OneAtATime:
    """The run of a call, as a context.

    Parameters:
        item: the output of the call, None if none is kept.
        task: the name of the task, for the error.

    Attributes:
        other: the outcome to come of the same call, which another runs; None: it is ours to run.
        outcome: what the call returned, for those who wait for it; the block sets it.

    Raises:
        TargetError: if a call is made by itself.
    """

    __slots__ = ("_item", "_task", "_token", "other", "outcome")

    def __init__(self, item: Item[object] | None, task: str) -> None:
        self._item = item
        self._task = task
        self._token: Token[tuple[Item[object] | None, ...]] | None = None
        self.other: Outcome[Any] | None = None
        self.outcome: object = None

    def __enter__(self) -> OneAtATime:
        item, active = self._item, ACTIVE.get()
        self.other = None if item is None else RUNS.begin(item)
        if self.other is None:
            self._token = ACTIVE.set((*active, item))
        elif item in active:
            raise TargetError(f"task {self._task!r} calls itself with the same arguments")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._token is not None:
            ACTIVE.reset(self._token)
            if self._item is not None:
                RUNS.end(self._item, self.outcome, error)


def locked(call: ObservedCall) -> AbstractContextManager[None]:
    """Keep other processes and hosts from running the same call, with `lock = true`."""
    if call.item is None or not call.options.lock or not call.mode.keeps:
        return nullcontext()
    return call.item.store.lock(call.item.location)


class InThread:
    """A context that may take long to enter, for async code: the event loop goes on meanwhile.

    Parameters:
        context: the context.
    """

    def __init__(self, context: AbstractContextManager[None]) -> None:
        self._context = context

    async def __aenter__(self) -> None:
        if isinstance(self._context, nullcontext):
            return
        entering = asyncio.ensure_future(asyncio.to_thread(self._context.__enter__))
        try:
            await asyncio.shield(entering)
        except asyncio.CancelledError:
            # The thread goes on: what it gets at last is given back.
            entering.add_done_callback(self._leave)
            raise

    def _leave(self, entering: asyncio.Future[None]) -> None:
        if not entering.cancelled() and entering.exception() is None:
            self._context.__exit__(None, None, None)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._context.__exit__(kind, error, trace)
