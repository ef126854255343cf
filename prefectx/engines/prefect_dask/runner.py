"""The task runner: prefect-dask's, with the options of the configuration and of each task."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import Any, Self
from uuid import uuid4

import dask
from prefect.client.schemas.objects import RunInput
from prefect.futures import PrefectFuture
from prefect.tasks import Task
from prefect_dask.client import PrefectDaskClient
from prefect_dask.task_runners import DaskTaskRunner

from prefectx import settings
from prefectx.engines.dask import upstream
from prefectx.engines.dask.clusters import Environment, runner_arguments
from prefectx.engines.dask.resources import Capacity, Needs
from prefectx.engines.dask.scheduling import RunSchedulerPlugin
from prefectx.engines.prefect_dask.contexts import RunContexts
from prefectx.engines.prefect_dask.futures import DaskFuture
from prefectx.engines.prefect_dask.submission import Submission
from prefectx.monitoring import memory
from prefectx.monitoring.logging import quiet


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
            ConfigError: where the task needs more than any worker has, or a worker that is not
                there.
            RuntimeError: where the runner was not started.
        """
        if not self._started:
            raise RuntimeError("The task runner must be started before submitting work.")
        client = self.client
        needs = self._capacity.placed(Needs.of(task))
        self._capacity.check(needs)
        submission = Submission(task, parameters, wait_for, dependencies, needs)
        return DaskFuture(submission, client, self._contexts.current(), self._run)

    def _connect(self) -> None:
        upstream.check()
        # Entered before the cluster, so that they are left after it.
        # What Dask says of each comm and process has no place in the flow's log.
        self._exit_stack.enter_context(quiet(logging.getLogger("distributed")))
        self._exit_stack.callback(Environment(self._options.dask.environ).restore)
        chosen = DaskTaskRunner(**runner_arguments(self._options))
        for name in _ARGUMENTS:
            setattr(self, name, getattr(chosen, name))
        # Dask keeps what it has sent, for those who work on it: a thousand batches of calls.
        with dask.config.set({_LOG: min(dask.config.get(_LOG), _SENT_KEPT)}):
            client = super().client
        if self._options.dask.trim:
            self._exit_stack.callback(memory.give_back)
            self._exit_stack.callback(client.run_on_scheduler, memory.give_back)
        self._run = f"prefectx-{uuid4().hex}"
        # A cluster of ours is nobody else's: where its workers are gone, none will come.
        patience = None if self.address else _PATIENCE
        plugin = RunSchedulerPlugin(self._run, self._options.dask.allowed_failures, patience)
        client.register_plugin(plugin, name=self._run)
        self._contexts = RunContexts(client)
        self._capacity = Capacity(client, self._cluster)
        self._exit_stack.callback(client.unregister_scheduler_plugin, self._run)
        self._exit_stack.callback(self._contexts.close)


_PATIENCE = 300.0
_LOG = "distributed.admin.low-level-log-length"
_SENT_KEPT = 50
_ARGUMENTS = (
    "address",
    "cluster_class",
    "resolved_cluster_class",
    "cluster_kwargs",
    "adapt_kwargs",
    "client_kwargs",
    "performance_report_path",
)
