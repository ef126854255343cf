"""Explains why a call has no result, such as the death of its worker."""

from __future__ import annotations

from distributed import Client
from distributed.scheduler import KilledWorker, NoValidWorkerError

from prefectx.engines.dask.resources import shown_size
from prefectx.engines.dask.scheduling import KILLED_FOR_MEMORY


def explain(error: BaseException, client: Client) -> str:
    """Return why Dask gave up a call, and what the user can change.

    Parameters:
        error: what Dask raised.
        client: the client that submitted the call.
    """
    if client.status != "running":
        return "the Dask scheduler has gone: was it stopped, or is the network cut off?"
    if isinstance(error, NoValidWorkerError):
        return f"no worker may run it: {error}"
    if not isinstance(error, KilledWorker):
        return f"no worker could run it, or its result is lost: {type(error).__name__}: {error}"
    worker = error.last_worker
    limit = shown_size(worker.memory_limit) if worker.memory_limit else "no limit"
    kills = [kill for _, kill in client.get_events(KILLED_FOR_MEMORY)]
    used = [kill["rss"] for kill in kills if kill["worker"] == worker.address]
    if used:
        return (
            f"its worker {worker.address} was killed while running it, as it used"
            f" {shown_size(used[-1])} and may use {limit}; raise memory_limit in [dask], or set"
            " dask.memory of the task, so that fewer of its calls run at a time on one worker"
        )
    return (
        f"its worker {worker.address} (memory limit: {limit}) died while running it, as often as"
        " it may: was it stopped, killed by the system for want of memory, or cut off? Raise"
        " allowed_failures in [dask] or the task's retries to try more often, lower memory_limit"
        " if it is more than the machine has"
    )
