"""Runs calls in threads, and those of async tasks side by side in one event loop."""

from __future__ import annotations

import asyncio
import functools
import threading
from concurrent.futures import ThreadPoolExecutor

from prefectx.engines.local.running import failed, run_here, run_in_loop
from prefectx.engines.local.scheduler import Job
from prefectx.settings import Options

_PREFIX = "prefectx"


class ThreadRunner:
    """Runs calls in a thread pool.

    Parameters:
        workers: the number of threads, and of async calls that run at a time; None: as many threads
            as the standard library chooses, and async calls without a limit.
    """

    def __init__(self, workers: int | None) -> None:
        self._threads = _Threads(workers)
        self._workers = workers
        self._loop: _Loop | None = None
        self._lock = threading.Lock()

    def start(self, job: Job) -> None:
        """Have a call run in a thread, or in the event loop if its task is async."""
        if not job.call.task.isasync:
            self._threads.start(job)
            return
        with self._lock:
            if self._loop is None:
                self._loop = _Loop(self._workers)
        self._loop.start(job)

    def is_worker(self) -> bool:
        """Tell whether the present thread is one of the pool, or that of the event loop."""
        return self._threads.is_worker() or (self._loop is not None and self._loop.is_here())

    def close(self, abandon: bool) -> None:
        """End the threads; what runs in one cannot be stopped, async calls are cancelled."""
        self._threads.close()
        if self._loop is not None:
            self._loop.close(abandon)


class _Threads:
    def __init__(self, workers: int | None) -> None:
        self._local = threading.local()
        self._pool = ThreadPoolExecutor(workers, _PREFIX, initializer=self._mark)

    def start(self, job: Job) -> None:
        job.future.run_here = functools.partial(_run, job)
        self._pool.submit(_run, job)

    def is_worker(self) -> bool:
        return getattr(self._local, "is_worker", False)

    def close(self) -> None:
        self._pool.shutdown()

    def _mark(self) -> None:
        self._local.is_worker = True


def _run(job: Job) -> bool:
    if not job.future.begin():
        return False
    try:
        over = job.context.run(run_here, job.call, job.wait_for)
    except BaseException as error:  # such as SystemExit, which would end only the thread
        over = failed(job.call, error)
    job.future.end(over)
    return True


class _Loop:
    """An event loop in a thread of its own."""

    def __init__(self, workers: int | None) -> None:
        self._loop = asyncio.new_event_loop()
        self._slots = asyncio.Semaphore(workers) if workers else None
        self._tasks: set[asyncio.Task[None]] = set()
        self._thread = threading.Thread(target=self._loop.run_forever, name=_PREFIX, daemon=True)
        self._thread.start()

    def start(self, job: Job) -> None:
        # For a call that waits in the loop itself, and so keeps it from running the other.
        job.future.run_here = functools.partial(_run, job)
        self._loop.call_soon_threadsafe(self._create, job)

    def is_here(self) -> bool:
        return threading.current_thread() is self._thread

    def close(self, abandon: bool) -> None:
        asyncio.run_coroutine_threadsafe(self._finish(abandon), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _create(self, job: Job) -> None:
        task = self._loop.create_task(self._run(job), context=job.context)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run(self, job: Job) -> None:
        if self._slots is None:
            await self._run_now(job)
        else:
            async with self._slots:
                await self._run_now(job)

    async def _run_now(self, job: Job) -> None:
        if not job.future.begin():
            return
        try:
            over = await run_in_loop(job.call, job.wait_for)
        except BaseException as error:
            job.future.end(failed(job.call, error))
            if isinstance(error, asyncio.CancelledError):
                raise
        else:
            job.future.end(over)

    async def _finish(self, abandon: bool) -> None:
        if abandon:
            for task in self._tasks:
                task.cancel()
        await asyncio.sleep(0)
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._loop.shutdown_asyncgens()


def make_runner(options: Options) -> ThreadRunner:
    """Make the runner that the options describe."""
    return ThreadRunner(options.runner.max_workers)
