"""The future of a call on Dask."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import UUID

import distributed
from prefect.client.schemas.objects import State
from prefect.futures import PrefectFuture
from prefect_dask.task_runners import PrefectDaskFuture

from prefectx.engines.dask.parcels import Parcel


class DaskFuture(PrefectDaskFuture[Any]):
    """A future that lets go of Dask's as soon as it has a state that holds no data.

    So scheduler and workers forget calls that are over, also in the middle of a flow.

    Parameters:
        dask: the future of Dask.
        task_run_id: the id of the task run.
        is_light: whether the result is an item.
        crashed: makes the final state of a call that has no result, from the error.
    """

    def __init__(
        self,
        dask: distributed.Future[Any],
        task_run_id: UUID,
        is_light: bool,
        crashed: Callable[[BaseException], State[Any]],
    ) -> None:
        super().__init__(task_run_id=task_run_id, wrapped_future=dask)
        self._is_light = is_light
        self._crashed = crashed
        self._lock = threading.Lock()
        self._is_done = False
        self._callbacks: list[Callable[[PrefectFuture[Any]], None]] = []
        dask.add_done_callback(self._when_done)

    def stand_in(self) -> distributed.Future[Any] | State[Any]:
        """Return what a call that waits for this one is given: Dask's future, or the state."""
        dask = self._wrapped_future
        return self._final_state if dask is None else dask

    def wait(self, timeout: float | None = None) -> None:
        """Wait until the call is over, `timeout` seconds at most."""
        self._settle(timeout)

    def result(self, timeout: float | None = None, raise_on_failure: bool = True) -> Any:
        """Return what the call returned; raise (or return) what it raised.

        Raises:
            TimeoutError: where the call is not over in time.
            WorkerError: where its worker died too often.
        """
        self._settle(timeout)
        if self._final_state is None:
            raise TimeoutError(
                f"Task run {self.task_run_id} did not complete within {timeout} seconds"
            )
        return self._final_state.result(raise_on_failure=raise_on_failure, _sync=True)  # type: ignore[call-overload]  # it has it

    def add_done_callback(self, fn: Callable[[PrefectFuture[Any]], None]) -> None:
        """Call `fn` with this future when the call is over, at once where it is."""
        with self._lock:
            if not self._is_done:
                self._callbacks.append(fn)
                return
        fn(self)

    def _settle(self, timeout: float | None = None) -> None:
        dask = self._wrapped_future
        if dask is None or self._final_state is not None:
            return
        try:
            parcel: Parcel = dask.result(timeout)
        except (Exception, asyncio.CancelledError) as error:
            if dask.done():
                self._end(partial(self._crashed, error))
        else:
            self._end(parcel.open)

    def _end(self, state: Callable[[], State[Any]]) -> None:
        with self._lock:
            if self._final_state is not None:
                return
            self._final_state = state()
            # Data that a worker holds goes from there to the calls that need it.
            if self._is_light or not self._final_state.is_completed():
                self._wrapped_future = None  # type: ignore[assignment]  # let go

    def _when_done(self, dask: distributed.Future[Any]) -> None:
        # Data stays on the workers until somebody asks for it.
        if self._is_light or dask.status != "finished":
            self._settle()
        with self._lock:
            self._is_done = True
            callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            callback(self)
