"""What happens on the scheduler: who is to blame for a dead worker, and who may try again."""

from __future__ import annotations

from typing import Any, TypedDict

from dask.typing import Key
from distributed import Scheduler
from distributed.diagnostics.plugin import SchedulerPlugin

MEMORY = "MEMORY"
"""The resource that a worker has as many of as its memory limit has bytes."""

ANNOTATION = "prefectx"
STARTED = "prefectx-started"
KILLED_FOR_MEMORY = "worker-restart-memory"


class Annotation(TypedDict):
    """What Dask is told of a call beside its function and arguments.

    Attributes:
        run: the name of the run.
        retries: how often the call is tried again.
    """

    run: str
    retries: int


# Dask counts up from here when a worker dies, and gives a task up above `allowed_failures`.
_BLAMELESS = -1_000_000


class RunSchedulerPlugin(SchedulerPlugin):
    """Lets each call be tried as often as its task's options say.

    Dask holds every task that waits at a worker responsible for the worker's death, and each may
    be there for three of them. Here only calls that were running are held responsible. If a worker
    was killed for its memory, a call is tried again as often as its task has retries; if it died
    for another reason, at least as often as the option `allowed_failures` says.

    Parameters:
        name: the name of the run; only its calls are looked after.
        allowed_failures: the option.
        patience: seconds that calls wait for workers if there are none; None: as the scheduler is
            configured.
    """

    def __init__(self, name: str, allowed_failures: int, patience: float | None = None) -> None:
        self.name = name
        self.allowed_failures = allowed_failures
        self.patience = patience
        self._running: dict[Key, str] = {}
        self._deaths: dict[Key, int] = {}

    async def start(self, scheduler: Scheduler) -> None:
        """Take note of the memory that the workers have."""
        self._scheduler = scheduler
        if self.patience is not None and scheduler.no_workers_timeout is None:
            scheduler.no_workers_timeout = self.patience
        for address in scheduler.workers:
            self.add_worker(scheduler, address)

    def add_worker(self, scheduler: Scheduler, worker: str) -> None:
        """Count a worker's memory as a resource; its own plugin does the same there."""
        state = scheduler.workers[worker]
        if state.memory_limit and MEMORY not in state.resources:
            state.resources[MEMORY] = state.memory_limit
            state.used_resources[MEMORY] = 0
            scheduler.resources.setdefault(MEMORY, {})[worker] = state.memory_limit

    def transition(
        self, key: Key, start: str, finish: str, *args: object, **kwargs: object
    ) -> None:
        """Hold a call that only waits at a worker not responsible for the worker's death."""
        if finish == "processing" and self._retries(key) is not None:
            self._scheduler.tasks[key].suspicious = _BLAMELESS
        elif finish in ("memory", "erred", "forgotten"):
            self._running.pop(key, None)
            self._deaths.pop(key, None)

    def log_event(self, topic: str, msg: Any) -> None:
        """Hold a call responsible once it runs; more so if it used up the memory."""
        if topic == STARTED and self._retries(msg["key"]) is not None:
            self._running[msg["key"]] = msg["worker"]
            self._allow(msg["key"], self.allowed_failures)
        elif topic == KILLED_FOR_MEMORY:
            for key, worker in self._running.items():
                if worker == msg["worker"]:
                    self._allow(key, 0)

    def remove_worker(self, scheduler: Scheduler, worker: str, **kwargs: object) -> None:
        """Count the deaths of the calls that were running."""
        for key in [key for key, address in self._running.items() if address == worker]:
            del self._running[key]
            self._deaths[key] = self._deaths.get(key, 0) + 1

    def _allow(self, key: Key, failures: int) -> None:
        left = max(failures, self._retries(key) or 0) - self._deaths.get(key, 0)
        self._scheduler.tasks[key].suspicious = self._scheduler.allowed_failures - left

    def _retries(self, key: Key) -> int | None:
        task = self._scheduler.tasks.get(key)
        ours: Annotation | None = None
        if task and task.annotations:
            ours = task.annotations.get(ANNOTATION)
        return ours["retries"] if ours and ours["run"] == self.name else None
