"""The names of prefect-dask that we use although it may change them without notice, and why."""

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
        "releases Dask's future when the call is over",
    ),
    Name(
        "prefect_dask.task_runners:PrefectDaskFuture._final_state",
        "keeps the state of a call as it came, in bytes",
    ),
    Name("prefect_dask.client:PrefectDaskClient.submit", "sends functions that are not tasks"),
)


@functools.cache
def check() -> None:
    """Refuse a version of prefect-dask that lacks one of the names; checks once per process.

    Raises:
        MissingDependencyError: it names the version, the missing names, and versions that work.
    """
    require("prefect-dask", SEEN_WORKING, USED)


def check_all() -> None:
    """Check Prefect, Dask and prefect-dask; see `check`."""
    prefect.check()
    dask.check()
    check()
