"""The worker's part of a flow run: a plugin that holds the settings for its calls."""

from __future__ import annotations

import signal
import sys
import threading
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
    """Holds what the calls of a flow run share, on each worker, also on those that join later.

    Parameters:
        name: the name by which calls find it.
        given: the run's settings.
        path: `sys.path` of the flow's process.
    """

    def __init__(self, name: str, given: Payload[Settings], path: list[str]) -> None:
        self.name = name
        self.path = path
        self._given = given

    def setup(self, worker: distributed.Worker) -> None:
        """Count the worker's memory as a resource, and extend its `sys.path`."""
        limit = worker.memory_manager.memory_limit
        if limit and MEMORY not in worker.state.total_resources:
            worker.state.total_resources[MEMORY] = limit
            worker.state.available_resources[MEMORY] = limit
        if worker.nanny and threading.current_thread() is threading.main_thread():
            # Ctrl-C reaches each process in the terminal; the nanny ends its worker in order.
            signal.signal(signal.SIGINT, signal.SIG_IGN)
        # For clusters of other machines; the worker's own modules come first.
        sys.path.extend(p for p in self.path if p not in sys.path and Path(p).is_dir())

    @cached_property
    def settings(self) -> Settings:
        """The settings of the run; modules imported to unpickle them do not see the worker's."""
        with settings.use(Settings(None, Path("/"))):
            return self._given.open()

    @contextmanager
    def surroundings(self) -> Iterator[None]:
        """Put the settings of the run in force."""
        with settings.use(self.settings):
            yield


def begin_call(name: str) -> RunPlugin:
    """Report to the scheduler that a call starts to run, and return the plugin of its run.

    Parameters:
        name: the name of the plugin.
    """
    worker = distributed.get_worker()
    worker.log_event(STARTED, {"key": worker.get_current_task(), "worker": worker.address})
    plugin = worker.plugins[name]
    assert isinstance(plugin, RunPlugin)
    return plugin
