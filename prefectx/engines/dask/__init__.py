"""Dask: a cluster from `[dask]` in the configuration, for flows in the Prefect modes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from prefect_dask.task_runners import DaskTaskRunner

if TYPE_CHECKING:
    from prefectx.settings import Dask


def make_runner(options: Dask) -> DaskTaskRunner:
    """Make the runner for an existing cluster, or for a local one that lives with the flow.

    Parameters:
        options: the section `[dask]`.
    """
    if options.address:
        return DaskTaskRunner(address=options.address)
    return DaskTaskRunner(cluster_kwargs=_local_cluster(options))


def _local_cluster(options: Dask) -> dict[str, Any]:
    given = {
        "n_workers": options.workers,
        "threads_per_worker": options.threads_per_worker,
        "memory_limit": options.memory_limit,
    }
    return {name: value for name, value in given.items() if value is not None} | {
        "dashboard_address": None
    }
