"""The task runner of a flow, from `[runner]` in the configuration."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from prefect.task_runners import ProcessPoolTaskRunner, TaskRunner, ThreadPoolTaskRunner

if TYPE_CHECKING:
    from prefectx.settings import Options


def make_runner(options: Options) -> TaskRunner[Any]:
    """Make the runner that the options name; nothing is started yet.

    Parameters:
        options: the project's options.
    """
    if options.runner.type == "processes":
        return ProcessPoolTaskRunner(max_workers=options.runner.max_workers)
    if options.runner.type == "dask":
        runner: TaskRunner[Any] = importlib.import_module("prefectx.engines.dask").make_runner()
        return runner
    return ThreadPoolTaskRunner(max_workers=options.runner.max_workers)
