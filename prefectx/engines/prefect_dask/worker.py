"""The worker's part of a Prefect flow run: its context, and how a call runs as a task run."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import TypedDict, cast
from uuid import UUID

import distributed
from dask.sizeof import sizeof
from prefect.client.schemas.objects import RunInput, State
from prefect.context import SettingsContext
from prefect.futures import PrefectFuture
from prefect.results import ResultRecord  # type: ignore[attr-defined]  # not in its __all__
from prefect.task_engine import run_task_async, run_task_sync
from prefect.tasks import Task

from prefectx.engines.dask.payload import Payload
from prefectx.engines.dask.worker import RunPlugin, begin_call
from prefectx.engines.local.place import at_once
from prefectx.engines.packing import unpack
from prefectx.engines.prefect import logs
from prefectx.engines.prefect_dask.threads import THREADS
from prefectx.item import Item
from prefectx.monitoring import memory
from prefectx.settings import Settings

Context = dict[str, dict[str, object]]


class CallArguments(TypedDict):
    """The arguments of Prefect's task engine for a call."""

    task: Task[..., object]
    task_run_id: UUID
    parameters: dict[str, object]
    wait_for: Iterable[PrefectFuture[object]] | None
    dependencies: dict[str, set[RunInput]] | None
    context: Context


class PrefectRunPlugin(RunPlugin):
    """Holds Prefect's context of a flow run on each worker, too.

    Parameters:
        name: the name by which calls find it.
        given: the run's settings.
        path: `sys.path` of the flow's process.
        context: Prefect's context, as Prefect serializes it.
    """

    def __init__(
        self, name: str, given: Payload[Settings], path: list[str], context: Payload[Context]
    ) -> None:
        super().__init__(name, given, path)
        self._context = context

    async def teardown(self, worker: distributed.Worker) -> None:
        """Send the last events and log lines, before the cluster stops the worker."""
        await asyncio.to_thread(THREADS.finish)

    @cached_property
    def prefect(self) -> Context:
        """Prefect's context without its settings."""
        opened = self._context.open()
        return {key: value for key, value in opened.items() if key != "settings_context"}

    @cached_property
    def prefect_settings(self) -> SettingsContext:
        """Prefect's settings; validated once, as they are large."""
        return SettingsContext.model_validate(self._context.open()["settings_context"])

    @contextmanager
    def surroundings(self) -> Iterator[None]:
        """Put the settings of the run in force, prefectx's and Prefect's, and set up logging."""
        with super().surroundings(), self.prefect_settings.model_copy():
            THREADS.start()
            logs.set_up(self.settings.project)
            yield


def run_call(
    name: str, packed: bytes, trims: bool, *upstream: Payload[State[object]]
) -> Payload[State[object]]:
    """Run a call as a task run, and return its final state.

    Parameters:
        name: the name of the run's plugin.
        packed: the call.
        trims: whether to return memory after it.
        *upstream: the final states of the calls that it waited for.
    """
    plugin = cast(PrefectRunPlugin, begin_call(name))

    def restore(stand_in: object) -> object:
        match stand_in:
            case "settings", _:
                return plugin.settings
            case "upstream", int(number):
                return upstream[number].open()
            case "annotated", (type() as kind, inner):
                return kind(inner)
        return cast("tuple[str, object]", stand_in)[1]

    with plugin.surroundings(), at_once():
        call = cast(CallArguments, unpack(packed, restore))
        call["context"] = plugin.prefect | call["context"]
        with memory.trimming(trims):
            return Payload(_handed_over(_run(call)))


def _run(call: CallArguments) -> State[object]:
    state = (
        asyncio.run(run_task_async(**call, return_type="state"))
        if call["task"].isasync
        else run_task_sync(**call, return_type="state")
    )
    assert isinstance(state, State)
    return state


def _handed_over(state: State[object]) -> State[object]:
    """Move the data of a state into a copy, and return the copy.

    Timers in Prefect's event loop keep the run and its state alive for a minute after its end.
    """
    handed = state.model_copy()
    state.data = None
    if isinstance(handed.data, ResultRecord) and isinstance(handed.data.result, Item):
        # Just the item: Prefect's record of it is larger.
        handed.data = handed.data.result
    return handed


def _size_of_state(state: State[object]) -> int:
    return int(sizeof(state.data))


def _size_of_record(record: ResultRecord[object]) -> int:
    return int(sizeof(record.result))


# Otherwise Dask counts 80 bytes for a state, whatever its data.
sizeof.register(State, _size_of_state)
sizeof.register(ResultRecord, _size_of_record)
