"""Prefect's flows on Dask: prefect-dask's runner on the cluster of `[dask]`.

A call is sent to a worker as bytes that name its task, its items and its run. The settings and
Prefect's context are sent once per run, in a plugin. The worker's own configuration is not used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from prefectx.engines.prefect_dask.runner import DaskRunner


def dask_runner(**overrides: object) -> DaskRunner:
    """Make a task runner on Dask for a flow's decorator: `@flow(task_runner=dask_runner())`.

    The cluster is started, or connected to, when the flow submits its first call.

    Parameters:
        **overrides: keys of `[dask]` that outrank the configuration: `workers=4`,
            `memory_limit="2GB"`, `address="tcp://..."`, ...

    Returns:
        A `DaskTaskRunner` of prefect-dask.

    Raises:
        ConfigError: if a key or a value is wrong.
        MissingDependencyError: if Prefect, prefect-dask or Dask has a version that lacks something.
    """
    # Imported here, as schedulers and workers import this package and need no runner. The check
    # comes first, as the import may fail on a version that lacks something.
    from prefectx.engines.prefect_dask import upstream

    upstream.check_all()
    from prefectx.engines.prefect_dask.runner import DaskRunner

    return DaskRunner(overrides)


make_runner = dask_runner
"""Makes the runner of flows that name none; it reads the configuration when a flow starts."""
