"""Waits for several futures of calls without Prefect."""

from __future__ import annotations

import queue
import time
from collections.abc import Iterator

from prefectx.futures import DoneAndNotDone, Future


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
    over: queue.SimpleQueue[Future[object]] = queue.SimpleQueue()
    for future in wanted:
        future.add_done_callback(over.put)
    for number in range(len(wanted)):
        try:
            yield over.get(timeout=None if end is None else max(0.0, end - time.monotonic()))
        except queue.Empty:
            left = len(wanted) - number
            raise TimeoutError(f"{left} (of {len(wanted)}) futures unfinished") from None
