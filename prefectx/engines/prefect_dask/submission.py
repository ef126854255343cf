"""Sends a call to Dask."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID, uuid4

from distributed import Future
from prefect.client.schemas.objects import RunInput, State
from prefect.context import AssetContext, TagsContext, TaskRunContext
from prefect.futures import PrefectFuture, PrefectWrappedFuture
from prefect.tasks import Task
from prefect.utilities.annotations import BaseAnnotation
from prefect.utilities.engine import collect_task_run_inputs_sync
from prefect_dask.client import PrefectDaskClient

from prefectx import settings
from prefectx.calls import Call
from prefectx.engines.dask.resources import Needs
from prefectx.engines.dask.session import Session
from prefectx.engines.packing import pack
from prefectx.engines.prefect_dask.contexts import Sent
from prefectx.engines.prefect_dask.crashes import Submitted, crashed_state
from prefectx.engines.prefect_dask.futures import DaskFuture, FinalState, has_no_result
from prefectx.engines.prefect_dask.worker import CallArguments, run_call


class Submission:
    """One call to send.

    Its arguments are kept only as long as it may have to be sent again.

    Parameters:
        session: the flow run on Dask.
        task: the task.
        parameters: its arguments by name.
        wait_for: more futures to wait for.
        dependencies: further inputs, for Prefect's graph.

    Attributes:
        task_run_id: the id of its task run.
        is_light: whether its result is an item and holds no data.

    Raises:
        ConfigError: if no worker can run it.
    """

    def __init__(
        self,
        session: Session[PrefectDaskClient],
        task: Task[..., object],
        parameters: dict[str, object],
        wait_for: Iterable[PrefectFuture[object]] | None,
        dependencies: dict[str, set[RunInput]] | None,
    ) -> None:
        self.task_run_id = uuid4()
        call = getattr(task.fn, "call", None)
        if isinstance(call, Call):
            options = call.options
            self.is_light = call.item is not None and options.save
        else:
            # The plain function, in a mode that keeps no outputs.
            options = settings.current().options(task.name, getattr(task, "keywords", None))
            self.is_light = False
        self._session = session
        self._needs = session.place(Needs.of(task.name, options, task.retries or 0))
        self._call: CallArguments | None = {
            "task": task,
            "task_run_id": self.task_run_id,
            "parameters": parameters,
            "wait_for": wait_for,
            "dependencies": dependencies,
            "context": _call_context(task, self.task_run_id, parameters),
        }
        # A call of ours returns memory itself.
        self._trims = options.dask.trim and not isinstance(call, Call)
        self._sent: Submitted | None = None
        self._inputs: list[Future[FinalState]] = []

    @property
    def has_failed_input(self) -> bool:
        """Whether Dask has given up a call that this one waits for, and so this one as well."""
        return any(has_no_result(future) for future in self._inputs)

    def send(self, context: Sent) -> Future[FinalState]:
        """Send the call to the scheduler.

        If it is sent again because an input has failed, the state of the input is sent with it,
        and Prefect decides what to do.

        Parameters:
            context: the context that was sent to the workers.
        """
        upstream: list[Future[FinalState]] = []

        def stand_in(value: object) -> tuple[str, object] | None:
            if isinstance(value, BaseAnnotation):
                # Its pickle would restore only a tuple.
                return "annotated", (type(value), value.unwrap())
            if value is context.settings:
                return "settings", None
            if not isinstance(value, PrefectWrappedFuture):
                return None
            if isinstance(value, DaskFuture):
                found = value.stand_in()
            else:
                value.wait()
                found = value.state
            if isinstance(found, State):
                return "value", found
            upstream.append(found)
            return "upstream", len(upstream) - 1

        packed = pack(self._call, stand_in)
        self._inputs = upstream
        if not upstream:
            self._sent, self._call = self._submitted(), None
        return self._session.submit(
            self._needs, run_call, context.name, packed, self._trims, *upstream
        )

    def crashed(self, error: BaseException) -> State[object]:
        """Make the final state of the call after Dask gave it up for `error`."""
        return crashed_state(self._submitted(), error, self._session.client)

    def _submitted(self) -> Submitted:
        if self._sent is not None:
            return self._sent
        assert self._call is not None
        return Submitted(self._call["task"], self._call["parameters"], self.task_run_id)


def _call_context(
    task: Task[..., object], task_run_id: UUID, parameters: dict[str, object]
) -> dict[str, dict[str, object]]:
    """Return the part of Prefect's context that differs from call to call, made as Prefect does."""
    inputs = {name: collect_task_run_inputs_sync(value) for name, value in parameters.items()}
    assets = AssetContext.from_task_and_inputs(task, task_run_id, inputs, copy_to_child_ctx=True)
    parent, tags = TaskRunContext.get(), TagsContext.get()
    return {
        "task_run_context": parent.serialize() if parent else {},
        "tags_context": tags.serialize() if tags else {},
        "asset_context": assets.serialize(),
    }
