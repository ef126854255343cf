"""Runs calls on the cluster of `[dask]`, without Prefect."""

from __future__ import annotations

import asyncio
import logging
import queue
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import CancelledError
from contextlib import ExitStack
from typing import Any
from uuid import uuid4

import distributed

from prefectx import settings
from prefectx.engines.dask.deaths import explain
from prefectx.engines.dask.payload import Payload
from prefectx.engines.dask.resources import Needs
from prefectx.engines.dask.session import Session, is_connected, session
from prefectx.engines.dask.worker import RunPlugin, begin_call
from prefectx.engines.local.futures import LocalFuture
from prefectx.engines.local.place import at_once
from prefectx.engines.local.running import failed, inputs_of
from prefectx.engines.local.scheduler import Job
from prefectx.engines.local.sending import Packer, ended, run_packed
from prefectx.errors import WorkerError
from prefectx.monitoring import logging as logs
from prefectx.settings import Options

_log = logging.getLogger(__name__)
_PATIENCE = 10.0


class DaskRunner:
    """Runs calls on Dask.

    Parameters:
        opened: the connection to the cluster.
        close: ends it.
    """

    def __init__(self, opened: Session[Any], close: Callable[[], object] = lambda: None) -> None:
        given = settings.current()
        self._session = opened
        self._close = close
        self._is_closed = False
        self._packer = Packer(given)
        self._name = f"prefectx-{uuid4().hex}"
        path = [path for path in sys.path if path]
        plugin = RunPlugin(self._name, Payload(given), path)
        opened.client.register_plugin(plugin, name=self._name)
        self._sent: dict[str, tuple[Job, distributed.Future[bytes]]] = {}
        self._over: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._collector = threading.Thread(target=self._collect, name="prefectx", daemon=True)
        self._collector.start()

    def start(self, job: Job) -> None:
        """Send a call to the scheduler.

        Raises:
            ConfigError: if the task needs more than any worker has, or an unknown worker.
        """
        call = job.call
        retries = call.task.prefect_keywords.get("retries")
        needs = Needs.of(call.task.name, call.options, retries if isinstance(retries, int) else 0)
        needs = self._session.place(needs)
        packed = job.context.run(lambda: self._packer.pack(call, inputs_of(call, job.wait_for)))
        future = self._session.submit(needs, run_call, self._name, packed)
        key = str(future.key)
        self._sent[key] = job, future
        future.add_done_callback(lambda _: self._over.put(key))

    def is_worker(self) -> bool:
        """Return false: on a worker calls run at once."""
        return False

    def close(self, abandon: bool) -> None:
        """Cancel what is left, and leave the cluster, or stop it if it was started for the flow."""
        self._is_closed = True
        left = [future for _, future in list(self._sent.values())]
        if left and is_connected(self._session.client):
            self._session.client.cancel(left, force=True)
            # Dask tells of each on its own time, and would complain if the client were closed.
            end = time.monotonic() + _PATIENCE
            while self._sent and time.monotonic() < end:
                time.sleep(0.01)
        self._over.put(None)
        self._collector.join()
        if is_connected(self._session.client):
            self._session.client.unregister_worker_plugin(self._name)
        self._close()

    def _collect(self) -> None:
        """End the futures of the calls that are over, many at a time."""
        while (first := self._over.get()) is not None:
            keys = [first]
            while not self._over.empty():
                key = self._over.get()
                if key is None:
                    self._over.put(None)
                    break
                keys.append(key)
            over = [self._sent[key] for key in keys]
            returned = [(job, dask) for job, dask in over if dask.status == "finished"]
            contents = self._gathered(returned)
            for key, (job, dask) in zip(keys, over, strict=True):
                job.future.end(self._ended(job, dask, contents.get(job)))
                del self._sent[key]

    def _gathered(self, returned: list[tuple[Job, distributed.Future[bytes]]]) -> dict[Job, bytes]:
        """Fetch what many calls returned; nothing if a worker or the scheduler has died since."""
        client = self._session.client
        try:
            found = client.gather([dask for _, dask in returned], errors="skip")
        except Exception as error:
            _log.debug("Dask gives no results: %s", error)
            return {}
        if len(found) != len(returned):
            return {}
        return dict(zip([job for job, _ in returned], found, strict=True))

    def _ended(
        self, job: Job, dask: distributed.Future[bytes], content: bytes | None
    ) -> LocalFuture:
        if content is not None:
            return ended(job.call, content)
        client = self._session.client
        try:
            # While the client looks for a scheduler that has died, it would wait for ever.
            return ended(job.call, dask.result(None if is_connected(client) else 0))
        except (Exception, asyncio.CancelledError) as error:
            if self._is_closed:
                return failed(job.call, CancelledError("the call was stopped"))
            why = explain(error, client)
            died = WorkerError(f"task {job.call.task.name!r}: {why}")
            died.__cause__ = error
            return failed(job.call, died)


def run_call(name: str, packed: bytes) -> bytes:
    """Run a call on a worker; return what became of it.

    Parameters:
        name: the name of the run's plugin.
        packed: the call.
    """
    plugin = begin_call(name)
    with plugin.surroundings(), at_once():
        logs.set_up(plugin.settings.project.logging)
        return run_packed(packed)


def make_runner(options: Options) -> DaskRunner:
    """Make the runner that the options describe; connects to the cluster, or starts it.

    Raises:
        ConfigError: if keys of `[dask]` exclude each other.
    """
    stack = ExitStack()
    log = logging.getLogger(logs.RUNS)
    opened = stack.enter_context(session(options, distributed.Client, log))
    return DaskRunner(opened, stack.close)
