"""Waits for several futures of calls without Prefect."""

from __future__ import annotations

import queue
import time
from collections.abc import Iterable, Iterator

from prefectx.engines.local.pending import PendingFuture
from prefectx.futures import DoneAndNotDone, Future

# Seconds after which a worker looks again whether another call has ended.
_A_MOMENT = 0.05


def wait(futures: list[Future[object]], timeout: float | None) -> DoneAndNotDone:
    """Wait for futures.

    Parameters:
        futures: the futures.
        timeout: seconds to wait at most, None for no limit.
    """
    end = None if timeout is None else time.monotonic() + timeout
    for future in futures:
        future.wait(None if end is None else max(0.0, end - time.monotonic()))
    done = {future for future in futures if future.state.is_final()}
    return DoneAndNotDone(done, set(futures) - done)


def as_completed(futures: list[Future[object]], timeout: float | None) -> Iterator[Future[object]]:
    """Yield futures as their calls end.

    Parameters:
        futures: the futures.
        timeout: seconds to wait at most, None for no limit.

    Raises:
        TimeoutError: if some are not over in time; it says how many.
    """
    end = None if timeout is None else time.monotonic() + timeout
    wanted = dict.fromkeys(futures)
    is_worker = any(isinstance(f, PendingFuture) and f.is_worker() for f in wanted)
    over: queue.SimpleQueue[Future[object]] = queue.SimpleQueue()
    for future in wanted:
        future.add_done_callback(over.put)
    for number in range(len(wanted)):
        yield _next(wanted, over, end, is_worker, len(wanted) - number)


def _next(
    wanted: Iterable[Future[object]],
    over: queue.SimpleQueue[Future[object]],
    end: float | None,
    is_worker: bool,
    left: int,
) -> Future[object]:
    while True:
        seconds = None if end is None else max(0.0, end - time.monotonic())
        if is_worker and over.empty() and seconds != 0:
            # This thread has to run calls itself: it keeps a worker from them.
            waiting = next((future for future in wanted if not future.state.is_final()), None)
            if waiting is not None:
                waiting.wait(_A_MOMENT if seconds is None else min(seconds, _A_MOMENT))
                continue
        try:
            return over.get(timeout=seconds)
        except queue.Empty:
            raise TimeoutError(f"{left} futures unfinished") from None
