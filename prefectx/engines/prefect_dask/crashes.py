"""The final state of a call that Dask gave up, here and at Prefect's API."""

from __future__ import annotations

import reprlib
from uuid import UUID

import httpx
from distributed import Client
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import State, StateDetails, TaskRun
from prefect.context import FlowRunContext
from prefect.exceptions import PrefectHTTPStatusError
from prefect.states import Crashed, Pending
from prefect.tasks import Task
from prefect.utilities.engine import emit_task_run_state_change_event

from prefectx.arguments.traversal import replace
from prefectx.engines.dask.deaths import explain
from prefectx.errors import WorkerError
from prefectx.futures import item_or


class Submitted:
    """The part of a submitted call that an error message needs.

    Parameters:
        task: the task.
        arguments: the arguments by name.
        task_run_id: the id of its task run.
    """

    __slots__ = ("name", "run_name", "task", "task_run_id")

    def __init__(
        self, task: Task[..., object], arguments: dict[str, object], task_run_id: UUID
    ) -> None:
        shown = ", ".join(f"{name}={_shown(value)}" for name, value in arguments.items())
        self.name = f"{task.name}({shown})"
        name = task.task_run_name
        # A template of Prefect without fields: prefectx has filled it.
        self.run_name = (
            name.replace("{{", "{").replace("}}", "}") if isinstance(name, str) else task.name
        )
        self.task = task.task_key
        self.task_run_id = task_run_id


def crashed_state(call: Submitted, error: BaseException, client: Client) -> State[object]:
    """Make the final state of a call that Dask gave up, and set it at Prefect's API.

    Parameters:
        call: the call.
        error: what Dask raised.
        client: the client that submitted the call.
    """
    reason = WorkerError(f"{call.name}: {explain(error, client)}")
    reason.__cause__ = error
    flow = FlowRunContext.get()
    flow_run = flow.flow_run if flow is not None else None
    details = StateDetails(
        task_run_id=call.task_run_id, flow_run_id=flow_run.id if flow_run else None
    )
    message = str(reason)
    # Without data, which stays in this process.
    _report(call, Crashed(message=message, state_details=details))
    return Crashed(message=message, data=reason, state_details=details)


def _shown(value: object) -> str:
    # The repr of an item says more than that of a future.
    return reprlib.repr(replace(value, item_or))


def _report(call: Submitted, state: State[object]) -> None:
    try:
        with get_client(sync_client=True) as api:
            api.set_task_run_state(call.task_run_id, state, force=True)
    except PrefectHTTPStatusError as error:
        if error.response.status_code != httpx.codes.NOT_FOUND:
            raise
        # The worker died before it had reported the run.
        emit_task_run_state_change_event(_task_run(call, state), Pending(), state)


def _task_run(call: Submitted, state: State[object]) -> TaskRun:
    return TaskRun(
        id=call.task_run_id,
        name=call.run_name,
        task_key=call.task,
        dynamic_key=str(call.task_run_id),
        flow_run_id=state.state_details.flow_run_id,
        state=state,
    )
