"""What a worker has of a flow run: a plugin with the settings, for calls that run there."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

import distributed
from distributed.diagnostics.plugin import WorkerPlugin

from prefectx import settings
from prefectx.engines.dask.payload import Payload
from prefectx.engines.dask.scheduling import MEMORY, STARTED
from prefectx.settings import Settings


class RunPlugin(WorkerPlugin):
    """Keeps on each worker what the calls of a flow run share, also on workers that join later.

    Parameters:
        name: the name that calls ask for it by.
        given: the run's settings.
        path: where the flow's process imports modules from.
    """

    def __init__(self, name: str, given: Payload[Settings], path: list[str]) -> None:
        self.name = name
        self.path = path
        self._given = given

    def setup(self, worker: distributed.Worker) -> None:
        """Let the worker know the memory it has, and where the user's modules are."""
        limit = worker.memory_manager.memory_limit
        if limit and MEMORY not in worker.state.total_resources:
            worker.state.total_resources[MEMORY] = limit
            worker.state.available_resources[MEMORY] = limit
        # As for the processes of a local cluster; a worker's own modules come first.
        sys.path.extend(p for p in self.path if p not in sys.path and Path(p).is_dir())

    @cached_property
    def settings(self) -> Settings:
        """The settings of the run; what their pickle imports finds none of the worker's."""
        with settings.use(Settings(None, Path("/"))):
            return self._given.open()

    @contextmanager
    def surroundings(self) -> Iterator[None]:
        """Make this thread like one of the flow's process."""
        with settings.use(self.settings):
            yield


def begin_call(name: str) -> RunPlugin:
    """Tell the scheduler that a call runs here, and return its run's plugin.

    Parameters:
        name: the name of the plugin.
    """
    worker = distributed.get_worker()
    worker.log_event(STARTED, {"key": worker.get_current_task(), "worker": worker.address})
    plugin = worker.plugins[name]
    assert isinstance(plugin, RunPlugin)
    return plugin
