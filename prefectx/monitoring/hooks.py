"""Named hooks around calls: progress, memory, logging and keepalive subscribe to them.

In the process that makes a call: `call_skipped`, or `call_submitted` and later `call_over`. In the
process that runs its function: `before_call`, then `after_call` or `call_failed`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from typing import Protocol, TypeVar

from prefectx.futures import Future, State
from prefectx.item import Item
from prefectx.modes import Mode
from prefectx.settings import Options


class Named(Protocol):
    """The part of a task that hooks see."""

    @property
    def name(self) -> str:
        """The name of the task."""


class ObservedCall(Protocol):
    """The part of a call that hooks see."""

    @property
    def task(self) -> Named:
        """The task that is called."""

    @property
    def item(self) -> Item[object] | None:
        """The output of the call, None if none is kept."""

    @property
    def options(self) -> Options:
        """The options of the task when the call was made."""

    @property
    def mode(self) -> Mode:
        """The mode of the call."""

    @property
    def version(self) -> bytes | None:
        """A fingerprint of a function that is defined interactively, else None."""

    @property
    def inputs(self) -> tuple[Future[object], ...]:
        """The futures among the arguments."""


class ObservedTask(Protocol):
    """The part of a task with its options that hooks see."""

    @property
    def task(self) -> Named:
        """The task."""

    @property
    def options(self) -> Options:
        """Its options."""


# How a call ended: its final state, the exception that it raised, or None if it returned.
End = State[object] | BaseException | None
R = TypeVar("R")


class Subscriber:
    """Base class of subscribers; a subclass overrides the methods that it needs."""

    def call_skipped(self, task: ObservedTask, location: str) -> None:
        """Handle a call that was skipped: its output existed.

        Parameters:
            task: the task.
            location: the output.
        """

    def call_stale(self, task: ObservedTask, location: str, causes: Sequence[str]) -> None:
        """Handle a call whose output is kept though it is stale.

        Parameters:
            task: the task.
            location: the output.
            causes: why it is stale, in words.
        """

    def call_submitted(self, call: ObservedCall) -> None:
        """Handle a call that is handed to its engine."""

    def call_over(self, call: ObservedCall, end: End, seconds: float) -> None:
        """Handle the end of a submitted call, in the context in which it was submitted.

        Parameters:
            call: the call.
            end: its final state, the exception that it raised, or None if it returned.
            seconds: how long it ran.
        """

    def before_call(self, call: ObservedCall) -> None:
        """Handle a call that starts to run in this process."""

    def after_call(self, call: ObservedCall) -> None:
        """Handle a call that has returned, or found its output, in this process."""

    def call_failed(self, call: ObservedCall, error: BaseException) -> None:
        """Handle a call that has failed in this process."""


class Hooks:
    """The subscribed methods, one list for each hook; to fire a hook is to call all of its list."""

    def __init__(self) -> None:
        self.call_skipped: list[Callable[[ObservedTask, str], None]] = []
        self.call_stale: list[Callable[[ObservedTask, str, Sequence[str]], None]] = []
        self.call_submitted: list[Callable[[ObservedCall], None]] = []
        self.call_over: list[Callable[[ObservedCall, End, float], None]] = []
        self.before_call: list[Callable[[ObservedCall], None]] = []
        self.after_call: list[Callable[[ObservedCall], None]] = []
        self.call_failed: list[Callable[[ObservedCall, BaseException], None]] = []

    def subscribe(self, subscriber: Subscriber) -> None:
        """Add the methods that a subscriber overrides; one that is subscribed already stays so."""
        for name, listeners in vars(self).items():
            overrides = getattr(type(subscriber), name) is not getattr(Subscriber, name)
            method = getattr(subscriber, name)
            if overrides and method not in listeners:
                listeners.append(method)

    def unsubscribe(self, subscriber: Subscriber) -> None:
        """Remove the methods of a subscriber."""
        for name, listeners in vars(self).items():
            method = getattr(subscriber, name)
            if method in listeners:
                listeners.remove(method)


HOOKS = Hooks()


# The call that runs here: of each thread and asyncio task its own.
RUNNING: ContextVar[ObservedCall | None] = ContextVar("prefectx_running", default=None)


@contextmanager
def observed(call: ObservedCall) -> Iterator[None]:
    """Fire the hooks around the run of a call."""
    for before in HOOKS.before_call:
        before(call)
    token = RUNNING.set(call)
    try:
        yield
    except BaseException as error:
        for failed in HOOKS.call_failed:
            failed(call, error)
        raise
    finally:
        RUNNING.reset(token)
    for after in HOOKS.after_call:
        after(call)


class Over(Protocol):
    """Fires `call_over` for one call."""

    def __call__(self, end: End, seconds: float | None = None) -> None:
        """Fire the hook.

        Parameters:
            end: how the call ended.
            seconds: how long it ran; None: the time since it was handed on.
        """


@contextmanager
def handed_on(call: ObservedCall) -> Iterator[Over]:
    """Fire `call_submitted`; the block hands the call on, and gets a function for `call_over`."""
    for submitted in HOOKS.call_submitted:
        submitted(call)
    started = time.monotonic()

    def over(end: End, seconds: float | None = None) -> None:
        elapsed = time.monotonic() - started if seconds is None else seconds
        for listener in HOOKS.call_over:
            listener(call, end, elapsed)

    try:
        yield over
    except BaseException as error:
        over(error)
        raise


def over_with(future: Future[R], over: Over, seconds: Callable[[State[R]], float | None]) -> None:
    """Fire `call_over` when a future is done, in the context of the caller.

    Parameters:
        future: the future of the call.
        over: fires the hook.
        seconds: returns how long the call of a final state ran, None if unknown.
    """
    if not HOOKS.call_over:
        return
    here = copy_context()

    def end(done: Future[R]) -> None:
        try:
            done.wait()
        except CancelledError:  # the flow has ended without waiting for it
            return
        if done.state.is_final():
            over(done.state, seconds(done.state))

    future.add_done_callback(lambda done: here.run(end, done))
