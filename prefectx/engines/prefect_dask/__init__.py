"""Prefect's flows on Dask: prefect-dask's runner on the cluster of `[dask]`.

A call goes to a worker as bytes that name its task, its items and its run; the run's settings and
Prefect's context go there once, in a plugin. Nothing is looked up where the worker runs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from prefectx.engines.prefect_dask.runner import DaskRunner


def dask_runner(**overrides: object) -> DaskRunner:
    """Make a task runner on Dask for a flow's decorator: `@flow(task_runner=dask_runner())`.

    The cluster is made, or connected to, when the flow first submits a call.

    Parameters:
        **overrides: keys of `[dask]` that outrank the configuration: `workers=4`,
            `memory_limit="2GB"`, `address="tcp://..."`, ...

    Returns:
        A `DaskTaskRunner` of prefect-dask.

    Raises:
        ConfigError: if a key or a value is wrong.
        MissingDependencyError: if the version of Prefect, prefect-dask or Dask will not do.
    """
    # Schedulers and workers import this package and need no runner. The check comes first: what
    # it names may be missing already when the runner is imported.
    from prefectx.engines.prefect_dask import upstream

    upstream.check_all()
    from prefectx.engines.prefect_dask.runner import DaskRunner

    return DaskRunner(overrides)


make_runner = dask_runner
"""Makes the runner of flows that name none; the configuration is read when they start."""
