"""Runs calls in a pool of processes, which survives the death of one."""

from __future__ import annotations

import functools
import os
import re
import threading
from collections import deque
from concurrent.futures import BrokenExecutor, CancelledError, Future, ThreadPoolExecutor
from typing import NamedTuple

import cloudpickle
from loky import ProcessPoolExecutor, cpu_count  # type: ignore[import-untyped]

from prefectx import settings
from prefectx.engines.local.futures import LocalFuture
from prefectx.engines.local.running import failed, inputs_of
from prefectx.engines.local.scheduler import Job
from prefectx.engines.local.sending import Packer, ended, enter_worker, run_packed
from prefectx.errors import WorkerError
from prefectx.settings import Options


class Packed(NamedTuple):
    """A call that is ready to be sent.

    Attributes:
        job: the call.
        content: what is sent.
    """

    job: Job
    content: bytes


class ProcessRunner:
    """Runs calls in a pool of processes.

    Only so many calls are sent that each process has its next one at hand. If a process dies, the
    calls that were sent run again one at a time, so that the one that kills its process is known.

    Parameters:
        options: the project's options.
    """

    def __init__(self, options: Options) -> None:
        self._workers = options.runner.max_workers or cpu_count()
        self._window = 2 * self._workers + 1
        self._settings = settings.current()
        self._packer = Packer(self._settings)
        self._waiting: deque[Job] = deque()
        self._sent: set[Job] = set()
        self._pool: ProcessPoolExecutor | None = self._make_pool(self._workers)
        # The thread and the process that run calls one at a time after a process has died.
        self._alone: ThreadPoolExecutor | None = None
        self._single: ProcessPoolExecutor | None = None
        self._is_closed = False
        self._lock = threading.RLock()

    def start(self, job: Job) -> None:
        """Have a call run in a process."""
        self._waiting.append(job)
        self._send()

    def is_worker(self) -> bool:
        """Return false: workers are in other processes."""
        return False

    def close(self, abandon: bool) -> None:
        """End the processes: kill them, or wait for what they run."""
        with self._lock:
            self._is_closed, pool, alone = abandon, self._pool, self._alone
        if pool is not None:
            pool.shutdown(wait=True, kill_workers=abandon)
        if alone is not None:
            alone.shutdown(cancel_futures=abandon)
        if self._single is not None:
            self._single.shutdown(wait=True, kill_workers=abandon)
        self._is_closed = True
        for job in list(self._sent):
            _cancel(job)

    def _send(self) -> None:
        """Send calls until each process has its next one."""
        while True:
            with self._lock:
                if len(self._sent) >= self._window or not self._waiting:
                    return
                job = self._waiting.popleft()
                if not job.future.begin():
                    continue
                self._sent.add(job)
            try:
                packed = Packed(job, self._packed(job))
                with self._lock:
                    pool = self._pool = self._pool or self._make_pool(self._workers)
                sent = pool.submit(run_packed, packed.content)
            except BrokenExecutor:
                self._suspect(packed, pool)
            except Exception as error:
                self._end(job, failed(job.call, error))
            else:
                sent.add_done_callback(functools.partial(self._done, packed, pool))

    def _packed(self, job: Job) -> bytes:
        return job.context.run(
            lambda: self._packer.pack(job.call, inputs_of(job.call, job.wait_for))
        )

    def _make_pool(self, workers: int) -> ProcessPoolExecutor:
        try:
            content = cloudpickle.dumps(self._settings)
        except Exception as error:
            raise WorkerError(
                "the settings cannot be sent to another process, as an object that override() was"
                f" given cannot be pickled: {error}"
            ) from error
        given = content, os.getpid()
        pool = ProcessPoolExecutor(workers, initializer=enter_worker, initargs=given)
        pool.submit(os.getpid)  # starts its processes, and what ends them with the program
        return pool

    def _done(self, packed: Packed, pool: ProcessPoolExecutor, sent: Future[bytes]) -> None:
        error = CancelledError() if sent.cancelled() else sent.exception()
        job = packed.job
        if self._is_closed or isinstance(error, KeyboardInterrupt):
            _cancel(job)
            return
        if isinstance(error, (BrokenExecutor, CancelledError)):
            self._suspect(packed, pool)
            return
        self._end(job, ended(job.call, sent.result()) if error is None else failed(job.call, error))
        self._send()

    def _end(self, job: Job, future: LocalFuture) -> None:
        with self._lock:
            self._sent.discard(job)
        job.future.end(future)

    def _suspect(self, packed: Packed, pool: ProcessPoolExecutor) -> None:
        """Run a call again that may have killed its process, and alone."""
        with self._lock:
            if self._is_closed:
                self._sent.discard(packed.job)
                _cancel(packed.job)
                return
            if self._pool is pool:
                self._pool = None
            if self._alone is None:
                self._alone = ThreadPoolExecutor(1, "prefectx")
            self._alone.submit(self._run_alone, packed)

    def _run_alone(self, packed: Packed) -> None:
        job = packed.job
        pool = self._single = self._single or self._make_pool(1)
        try:
            future = ended(job.call, pool.submit(run_packed, packed.content).result())
        except BrokenExecutor as error:
            future = failed(job.call, _died(job, error))
            self._single = None
        except Exception as error:
            future = failed(job.call, error)
        self._end(job, future)
        self._send()


def _cancel(job: Job) -> None:
    error = CancelledError("the call was stopped")
    job.future.end(LocalFuture(error, failed=True, item=job.call.item))


def _died(job: Job, error: BrokenExecutor) -> WorkerError:
    codes = re.search(r"exit codes of the workers are \{(.*?)\}", str(error))
    died = WorkerError(
        f"task {job.call.task.name!r}: its process died while running it, twice"
        f" ({codes[1] if codes else error}): was it killed by the system for want of memory, or by"
        " code that it calls?"
    )
    died.__cause__ = error
    return died


def make_runner(options: Options) -> ProcessRunner:
    """Make the runner that the options describe."""
    return ProcessRunner(options)
