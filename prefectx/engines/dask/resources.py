"""The resources that a call needs, and a check that some worker has them."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TypedDict, cast

from distributed import Client
from distributed.worker_memory import parse_memory_limit

from prefectx.engines.dask.scheduling import MEMORY
from prefectx.errors import ConfigError
from prefectx.settings import Options

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Needs:
    """What a call of one task needs of its worker.

    Attributes:
        task: the name of the task.
        resources: amounts of the worker's resources that a call uses while it runs.
        priority: calls with a higher priority run first.
        workers: names or addresses of the workers that may run it, None for any worker.
        retries: how often a call is tried again.
    """

    task: str
    resources: Mapping[str, float] = field(default_factory=dict)
    priority: int = 0
    workers: tuple[str, ...] | None = None
    retries: int = 0

    @classmethod
    def of(cls, task: str, options: Options, retries: int) -> Needs:
        """Return the needs of a task.

        Parameters:
            task: its name.
            options: its options.
            retries: how often a call is tried again.
        """
        dask = options.dask
        resources = dict(dask.resources)
        if dask.memory is not None:
            resources[MEMORY] = dask.memory
        # The option is also the number of workers of a cluster.
        workers = dask.workers if isinstance(dask.workers, tuple) else None
        return cls(task, resources, dask.priority, workers, retries)


class WorkerInfo(TypedDict):
    """What the scheduler tells of a worker."""

    name: object
    host: str
    resources: dict[str, float]


class Capacity:
    """The largest amount of each resource that any worker of a cluster has.

    Parameters:
        client: a client of the cluster.
        cluster: the cluster, None if unknown; counts workers that it could start, too.
    """

    def __init__(self, client: Client, cluster: object) -> None:
        self._client = client
        self._cluster = cluster
        self._most: dict[str, float] = {}

    def check(self, needs: Needs) -> None:
        """Check that some worker can run a call, which would wait for ever otherwise.

        Raises:
            ConfigError: if no worker has enough of a resource; it names both amounts.
        """
        if all(need <= self._most.get(name, 0) for name, need in needs.resources.items()):
            return
        present = [worker["resources"] for worker in self._workers().values()]
        workers = [*present, *self._possible()]
        self._most = {}
        for resources in workers:
            for name, amount in resources.items():
                self._most[name] = max(amount, self._most.get(name, 0))
        for name, need in needs.resources.items():
            # Without workers nothing is known yet: they may still come.
            if workers and need > self._most.get(name, 0):
                raise ConfigError(_too_much(needs.task, name, need, self._most.get(name, 0)))

    def placed(self, needs: Needs) -> Needs:
        """Return the needs with worker names replaced by addresses.

        Dask takes an unknown name for that of a host, and waits for it.

        Raises:
            ConfigError: if the cluster has none of the workers.
        """
        if needs.workers is None:
            return needs
        names = {
            name: address
            for address, worker in self._workers().items()
            for name in (str(worker["name"]), address, worker["host"])
        }
        found = tuple(names[name] for name in needs.workers if name in names)
        if not found:
            raise ConfigError(
                f"task {needs.task!r} may run on {', '.join(map(repr, needs.workers))} only"
                " (dask.workers), and no worker has such a name, address or host; there are"
                f" {', '.join(names) or 'none yet'}"
            )
        return replace(needs, workers=found)

    def _workers(self) -> dict[str, WorkerInfo]:
        return cast(dict[str, WorkerInfo], self._client.scheduler_info(n_workers=-1)["workers"])

    def _possible(self) -> list[Mapping[str, float]]:
        options = getattr(self._cluster, "new_spec", {}).get("options", {})
        if "memory_limit" not in options:
            return []
        threads = options.get("nthreads", 1)
        limit = parse_memory_limit(options["memory_limit"], threads, logger=_log)
        return [{MEMORY: limit or 0, **(options.get("resources") or {})}]


def shown_size(size: float) -> str:
    """Format a number of bytes: `2 GB`, `600 MB`."""
    return f"{size / 1e9:.3g} GB" if size >= 1e9 else f"{size / 1e6:.3g} MB"


def _too_much(task: str, name: str, need: float, most: float) -> str:
    if name == MEMORY:
        return (
            f"task {task!r} needs {shown_size(need)} of memory (dask.memory), but the"
            f" largest worker has {shown_size(most)} (memory_limit in [dask]): lower the one"
            " or raise the other"
        )
    return (
        f"task {task!r} needs {need:g} of the resource {name!r} (dask.resources), but no worker has"
        f" more than {most:g} (resources in [dask]): lower the one or raise the other"
    )
