"""The cluster of `[dask]`: an existing one, or one started for a flow run."""

from __future__ import annotations

import importlib.util
import inspect
import logging
import multiprocessing
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import NamedTuple, cast

import distributed
from distributed import LocalCluster, Security
from distributed.deploy.cluster import Cluster

from prefectx.engines.dask.local_cluster import RunCluster, local_cluster_arguments
from prefectx.errors import ConfigError, MissingDependencyError, WorkerError
from prefectx.imports import load_object
from prefectx.settings import Dask, Options

# Seconds that a worker must be idle before it is stopped. On a busy machine its start takes longer
# than Dask's three seconds; if it is stopped while it starts, the cluster waits for ever.
_IDLE = {"wait_count": 60}


class Found(NamedTuple):
    """The cluster that a flow run uses.

    Attributes:
        cluster: the cluster; None if only its address is known.
        address: the address of its scheduler; None if the cluster is known.
        is_ours: whether it was started for the flow run, and stops with it.
    """

    cluster: Cluster | None
    address: str | None
    is_ours: bool


@contextmanager
def running_cluster(options: Options, log: logging.Logger) -> Iterator[Found]:
    """Find the cluster of a flow run, or start one for the block.

    Inside a Dask task, or if the program has a default Dask client, its cluster is used.

    Parameters:
        options: the project's options.
        log: the logger for which cluster is used.

    Raises:
        ConfigError: if keys of `[dask]` exclude each other, or make the cluster asynchronous.
        MissingDependencyError: if the package of the cluster class is not installed.
        WorkerError: if the cluster does not start.
    """
    given = options.dask
    if given.address:
        _check_address(given)
    found = _in_use() or (Found(None, given.address, False) if given.address else None)
    if found is None:
        make = _cluster_class(given)
        _check_importable()
        log.info("Starting a Dask cluster: %s.%s", make.__module__, make.__qualname__)
        context: AbstractContextManager[Cluster | None] = _started(make, options)
    else:
        log.info("Using the Dask cluster at %s", found.address or found.cluster)
        context = nullcontext(found.cluster)
    with context as running:
        if running is not None and given.adapt:
            own = _IDLE if isinstance(running, LocalCluster) else {}
            adapt: Callable[..., object] = running.adapt
            adapting = adapt(**own | given.adapt)
            if inspect.iscoroutine(adapting):
                running.sync(lambda: adapting)
        yield found or Found(running, None, True)


_NEEDS_GUARD = 'start the flow of a program under: if __name__ == "__main__":'


def _check_importable() -> None:
    """End a worker's process that starts a cluster itself while it imports the program."""
    if getattr(multiprocessing.current_process(), "_inheriting", False):
        # An exception would be a traceback of twenty frames from each worker.
        sys.stderr.write(f"prefectx: a Dask worker cannot import the program: {_NEEDS_GUARD}\n")
        sys.stderr.flush()
        os._exit(1)


def _started(make: Callable[..., Cluster], options: Options) -> Cluster:
    try:
        return make(**_cluster_arguments(options, make))
    except RuntimeError as error:
        raise WorkerError(
            f"the Dask cluster does not start: {error} If its workers ended at once, {_NEEDS_GUARD}"
        ) from error


def client_arguments(given: Dask) -> dict[str, object]:
    """Return the arguments of a client, except the cluster."""
    files = {
        "tls_ca_file": given.tls_ca_file,
        "tls_client_cert": given.tls_cert,
        "tls_client_key": given.tls_key,
    }
    arguments: dict[str, object] = {"set_as_default": False}
    if any(files.values()):
        arguments["security"] = Security(require_encryption=True, **files)
    return arguments


def report_path(given: Dask) -> str | None:
    """Return the path of Dask's report, None if none is wanted; create its folder.

    Raises:
        MissingDependencyError: if the report needs a package that is not installed.
    """
    path = given.performance_report
    if not path:
        return None
    if importlib.util.find_spec("bokeh") is None:
        raise MissingDependencyError(
            "performance_report in [dask] needs the package bokeh: pip install bokeh"
        )
    # Dask writes the file at the end of the run, and would fail only then.
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    return path


def _cluster_class(given: Dask) -> Callable[..., Cluster]:
    named = given.cluster_class
    if named is None:
        return RunCluster
    return cast(Callable[..., Cluster], load_object(named) if isinstance(named, str) else named)


def _cluster_arguments(options: Options, make: Callable[..., Cluster]) -> dict[str, object]:
    given = options.dask
    if "asynchronous" in given.cluster_kwargs:
        raise ConfigError("[dask] cluster_kwargs: asynchronous cannot be set; leave it out")
    if isinstance(make, type) and issubclass(make, LocalCluster):
        return local_cluster_arguments(options) | given.cluster_kwargs
    workers = {} if given.workers is None else {"n_workers": given.workers}
    return workers | given.cluster_kwargs


def _in_use() -> Found | None:
    """Return the cluster of this thread's Dask client, None without a client."""
    with suppress(ValueError):
        client = distributed.get_client()
        if (
            client.status != "running"
        ):  # one that could not connect stays Dask's default for a while
            return None
        if client.cluster is not None:
            return Found(client.cluster, None, False)
        if client.scheduler is not None:
            return Found(None, client.scheduler.address, False)
    return None


def _check_address(given: Dask) -> None:
    making = [name for name in ("cluster_class", "cluster_kwargs", "adapt") if getattr(given, name)]
    if making:
        raise ConfigError(
            f"[dask] has both address and {', '.join(making)}: an address is that of a cluster that"
            " exists already; give one or the other"
        )
