"""A cluster on this machine, with the memory limits and the environment of `[dask]`."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import dask
from distributed import LocalCluster, Nanny

from prefectx.settings import Options

_THRESHOLDS = ("target", "spill", "pause")
_TTL = 300.0
_BACK_WITHIN = "5m"
# Nannies set these too; the last two name the parent of a process.
_SET_BY_NANNIES = ("PYTHONHASHSEED", "__DASK_PARENT_PID", "DASK_PARENT")
# The level of Dask's own lines in a worker; at the level INFO it logs a dozen as it starts.
_LEVEL = "DASK_LOGGING__DISTRIBUTED"


def local_cluster_arguments(options: Options) -> dict[str, object]:
    """Return the arguments of a `LocalCluster`.

    Parameters:
        options: the project's options.
    """
    given = options.dask
    arguments: dict[str, object] = {
        "n_workers": given.workers,
        "threads_per_worker": given.threads_per_worker,
        "processes": given.processes,
        "memory_limit": given.memory_limit,
        "resources": given.resources or None,
        "dashboard_address": "127.0.0.1:0",
        # Long, as a worker whose task holds the GIL is silent.
        "scheduler_kwargs": {
            "worker_ttl": given.worker_ttl or max(_TTL, options.keepalive.outage or 0)
        },
    }
    if given.processes:
        thresholds = {name: getattr(given, name) for name in _THRESHOLDS}
        arguments |= {
            "worker_class": RunNanny,
            "terminate": given.terminate,
            "environ": worker_environment(options),
            # Dask takes dotted keys here only.
            "config": {
                f"distributed.worker.memory.{name}": value
                for name, value in thresholds.items()
                if value is not None
            },
        }
    return {name: value for name, value in arguments.items() if value is not None}


def worker_environment(options: Options) -> dict[str, str]:
    """Return the environment variables to set for the workers.

    Parameters:
        options: the project's options. If an extra logger or Dask's own configuration asks for
            Dask's lines, they are logged.
    """
    given = dict(options.dask.environ)
    wanted = any(name.split(".")[0] == "distributed" for name in options.logging.extra_loggers)
    if not wanted and dask.config.get("logging", None) is None:
        given.setdefault(_LEVEL, "warning")
    return given


class RunNanny(Nanny):
    """A nanny that takes as arguments what Dask otherwise reads from its global configuration.

    Parameters:
        terminate: fraction of the memory limit at which the worker is killed; False: never;
            None: the value of Dask's configuration.
        environ: environment variables of the worker's process.
    """

    def __init__(
        self,
        *args: Any,
        terminate: float | bool | None = None,
        environ: Mapping[str, str] | None = None,
        **kwargs: Any,
    ) -> None:
        wanted = {} if terminate is None else {"distributed.worker.memory.terminate": terminate}
        with dask.config.set(wanted):
            super().__init__(*args, **kwargs)
        self.pre_spawn_env.update(environ or {})
        self.env.update(environ or {})


class RunCluster(LocalCluster):
    """A local cluster that waits longer for a worker to restart.

    Dask gives up a worker that has not restarted after 15 seconds. On a busy machine that takes
    longer, and a cluster that has lost all its workers waits for ever.
    """

    def _update_worker_status(self, op: str, msg: object) -> None:
        with dask.config.set({"distributed.deploy.lost-worker-timeout": _BACK_WITHIN}):
            super()._update_worker_status(op, msg)  # type: ignore[no-untyped-call]


@contextmanager
def restored_environment(environ: Mapping[str, str]) -> Iterator[None]:
    """Restore the environment variables that nannies set in this process for their workers.

    Parameters:
        environ: variables that the nannies of this run set in addition.
    """
    set_by_dask = dask.config.get("distributed.nanny.pre-spawn-environ")
    names = {*set_by_dask, *_SET_BY_NANNIES, *environ}
    before = {name: os.environ.get(name) for name in names}
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
