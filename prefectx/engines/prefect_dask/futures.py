"""The future of a call on Dask."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

import distributed
from prefect.client.schemas.objects import State
from prefect.futures import PrefectFuture
from prefect_dask.task_runners import PrefectDaskFuture

from prefectx.engines.dask.payload import Payload

if TYPE_CHECKING:
    from prefectx.engines.prefect_dask.contexts import Sent
    from prefectx.engines.prefect_dask.submission import Submission

FinalState = Payload[State[object]]
Callback = Callable[[PrefectFuture[object]], None]


class DaskFuture(PrefectDaskFuture[object]):
    """A future that releases Dask's as soon as it has a final state without data.

    So the scheduler and the workers can forget finished calls while the flow still runs.

    Parameters:
        submission: the call.
        context: the context that was sent to the workers.
    """

    def __init__(self, submission: Submission, context: Sent) -> None:
        self._submission: Submission | None = submission
        self._context = context
        self._is_light = submission.is_light
        self._lock = threading.RLock()
        self._end_state: FinalState | State[object] | None = None
        self._is_done = False
        self._callbacks: list[Callback] = []
        super().__init__(
            task_run_id=submission.task_run_id, wrapped_future=submission.send(context)
        )
        self._wrapped_future.add_done_callback(self._when_done)

    @property
    def _final_state(self) -> State[object] | None:
        # The state of a light call stays in bytes: unpickled it is several times as large.
        end = self._end_state
        return end if end is None or isinstance(end, State) else end.peek()

    @_final_state.setter
    def _final_state(self, state: State[object] | None) -> None:
        self._end_state = state

    def stand_in(self) -> distributed.Future[FinalState] | State[object]:
        """Return what to send to a call that waits for this one: Dask's future, or the state."""
        dask = self._wrapped_future
        if dask is not None and has_no_result(dask):
            self._settle()
        dask = self._wrapped_future
        return self._final_state if dask is None else dask

    def wait(self, timeout: float | None = None) -> None:
        """Wait until the call is over, `timeout` seconds at most."""
        self._settle(timeout)

    def result(self, timeout: float | None = None, raise_on_failure: bool = True) -> object:
        """Return what the call returned; raise (or return) what it raised.

        Parameters:
            timeout: seconds to wait at most, None for no limit.
            raise_on_failure: raise what the call raised, else return the exception.

        Raises:
            TimeoutError: if the call is not over in time.
            WorkerError: if its worker died too often.
        """
        self._settle(timeout)
        state = self._final_state
        if state is None:
            raise TimeoutError(
                f"Task run {self.task_run_id} did not complete within {timeout} seconds"
            )
        # Without `_sync` a state returns a coroutine inside an event loop.
        result: Callable[..., object] = state.result
        return result(raise_on_failure=raise_on_failure, _sync=True)

    def add_done_callback(self, fn: Callback) -> None:
        """Call `fn` with this future when the call is over, at once if it is already."""
        with self._lock:
            if not self._is_done:
                self._callbacks.append(fn)
                return
        fn(self)

    def _settle(self, timeout: float | None = None) -> None:
        while self._end_state is None:
            dask = self._wrapped_future
            if dask is None:
                continue  # Dask's thread has just settled it
            try:
                payload = dask.result(timeout)
            except (Exception, asyncio.CancelledError) as error:
                if not dask.done():
                    return
                self._fail(dask, error)
            else:
                self._take(payload)

    def _take(self, payload: FinalState) -> None:
        state = payload.peek()
        if not state.is_completed():
            self._end(state)
        elif self._is_light:
            self._end(payload)
        else:
            # Kept, so that other calls get the data from the worker that holds it.
            self._end(state, is_kept=True)

    def _fail(self, dask: distributed.Future[FinalState], error: BaseException) -> None:
        with self._lock:
            if self._submission is None or dask is not self._wrapped_future:
                return
            if self._submission.has_failed_input:
                self._wrapped_future = self._submission.send(self._context)
                self._wrapped_future.add_done_callback(self._when_done)
            else:
                self._end(self._context.run(self._submission.crashed, error))

    def _end(self, state: FinalState | State[object], is_kept: bool = False) -> None:
        with self._lock:
            if self._end_state is not None:
                return
            self._end_state = state
            self._submission = None
            if not is_kept:
                self._wrapped_future = None  # type: ignore[assignment]  # released

    def _when_done(self, dask: distributed.Future[FinalState]) -> None:
        # Data stays on its worker until it is needed.
        if self._is_light or dask.status != "finished":
            self._settle()
        with self._lock:
            if self._wrapped_future not in (dask, None):
                return
            self._is_done = True
            callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            callback(self)


def has_no_result(dask: distributed.Future[FinalState]) -> bool:
    """Tell whether Dask has given up the call of a future."""
    return dask.status in ("error", "cancelled", "lost")
