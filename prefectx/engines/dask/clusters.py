"""From `[dask]` to what prefect-dask's runner is made of."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import dask
from distributed import LocalCluster, Nanny, Security
from prefect.utilities.importtools import from_qualified_name

from prefectx.errors import ConfigError, MissingDependencyError
from prefectx.settings import Dask, Options

_THRESHOLDS = ("target", "spill", "pause")
_TTL = 300.0
_BACK_WITHIN = "5m"
# Seconds for which a worker must be idle to be stopped. Dask's three are less than one takes to
# start on a busy machine; stopped while it starts, the cluster waits for it for ever.
_IDLE = {"wait_count": 60}
# By which Dask's processes know their parent, under its two names.
_SET_BY_NANNIES = ("PYTHONHASHSEED", "__DASK_PARENT_PID", "DASK_PARENT")


def runner_arguments(options: Options) -> dict[str, Any]:
    """Return the arguments of a `DaskTaskRunner`.

    Parameters:
        options: the project's options.

    Raises:
        ConfigError: where keys exclude each other.
        MissingDependencyError: where the report needs a package that is not there.
    """
    given = options.dask
    arguments: dict[str, Any] = {"client_kwargs": _security(given)}
    if given.performance_report:
        arguments["performance_report_path"] = _report(given.performance_report)
    if given.address:
        return arguments | {"address": given.address} | _check_address(given)
    cluster = _cluster_class(given)
    is_local = _is_local(cluster)
    own = _local(options) if is_local else _others(given)
    return arguments | {
        "cluster_class": cluster,
        "cluster_kwargs": own | given.cluster_kwargs,
        "adapt_kwargs": _IDLE | given.adapt if given.adapt and is_local else given.adapt,
    }


class RunNanny(Nanny):
    """Dask's nanny, with what Dask reads from the whole process's configuration as arguments.

    Parameters:
        terminate: fraction of the memory limit from which on the worker is killed; false: never;
            None: as Dask is configured.
        environ: variables of the worker's process, set before it starts.
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
    """A local cluster that waits for a worker to start again.

    Dask gives a worker up for good that is not back after 15 seconds; on a busy machine it takes
    longer to start, and a cluster that has lost all waits for ever.
    """

    def _update_worker_status(self, op: str, msg: Any) -> None:
        with dask.config.set({"distributed.deploy.lost-worker-timeout": _BACK_WITHIN}):
            super()._update_worker_status(op, msg)  # type: ignore[no-untyped-call]


class Environment:
    """The variables that nannies set in the flow's process on their way to the workers.

    Parameters:
        environ: further variables that this run's nannies set.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        set_by_dask = dask.config.get("distributed.nanny.pre-spawn-environ")
        names = {*set_by_dask, *_SET_BY_NANNIES, *environ}
        self._before = {name: os.environ.get(name) for name in names}

    def restore(self) -> None:
        """Make them what they were when this was made."""
        for name, value in self._before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _cluster_class(given: Dask) -> Any:
    named = given.cluster_class
    if named is None:
        return RunCluster
    return from_qualified_name(named.replace(":", ".")) if isinstance(named, str) else named


def _is_local(cluster: Any) -> bool:
    return isinstance(cluster, type) and issubclass(cluster, LocalCluster)


def _local(options: Options) -> dict[str, Any]:
    given = options.dask
    arguments = {
        "n_workers": given.workers,
        "threads_per_worker": given.threads_per_worker,
        "processes": given.processes,
        "memory_limit": given.memory_limit,
        "resources": given.resources or None,
        "dashboard_address": "127.0.0.1:0",
        # A worker whose task holds the GIL is silent, but at work.
        "scheduler_kwargs": {
            "worker_ttl": given.worker_ttl or max(_TTL, options.keepalive.outage or 0)
        },
    }
    if given.processes:
        arguments |= _nannies(given)
    return {name: value for name, value in arguments.items() if value is not None}


def _nannies(given: Dask) -> dict[str, Any]:
    thresholds = {name: getattr(given, name) for name in _THRESHOLDS}
    return {
        "worker_class": RunNanny,
        "terminate": given.terminate,
        "environ": dict(given.environ),
        # Dask takes dotted keys here only.
        "config": {
            f"distributed.worker.memory.{name}": value
            for name, value in thresholds.items()
            if value is not None
        },
    }


def _others(given: Dask) -> dict[str, Any]:
    return {} if given.workers is None else {"n_workers": given.workers}


def _security(given: Dask) -> dict[str, Any]:
    files = {
        "tls_ca_file": given.tls_ca_file,
        "tls_client_cert": given.tls_cert,
        "tls_client_key": given.tls_key,
    }
    if not any(files.values()):
        return {}
    return {"security": Security(require_encryption=True, **files)}


def _check_address(given: Dask) -> dict[str, Any]:
    """Return nothing: an existing cluster is not made, so what would make it is a mistake."""
    making = [name for name in ("cluster_class", "cluster_kwargs", "adapt") if getattr(given, name)]
    if making:
        raise ConfigError(
            f"[dask] has both address and {', '.join(making)}: an address is that of a cluster that"
            " exists already; give one or the other"
        )
    return {}


def _report(path: str) -> str:
    if importlib.util.find_spec("bokeh") is None:
        raise MissingDependencyError(
            "performance_report in [dask] needs the package bokeh: pip install bokeh"
        )
    # Dask writes it when the run is over, and would fail then.
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    return path
