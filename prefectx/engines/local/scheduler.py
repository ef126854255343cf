"""The submitted calls of a flow run: each waits until its inputs are over, then goes to the runner.

So a call that waits takes up no worker.
"""

from __future__ import annotations

import threading
from collections import deque
from concurrent.futures import CancelledError
from contextvars import Context, copy_context
from dataclasses import dataclass
from typing import Protocol

from prefectx.arguments.references import futures_in
from prefectx.calls import Call
from prefectx.engines.local.futures import LocalFuture, OverFuture
from prefectx.engines.local.pending import PendingFuture
from prefectx.engines.local.running import failed
from prefectx.engines.protocol import WaitFor
from prefectx.futures import Future


@dataclass(eq=False, slots=True)
class Job:
    """A call whose inputs are over.

    Attributes:
        call: the call.
        wait_for: futures that it waited for, besides those in its arguments.
        future: its future.
        context: the context variables where it was submitted.
    """

    call: Call
    wait_for: WaitFor
    future: PendingFuture
    context: Context


class Runner(Protocol):
    """Runs calls side by side."""

    def start(self, job: Job) -> None:
        """Have a call run, and end its future; returns at once.

        Raises:
            Exception: if the call cannot be handed over; it is the failure of the call.
        """

    def is_worker(self) -> bool:
        """Tell whether the present thread is one of its workers."""

    def close(self, abandon: bool) -> None:
        """End the workers.

        Parameters:
            abandon: stop what runs if that can be done, else finish it.
        """


class Scheduler:
    """Hands calls to a runner when their inputs are over.

    Parameters:
        runner: the runner.
    """

    def __init__(self, runner: Runner) -> None:
        self.runner = runner
        self._open: dict[PendingFuture, None] = {}
        self._ready: deque[Job] = deque()
        self._lock = threading.Lock()
        self._is_starting = False

    def submit(self, call: Call, wait_for: WaitFor) -> PendingFuture:
        """Take a call, and return its future."""
        inputs = [] if call.is_plain else futures_in(call.arguments)
        if wait_for is not None:
            inputs += futures_in(wait_for if isinstance(wait_for, Future) else list(wait_for))
        pending = [one for one in inputs if not isinstance(one, OverFuture)]
        future = PendingFuture(call.item, call.task.name, self.runner.is_worker, pending)
        self._open[future] = None
        future.add_done_callback(self._forget)
        job = Job(call, wait_for, future, copy_context())
        if pending:
            countdown = _Countdown(len(pending), self, job)
            for one in pending:
                one.add_done_callback(countdown)
        else:
            self.start(job)
        return future

    def start(self, job: Job) -> None:
        """Hand a call whose inputs are over to the runner."""
        # What fails at once ends its future, which may bring the next call here: no recursion.
        with self._lock:
            self._ready.append(job)
            if self._is_starting:
                return
            self._is_starting = True
        while True:
            with self._lock:
                if not self._ready:
                    self._is_starting = False
                    return
                ready = self._ready.popleft()
            try:
                if not ready.future.is_over:
                    self.runner.start(ready)
            except Exception as error:
                ready.future.end(failed(ready.call, error))
            except BaseException:
                self._is_starting = False
                raise

    def finish(self) -> None:
        """Wait until all calls are over."""
        while self._open:
            for future in list(self._open):
                future.wait()

    def abandon(self) -> None:
        """Give up the calls that have not begun; those that run go on."""
        for future in list(self._open):
            if future.begin():
                error = CancelledError("the flow ended before the call began")
                future.end(LocalFuture(error, failed=True, item=future.item))

    def _forget(self, future: Future[object]) -> None:
        self._open.pop(future, None)  # type: ignore[call-overload]


class _Countdown:
    """Starts a call when the last of its inputs is over."""

    def __init__(self, count: int, scheduler: Scheduler, job: Job) -> None:
        self._count = count
        self._scheduler = scheduler
        self._job = job
        self._lock = threading.Lock()

    def __call__(self, over: Future[object]) -> None:
        with self._lock:
            self._count -= 1
            is_last = self._count == 0
        if is_last:
            self._scheduler.start(self._job)
