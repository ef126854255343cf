"""The names of Dask that we use although it may change them without notice, and why."""

from __future__ import annotations

import functools

from prefectx.engines.upstream import Entry, Name, Text, require

SEEN_WORKING = "2025.1 to 2026.8"

_BLAME = "decides which call is to blame for a worker's death, and how often it is tried again"
_MEMORY = "makes the memory of a worker a resource of it, on the scheduler and on the worker"
_RESTART = "sets a worker's environment and thresholds before it starts"
_REASON = "explains why a worker died"

USED: tuple[Entry, ...] = (
    Name("distributed.scheduler:TaskState.suspicious", _BLAME),
    Name("distributed.scheduler:TaskState.annotations", _BLAME),
    Name("distributed.scheduler:Scheduler.allowed_failures", _BLAME),
    Name("distributed.scheduler:SchedulerState.tasks", _BLAME),
    Name("distributed.diagnostics.plugin:SchedulerPlugin.log_event", _BLAME),
    Name("distributed.worker:Worker.log_event", _BLAME),
    Name("distributed.worker:Worker.get_current_task", _BLAME),
    Name("distributed.scheduler:Scheduler.no_workers_timeout", "ends a wait for workers"),
    Name("distributed.scheduler:SchedulerState.workers", _MEMORY),
    Name("distributed.scheduler:SchedulerState.resources", _MEMORY),
    Name("distributed.scheduler:WorkerState.memory_limit", _MEMORY),
    Name("distributed.scheduler:WorkerState.resources", _MEMORY),
    Name("distributed.scheduler:WorkerState.used_resources", _MEMORY),
    Name("distributed.worker_state_machine:WorkerState.total_resources", _MEMORY),
    Name("distributed.worker_state_machine:WorkerState.available_resources", _MEMORY),
    Name("distributed.worker:Worker.state", _MEMORY),
    Name("distributed.worker:Worker.memory_manager", _MEMORY),
    Name("distributed.worker:Worker.plugins", "finds the settings that all calls of a run share"),
    Name("distributed.worker_memory:WorkerMemoryManager.memory_limit", _MEMORY),
    Name("distributed.worker_memory:parse_memory_limit", "knows workers that have not started yet"),
    Name("distributed.deploy.spec:SpecCluster.new_spec", "knows workers that have not started yet"),
    Name("distributed.nanny:Nanny.pre_spawn_env", _RESTART),
    Name("distributed.nanny:Nanny.env", _RESTART),
    Name(
        "distributed.deploy.local:LocalCluster._update_worker_status",
        "waits longer for a worker to start again",
    ),
    Name("distributed.scheduler:KilledWorker.last_worker", _REASON),
    Name("distributed.scheduler:NoValidWorkerError", _REASON),
    Name("distributed.client:Client.get_events", _REASON),
    Text("distributed.worker_memory", '"worker-restart-memory"', _REASON),
)


@functools.cache
def check() -> None:
    """Refuse a version of Dask that lacks one of the names; checks once per process.

    Raises:
        MissingDependencyError: it names the version, the missing names, and versions that work.
    """
    require("distributed", SEEN_WORKING, USED)
