"""Named hooks around calls: progress, memory, logging and keepalive subscribe to them.

Where a call is made: `call_skipped`, or `call_submitted` and later `call_over`. Where its function
runs, which may be another process: `before_call`, then `after_call` or `call_failed`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager
from contextvars import copy_context
from typing import Any, Protocol

from prefectx.futures import Future, State
from prefectx.item import Item
from prefectx.modes import Mode
from prefectx.settings import Options


class Named(Protocol):
    """A task, as far as hooks need it."""

    @property
    def name(self) -> str:
        """The name of the task."""


class ObservedCall(Protocol):
    """A call, as far as hooks need it."""

    @property
    def task(self) -> Named:
        """The task that is called."""

    @property
    def item(self) -> Item[object] | None:
        """The output of the call, None if none is kept."""

    @property
    def options(self) -> Options:
        """The options of the task where the call was made."""

    @property
    def mode(self) -> Mode:
        """The mode of the call."""

    @property
    def version(self) -> bytes | None:
        """A fingerprint of a function that is defined interactively, else None."""

    @property
    def inputs(self) -> tuple[Future[object], ...]:
        """The futures among the arguments."""


# How a call ended: its final state, or the exception that it raised; None: it just returned.
End = State[object] | BaseException | None


class Subscriber:
    """Base class of what subscribes; overrides the methods that it needs."""

    def call_skipped(self, task: str) -> None:
        """Take note of a call whose output existed.

        Parameters:
            task: the name of the task.
        """

    def call_submitted(self, call: ObservedCall) -> None:
        """Take note of a call that is handed to its engine."""

    def call_over(self, call: ObservedCall, end: End, seconds: float) -> None:
        """Take note of the end of a submitted call, in the context in which it was submitted.

        Parameters:
            call: the call.
            end: its final state, or the exception that it raised; None: it just returned.
            seconds: how long it ran.
        """

    def before_call(self, call: ObservedCall) -> None:
        """Take note of a call that begins to run here."""

    def after_call(self, call: ObservedCall) -> None:
        """Take note of a call that has run here, or found its output."""

    def call_failed(self, call: ObservedCall, error: BaseException) -> None:
        """Take note of a call that has failed here."""


class Hooks:
    """The subscribers of this process, by hook; whoever fires a hook calls each of its list."""

    def __init__(self) -> None:
        self.call_skipped: list[Callable[[str], None]] = []
        self.call_submitted: list[Callable[[ObservedCall], None]] = []
        self.call_over: list[Callable[[ObservedCall, End, float], None]] = []
        self.before_call: list[Callable[[ObservedCall], None]] = []
        self.after_call: list[Callable[[ObservedCall], None]] = []
        self.call_failed: list[Callable[[ObservedCall, BaseException], None]] = []

    def subscribe(self, subscriber: Subscriber) -> None:
        """Call the subscriber's methods from now on; nothing happens if it is subscribed."""
        for name, listeners in vars(self).items():
            overrides = getattr(type(subscriber), name) is not getattr(Subscriber, name)
            method = getattr(subscriber, name)
            if overrides and method not in listeners:
                listeners.append(method)

    def unsubscribe(self, subscriber: Subscriber) -> None:
        """Call the subscriber's methods no more."""
        for name, listeners in vars(self).items():
            method = getattr(subscriber, name)
            if method in listeners:
                listeners.remove(method)


HOOKS = Hooks()


@contextmanager
def observed(call: ObservedCall) -> Iterator[None]:
    """Fire the hooks around the run of a call."""
    for before in HOOKS.before_call:
        before(call)
    try:
        yield
    except BaseException as error:
        for failed in HOOKS.call_failed:
            failed(call, error)
        raise
    for after in HOOKS.after_call:
        after(call)


class Over(Protocol):
    """Fires the hook of a call's end."""

    def __call__(self, end: End, seconds: float | None = None) -> None:
        """Fire it.

        Parameters:
            end: how the call ended.
            seconds: how long it ran; since it was handed on, if None.
        """


@contextmanager
def handed_on(call: ObservedCall) -> Iterator[Over]:
    """Fire the hook of a call that is handed on in the block; give what fires that of its end."""
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


def over_with(
    future: Future[Any], over: Over, seconds: Callable[[State[Any]], float | None]
) -> None:
    """Fire the hook of a call's end when its future is over, in the context that holds here.

    Parameters:
        future: the future of the call.
        over: what fires the hook.
        seconds: tells from a final state how long the call ran.
    """
    if not HOOKS.call_over:
        return
    here = copy_context()

    def end(done: Future[Any]) -> None:
        try:
            done.wait()
        except CancelledError:  # the flow has ended without waiting for it
            return
        if done.state.is_final():
            over(done.state, seconds(done.state))

    future.add_done_callback(lambda done: here.run(end, done))
