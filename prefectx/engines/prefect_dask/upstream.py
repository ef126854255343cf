"""What is used of prefect-dask that it may change without notice, and why."""

from __future__ import annotations

import functools

from prefectx.engines.dask import upstream as dask
from prefectx.engines.prefect import upstream as prefect
from prefectx.engines.upstream import Entry, Name, require

SEEN_WORKING = "0.3.6 to 0.3.7"

USED: tuple[Entry, ...] = (
    Name("prefect_dask.task_runners:DaskTaskRunner._client", "connects when a call is submitted"),
    Name("prefect_dask.task_runners:DaskTaskRunner.client", "connects when a call is submitted"),
    Name("prefect_dask.task_runners:DaskTaskRunner._exit_stack", "closes what a run has opened"),
    Name("prefect_dask.task_runners:DaskTaskRunner.client_kwargs", "serves get_dask_client"),
    Name("prefect_dask.task_runners:DaskTaskRunner.logger", "says which cluster is used"),
    Name(
        "prefect_dask.task_runners:PrefectDaskFuture._wrapped_future",
        "lets go of Dask's future when the call is over",
    ),
    Name(
        "prefect_dask.task_runners:PrefectDaskFuture._final_state",
        "keeps the state of a call as it came, in bytes",
    ),
    Name("prefect_dask.client:PrefectDaskClient.submit", "sends functions that are no tasks"),
)


@functools.cache
def check() -> None:
    """Refuse a version of prefect-dask that lacks what is used of it; looks once per process.

    Raises:
        MissingDependencyError: it names the version, what it lacks, and versions that will do.
    """
    require("prefect-dask", SEEN_WORKING, USED)


def check_all() -> None:
    """Do what `check` does for Prefect, prefect-dask and Dask."""
    prefect.check()
    dask.check()
    check()
