"""What a call needs of a worker, and whether any worker has it."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from distributed import Client
from distributed.worker_memory import parse_memory_limit
from prefect.tasks import Task

from prefectx import settings
from prefectx.calls import Call
from prefectx.engines.dask.scheduling import MEMORY
from prefectx.errors import ConfigError
from prefectx.settings import Options


@dataclass(frozen=True)
class Needs:
    """What one task needs of the worker that runs it.

    Attributes:
        task: the name of the task.
        resources: what it takes of its worker's resources while it runs.
        priority: calls of a higher one run first.
        workers: names or addresses of the only workers that may run it, None: any may.
        retries: how often Prefect runs the function again where it fails.
        trim: whether freed memory is given back after it.
    """

    task: str
    resources: Mapping[str, float] = field(default_factory=dict)
    priority: int = 0
    workers: tuple[str, ...] | None = None
    retries: int = 0
    trim: bool = True

    @classmethod
    def of(cls, task: Task[..., Any]) -> Needs:
        """Return the needs of a task by its options."""
        dask = _options(task).dask
        resources = dict(dask.resources)
        if dask.memory is not None:
            resources[MEMORY] = dask.memory
        # A cluster's number of workers bears the same name as a task's choice of them.
        workers = dask.workers if isinstance(dask.workers, tuple) else None
        return cls(task.name, resources, dask.priority, workers, task.retries or 0, dask.trim)


class Capacity:
    """The workers of a cluster, and the most that any of them has of each resource.

    Parameters:
        client: a client of the cluster.
        cluster: the cluster where it is known, so that workers that it could start count too.
    """

    def __init__(self, client: Client, cluster: Any) -> None:
        self._client = client
        self._cluster = cluster
        self._most: dict[str, float] = {}

    def check(self, needs: Needs) -> None:
        """Refuse a call that would wait for ever.

        Raises:
            ConfigError: where no worker has enough for it; it names both figures.
        """
        if self._is_enough(needs):
            return
        workers = [*self._present(), *self._possible()]
        self._most = _most(workers)
        for name, need in needs.resources.items():
            # A cluster that has no workers yet, and does not say which it will have, may do.
            if workers and need > self._most.get(name, 0):
                raise ConfigError(_too_much(needs.task, name, need, self._most.get(name, 0)))

    def placed(self, needs: Needs) -> Needs:
        """Return the needs of a call with the addresses of the workers that they name.

        Dask takes a name that it does not know for that of a host, and waits for it.

        Raises:
            ConfigError: where none of the workers is there.
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
            raise ConfigError(_nowhere(needs, names))
        return replace(needs, workers=found)

    def _is_enough(self, needs: Needs) -> bool:
        return all(need <= self._most.get(name, 0) for name, need in needs.resources.items())

    def _present(self) -> list[Mapping[str, float]]:
        return [worker["resources"] for worker in self._workers().values()]

    def _workers(self) -> dict[str, Any]:
        workers: dict[str, Any] = self._client.scheduler_info(n_workers=-1)["workers"]
        return workers

    def _possible(self) -> list[Mapping[str, float]]:
        options = getattr(self._cluster, "new_spec", {}).get("options", {})
        if "memory_limit" not in options:
            return []
        limit = parse_memory_limit(
            options["memory_limit"], options.get("nthreads", 1), logger=logging.getLogger(__name__)
        )
        return [{MEMORY: limit or 0, **(options.get("resources") or {})}]


def call_of(task: Task[..., Any]) -> Call | None:
    """Return the call that Prefect's task stands for, None where it is the bare function."""
    call = getattr(task.fn, "call", None)
    return call if isinstance(call, Call) else None


def shown_size(size: float) -> str:
    """Write a number of bytes in the units that people set it in."""
    return f"{size / 1e9:.3g} GB" if size >= 1e9 else f"{size / 1e6:.3g} MB"


def _most(workers: Iterable[Mapping[str, float]]) -> dict[str, float]:
    most: dict[str, float] = {}
    for resources in workers:
        for name, amount in resources.items():
            most[name] = max(amount, most.get(name, 0))
    return most


def _options(task: Task[..., Any]) -> Options:
    call = call_of(task)
    if call is not None:
        return call.options
    return settings.current().options(task.name, getattr(task, "keywords", None))


def _nowhere(needs: Needs, names: Iterable[str]) -> str:
    asked = ", ".join(map(repr, needs.workers or ()))
    return (
        f"task {needs.task!r} may run on {asked} only (dask.workers), and no worker has"
        f" such a name, address or host; there are {', '.join(names) or 'none yet'}"
    )


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
