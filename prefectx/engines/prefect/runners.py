"""The task runner of a flow, from `[runner]` in the configuration."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from prefect.task_runners import ProcessPoolTaskRunner, TaskRunner, ThreadPoolTaskRunner

from prefectx.engines.prefect import logs

if TYPE_CHECKING:
    from prefectx.settings import Options


def make_runner(options: Options) -> TaskRunner[Any]:
    """Make the runner that the options name; nothing is started yet.

    Parameters:
        options: the project's options.
    """
    if options.runner.type == "processes":
        # A call sets up the logging of its worker itself, but for those of the mode `prefect`.
        return ProcessPoolTaskRunner(
            max_workers=options.runner.max_workers, initializer=logs.set_up, initargs=(options,)
        )
    if options.runner.type == "dask":
        runner: TaskRunner[Any] = importlib.import_module("prefectx.engines.dask").make_runner()
        return runner
    return ThreadPoolTaskRunner(max_workers=options.runner.max_workers)
