"""What happens on a worker: a plugin that keeps a run's context, and the function it executes."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple, cast

import distributed
from distributed.diagnostics.plugin import WorkerPlugin
from prefect.client.schemas.objects import State
from prefect.context import SettingsContext
from prefect.results import ResultRecord  # type: ignore[attr-defined]  # not in its __all__
from prefect.task_engine import run_task_async, run_task_sync

from prefectx import settings
from prefectx.engines.dask.parcels import Parcel, unpack
from prefectx.engines.dask.scheduling import MEMORY, STARTED
from prefectx.engines.prefect import logs
from prefectx.engines.prefect_dask.threads import (
    finish_background_threads,
    start_background_threads,
)
from prefectx.item import Item
from prefectx.monitoring import memory
from prefectx.settings import Settings


class RunContext(NamedTuple):
    """What all calls of a flow run have in common.

    Attributes:
        settings: prefectx's settings.
        prefect: Prefect's context, as Prefect serialises it.
    """

    settings: Parcel
    prefect: Parcel


class RunPlugin(WorkerPlugin):
    """Keeps a run's context on each worker, also on those that join later.

    Parameters:
        name: the name that calls ask for it by.
        context: the run's context.
        path: where the flow's process imports modules from.
    """

    def __init__(self, name: str, context: RunContext, path: list[str]) -> None:
        self.name = name
        self.context = context
        self.path = path

    def setup(self, worker: distributed.Worker) -> None:
        """Let the worker know the memory it has, and where the user's modules are."""
        limit = worker.memory_manager.memory_limit
        if limit and MEMORY not in worker.state.total_resources:
            worker.state.total_resources[MEMORY] = limit
            worker.state.available_resources[MEMORY] = limit
        # As for the processes of a local cluster; a worker's own modules come first.
        sys.path.extend(p for p in self.path if p not in sys.path and Path(p).is_dir())

    async def teardown(self, worker: distributed.Worker) -> None:
        """Send the last news of the runs: a cluster that closes waits for no one."""
        await asyncio.to_thread(finish_background_threads)

    @cached_property
    def settings(self) -> Settings:
        """The settings of the run; what their pickle imports finds none of the worker's."""
        with settings.use(Settings(None, Path("/"))):
            opened: Settings = self.context.settings.open()
        return opened

    @cached_property
    def prefect(self) -> dict[str, Any]:
        """Prefect's context but for its settings."""
        opened: dict[str, Any] = self.context.prefect.open()
        return {key: value for key, value in opened.items() if key != "settings_context"}

    @cached_property
    def prefect_settings(self) -> SettingsContext:
        """Prefect's settings, validated once: they are large."""
        return SettingsContext(**self.context.prefect.open()["settings_context"])

    @contextmanager
    def surroundings(self) -> Iterator[None]:
        """Make this thread like one of the flow's process."""
        with settings.use(self.settings), self.prefect_settings.model_copy():
            start_background_threads()
            logs.set_up(self.settings.project)
            yield


def run_call(name: str, packed: bytes, *upstream: Parcel) -> Parcel:
    """Run a call as a task run, and return its final state.

    Parameters:
        name: the name of the run's plugin.
        packed: the call.
        *upstream: the final states of the calls that this one waited for.
    """
    worker = distributed.get_worker()
    plugin = cast(RunPlugin, worker.plugins[name])
    worker.log_event(STARTED, {"key": worker.get_current_task(), "worker": worker.address})
    with plugin.surroundings():
        call = unpack(packed, lambda stand: _restored(stand, upstream, plugin.settings))
        call["context"] = plugin.prefect | call["context"]
        with memory.trimming(call.pop("trim")):
            return Parcel(_handed_over(_run(**call)))


def _run(**call: Any) -> Any:
    if call["task"].isasync:
        return asyncio.run(run_task_async(**call, return_type="state"))
    return run_task_sync(**call, return_type="state")


def _handed_over(state: State[Any]) -> State[Any]:
    """Take the data out of the state of a run, and return it in another.

    Timers in Prefect's event loop hold on to the run for a minute after it has ended.
    """
    handed = state.model_copy()
    state.data = None
    if isinstance(handed.data, ResultRecord) and isinstance(handed.data.result, Item):
        # The item stands for itself; a record of Prefect's store is larger.
        handed.data = handed.data.result
    return handed


def _restored(stand: tuple[str, Any], upstream: tuple[Parcel, ...], settings: Settings) -> Any:
    kind, value = stand
    if kind == "settings":
        return settings
    if kind == "upstream":
        return upstream[value].open()
    if kind == "annotated":
        annotation, inner = value
        return annotation(inner)
    return value
