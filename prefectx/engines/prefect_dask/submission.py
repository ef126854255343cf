"""A call on its way to Dask."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID, uuid4

from dask.base import annotate
from distributed import Client, Future
from prefect.client.schemas.objects import RunInput, State
from prefect.context import AssetContext, TagsContext, TaskRunContext
from prefect.futures import PrefectFuture, PrefectWrappedFuture
from prefect.tasks import Task
from prefect.utilities.annotations import BaseAnnotation
from prefect.utilities.engine import collect_task_run_inputs_sync

from prefectx.engines.dask.parcels import pack
from prefectx.engines.dask.resources import Needs, call_of
from prefectx.engines.dask.scheduling import ANNOTATION
from prefectx.engines.prefect_dask.contexts import Sent
from prefectx.engines.prefect_dask.crashes import Submitted, crashed_state
from prefectx.engines.prefect_dask.futures import DaskFuture, has_no_result
from prefectx.engines.prefect_dask.worker import run_call


class Submission:
    """One call, and how it is sent.

    Parameters:
        task: the task.
        parameters: its arguments by name.
        wait_for: futures to wait for besides.
        dependencies: further inputs, for Prefect's graph.
        needs: what it needs of a worker.

    What was sent is kept only where it may have to be sent again.

    Attributes:
        task_run_id: the id of its task run.
        is_light: whether its result is an item and holds no data.
    """

    def __init__(
        self,
        task: Task[..., Any],
        parameters: dict[str, Any],
        wait_for: Iterable[PrefectFuture[Any]] | None,
        dependencies: dict[str, set[RunInput]] | None,
        needs: Needs,
    ) -> None:
        self.task_run_id = uuid4()
        call = call_of(task)
        self.is_light = call is not None and call.item is not None and call.options.save
        self._needs = needs
        self._call: dict[str, Any] | None = {
            "task": task,
            "task_run_id": self.task_run_id,
            "parameters": parameters,
            "wait_for": wait_for,
            "dependencies": dependencies,
            "context": _call_context(task, self.task_run_id, parameters),
            "trim": needs.trim and call is None,
        }
        self._sent: Submitted | None = None
        self._inputs: list[Future[Any]] = []

    @property
    def has_failed_input(self) -> bool:
        """Whether Dask has failed a call that this one waits for, and with it this one."""
        return any(has_no_result(future) for future in self._inputs)

    def send(self, client: Client, context: Sent, run: str) -> Future[Any]:
        """Send the call to the scheduler.

        Sent again after an input has failed, it takes the state of the input along, and Prefect
        decides what becomes of it.

        Parameters:
            client: a client of the cluster.
            context: the context that the workers have.
            run: the name of the scheduler's plugin.
        """
        upstream: list[Future[Any]] = []

        def stand_in(value: Any) -> tuple[str, Any] | None:
            if isinstance(value, BaseAnnotation):
                # Its own pickle gives an annotated tuple.
                return "annotated", (type(value), value.unwrap())
            if value is context.settings:
                return "settings", None
            if not isinstance(value, PrefectWrappedFuture):
                return None
            found = _stand_in(value)
            if isinstance(found, State):
                return "value", found
            upstream.append(found)
            return "upstream", len(upstream) - 1

        packed = pack(self._call, stand_in)
        self._inputs = upstream
        if not upstream:
            self._sent, self._call = self._submitted(), None
        with annotate(**{ANNOTATION: {"run": run, "retries": self._needs.retries}}):
            return client.submit(
                run_call,
                context.name,
                packed,
                *upstream,
                key=f"{self._needs.task}-{uuid4()}",
                pure=False,
                resources=dict(self._needs.resources) or None,
                priority=self._needs.priority,
                workers=self._needs.workers,
            )

    def crashed(self, error: BaseException, client: Client) -> State[Any]:
        """Make the final state of the call where Dask gave it up for `error`."""
        return crashed_state(self._submitted(), error, client)

    def _submitted(self) -> Submitted:
        if self._sent is not None:
            return self._sent
        assert self._call is not None
        return Submitted(self._call["task"], self._call["parameters"], self.task_run_id)


def _call_context(
    task: Task[..., Any], task_run_id: UUID, parameters: dict[str, Any]
) -> dict[str, Any]:
    """Return the part of Prefect's context that differs from call to call, as Prefect does."""
    inputs = {name: collect_task_run_inputs_sync(value) for name, value in parameters.items()}
    assets = AssetContext.from_task_and_inputs(task, task_run_id, inputs, copy_to_child_ctx=True)
    parent, tags = TaskRunContext.get(), TagsContext.get()
    return {
        "task_run_context": parent.serialize() if parent else {},
        "tags_context": tags.serialize() if tags else {},
        "asset_context": assets.serialize(),
    }


def _stand_in(future: PrefectWrappedFuture[Any, Any]) -> Future[Any] | State[Any]:
    if isinstance(future, DaskFuture):
        return future.stand_in()
    future.wait()
    return future.state
