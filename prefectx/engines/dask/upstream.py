"""What is used of Dask that it may change without notice, in one place."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from importlib.metadata import version

from distributed import LocalCluster, Nanny, Scheduler, Worker
from distributed.scheduler import SchedulerState, TaskState, WorkerState
from distributed.worker_memory import WorkerMemoryManager
from distributed.worker_state_machine import WorkerState as StateOfWorker

from prefectx.errors import MissingDependencyError

Attribute = tuple[type, str]

USED: tuple[Attribute, ...] = (
    # Which call is to blame for a worker's death, and how long calls wait for workers.
    (TaskState, "suspicious"),
    (TaskState, "annotations"),
    (Scheduler, "no_workers_timeout"),
    # The memory of a worker as a resource, on the scheduler and on the worker.
    (SchedulerState, "resources"),
    (WorkerState, "resources"),
    (WorkerState, "used_resources"),
    (StateOfWorker, "total_resources"),
    (StateOfWorker, "available_resources"),
    (Worker, "memory_manager"),
    (WorkerMemoryManager, "memory_limit"),
    # The environment of a worker before it starts, and how long it may take to start again.
    (Nanny, "pre_spawn_env"),
    (Nanny, "env"),
    (LocalCluster, "_update_worker_status"),
)
SEEN_WORKING = "2025.1 to 2026.8"


def check(used: Iterable[Attribute] = USED) -> None:
    """Refuse a version of Dask that lacks what is used of it.

    Parameters:
        used: classes, and names of attributes that they or their objects must have.

    Raises:
        MissingDependencyError: it names the version, what it lacks, and versions that will do.
    """
    lacking = [f"{owner.__name__}.{name}" for owner, name in used if not _has(owner, name)]
    if lacking:
        raise MissingDependencyError(
            f"distributed {version('distributed')} has no {', '.join(lacking)}, which prefectx"
            f" needs: install another version of dask and distributed ({SEEN_WORKING} will do)"
        )


def _has(owner: type, name: str) -> bool:
    declared = (inspect.get_annotations(base) for base in owner.__mro__)
    return hasattr(owner, name) or any(name in names for names in declared)
