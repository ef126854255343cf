"""A scheduler plugin: decides which calls to try again after the death of a worker."""

from __future__ import annotations

from typing import TypedDict, cast

from dask.typing import Key
from distributed import Scheduler
from distributed.diagnostics.plugin import SchedulerPlugin

MEMORY = "MEMORY"
"""A resource of each worker; its amount is the memory limit in bytes."""

ANNOTATION = "prefectx"
STARTED = "prefectx-started"
KILLED_FOR_MEMORY = "worker-restart-memory"


class Annotation(TypedDict):
    """What a call carries for the plugin, as an annotation of its Dask task.

    Attributes:
        run: the name of the run.
        retries: how often the call is tried again.
    """

    run: str
    retries: int


class Started(TypedDict):
    """What a worker reports when a call starts to run there."""

    key: Key
    worker: str


# Dask counts up from here at each death, and gives up a task above `allowed_failures`.
_BLAMELESS = -1_000_000


class RunSchedulerPlugin(SchedulerPlugin):
    """Tries each call again as often as the options of its task allow.

    Dask blames every task that is assigned to a worker for the worker's death, and allows three
    deaths per task. This plugin blames only calls that were running. If a worker was killed for its
    memory, a call is tried again as often as its task has retries; if it died for another reason,
    at least as often as the option `allowed_failures` says.

    Parameters:
        name: the name of the run; the plugin handles only its calls.
        allowed_failures: the option.
        patience: seconds that calls wait if there are no workers; None: the configuration of the
            scheduler.
    """

    def __init__(self, name: str, allowed_failures: int, patience: float | None = None) -> None:
        self.name = name
        self.allowed_failures = allowed_failures
        self.patience = patience
        self._running: dict[Key, str] = {}
        self._deaths: dict[Key, int] = {}

    async def start(self, scheduler: Scheduler) -> None:
        """Count the memory of the present workers as a resource."""
        self._scheduler = scheduler
        if self.patience is not None and scheduler.no_workers_timeout is None:
            scheduler.no_workers_timeout = self.patience
        for address in scheduler.workers:
            self.add_worker(scheduler, address)

    def add_worker(self, scheduler: Scheduler, worker: str) -> None:
        """Count the memory of a worker as a resource, as the worker's plugin does there."""
        state = scheduler.workers[worker]
        if state.memory_limit and MEMORY not in state.resources:
            state.resources[MEMORY] = state.memory_limit
            state.used_resources[MEMORY] = 0
            scheduler.resources.setdefault(MEMORY, {})[worker] = state.memory_limit

    def transition(
        self, key: Key, start: str, finish: str, *args: object, **kwargs: object
    ) -> None:
        """Do not blame a call for a worker's death as long as it only waits there."""
        if finish == "processing" and self._retries(key) is not None:
            self._scheduler.tasks[key].suspicious = _BLAMELESS
        elif finish in ("memory", "erred", "forgotten"):
            self._running.pop(key, None)
            self._deaths.pop(key, None)

    def log_event(self, topic: str, msg: object) -> None:
        """Blame a call from the moment it runs; allow only its retries if it used up the memory."""
        if topic == STARTED:
            started = cast(Started, msg)
            if self._retries(started["key"]) is not None:
                self._running[started["key"]] = started["worker"]
                self._allow(started["key"], self.allowed_failures)
        elif topic == KILLED_FOR_MEMORY:
            killed = cast(dict[str, object], msg)["worker"]
            for key, worker in self._running.items():
                if worker == killed:
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
