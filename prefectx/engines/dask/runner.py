"""The task runner: prefect-dask's, with the options of the configuration and of each task."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any, Self
from uuid import UUID, uuid4

from dask.base import annotate
from distributed import Future
from prefect.client.schemas.objects import RunInput, State
from prefect.context import AssetContext, TagsContext, TaskRunContext
from prefect.futures import PrefectFuture, PrefectWrappedFuture
from prefect.tasks import Task
from prefect.utilities.engine import collect_task_run_inputs_sync
from prefect_dask.client import PrefectDaskClient
from prefect_dask.task_runners import DaskTaskRunner

from prefectx import settings
from prefectx.engines.dask.clusters import Environment, runner_arguments
from prefectx.engines.dask.contexts import RunContexts
from prefectx.engines.dask.crashes import Submitted, crashed_state
from prefectx.engines.dask.futures import DaskFuture
from prefectx.engines.dask.parcels import pack
from prefectx.engines.dask.resources import Capacity, Needs, call_of
from prefectx.engines.dask.scheduling import ANNOTATION, RunSchedulerPlugin
from prefectx.engines.dask.worker import run_call


class DaskRunner(DaskTaskRunner):
    """Runs the calls of a flow on Dask, as `[dask]` says.

    Parameters:
        overrides: keys of `[dask]` that outrank the configuration.

    Raises:
        ConfigError: where the overrides are wrong.
    """

    def __init__(self, overrides: Mapping[str, Any] | None = None) -> None:
        super().__init__()
        self._overrides = dict(overrides or {})
        # Not entered: mistakes are to be reported where they were written.
        settings.override(dask=self._overrides)

    def duplicate(self) -> Self:
        """Return a runner with the same settings that is not started."""
        return type(self)(self._overrides)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DaskRunner) and self._overrides == other._overrides

    __hash__ = None  # type: ignore[assignment]  # as prefect-dask's

    def __enter__(self) -> Self:
        with settings.override(dask=self._overrides) as chosen:
            self._options = chosen.project
        super().__enter__()  # type: ignore[no-untyped-call]
        return self

    @property
    def client(self) -> PrefectDaskClient:
        """The client, connected when first asked for; the cluster is made then too."""
        if self._client is None:
            self._connect()
        assert self._client is not None
        return self._client

    def submit(  # type: ignore[override]  # Prefect's differs by overloads
        self,
        task: Task[..., Any],
        parameters: dict[str, Any],
        wait_for: Iterable[PrefectFuture[Any]] | None = None,
        dependencies: dict[str, set[RunInput]] | None = None,
    ) -> DaskFuture:
        """Submit a call.

        Parameters:
            task: the task.
            parameters: its arguments by name; futures anywhere in them are waited for.
            wait_for: futures to wait for besides.
            dependencies: further inputs, for Prefect's graph.

        Raises:
            ConfigError: where the task needs more than any worker has.
            RuntimeError: where the runner was not started.
        """
        if not self._started:
            raise RuntimeError("The task runner must be started before submitting work.")
        client, task_run_id = self.client, uuid4()
        needs = Needs.of(task)
        self._capacity.check(needs)
        call = {
            "task": task,
            "task_run_id": task_run_id,
            "parameters": parameters,
            "wait_for": wait_for,
            "dependencies": dependencies,
            "context": _call_context(task, task_run_id, parameters),
            "trim": needs.trim and call_of(task) is None,
        }
        upstream: list[Future[Any]] = []
        packed = pack(call, partial(_stand_in, upstream))
        context = self._contexts.current()
        with annotate(**{ANNOTATION: {"run": self._run, "retries": needs.retries}}):
            future = client.submit(
                run_call,
                context.name,
                packed,
                *upstream,
                key=f"{task.name}-{task_run_id}",
                pure=False,
                resources=dict(needs.resources) or None,
                priority=needs.priority,
                workers=needs.workers,
            )
        submitted = Submitted(task, parameters, task_run_id)
        crashed = partial(context.run, crashed_state, submitted, client=client)
        return DaskFuture(future, task_run_id, _keeps_output(task), crashed)

    def _connect(self) -> None:
        # Entered before the cluster, so that it is left after it.
        self._exit_stack.callback(Environment(self._options.dask.environ).restore)
        chosen = DaskTaskRunner(**runner_arguments(self._options))
        for name in _ARGUMENTS:
            setattr(self, name, getattr(chosen, name))
        client = super().client
        self._run = f"prefectx-{uuid4().hex}"
        plugin = RunSchedulerPlugin(self._run, self._options.dask.allowed_failures)
        client.register_plugin(plugin, name=self._run)
        self._contexts = RunContexts(client)
        self._capacity = Capacity(client, self._cluster)
        if self._cluster is None:
            self._exit_stack.callback(client.unregister_scheduler_plugin, self._run)
            self._exit_stack.callback(self._contexts.close)


_ARGUMENTS = (
    "address",
    "cluster_class",
    "resolved_cluster_class",
    "cluster_kwargs",
    "adapt_kwargs",
    "client_kwargs",
    "performance_report_path",
)


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


def _stand_in(upstream: list[Future[Any]], value: Any) -> tuple[str, Any] | None:
    """Replace futures among the arguments: by their place in `upstream`, or by their state."""
    if not isinstance(value, PrefectWrappedFuture):
        return None
    found = value.stand_in() if isinstance(value, DaskFuture) else _final_state(value)
    if isinstance(found, State):
        return "value", found
    upstream.append(found)
    return "upstream", len(upstream) - 1


def _final_state(future: PrefectWrappedFuture[Any, Any]) -> State[Any]:
    future.wait()
    return future.state


def _keeps_output(task: Task[..., Any]) -> bool:
    call = call_of(task)
    return call is not None and call.item is not None and call.options.save
