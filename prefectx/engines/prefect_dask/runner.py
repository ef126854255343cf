"""A task runner based on prefect-dask's, with the options of the configuration and of tasks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Self

from prefect.client.schemas.objects import RunInput
from prefect.futures import PrefectFuture
from prefect.tasks import Task
from prefect_dask.client import PrefectDaskClient
from prefect_dask.task_runners import DaskTaskRunner

from prefectx import settings
from prefectx.engines.dask.clusters import client_arguments
from prefectx.engines.dask.runner import DaskRunner as CallRunner
from prefectx.engines.dask.session import Session, session
from prefectx.engines.prefect_dask import upstream
from prefectx.engines.prefect_dask.contexts import RunContexts
from prefectx.engines.prefect_dask.futures import DaskFuture
from prefectx.engines.prefect_dask.submission import Submission


class DaskRunner(DaskTaskRunner):
    """Runs the calls of a flow on Dask, as `[dask]` says.

    Parameters:
        overrides: keys of `[dask]` that outrank the configuration.

    Raises:
        ConfigError: if the overrides are wrong.
    """

    def __init__(self, overrides: Mapping[str, object] | None = None) -> None:
        super().__init__()
        self._overrides = dict(overrides or {})
        # Not entered, but reports mistakes at once, at the line that has them.
        settings.override(dask=self._overrides)

    def duplicate(self) -> Self:
        """Return a runner with the same overrides, not started."""
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
        """The client; the first access connects it, and starts the cluster."""
        if self._client is None:
            self._client = self._connect().client
        return self._client

    def submit(  # type: ignore[override]  # Prefect's differs by overloads
        self,
        task: Task[..., object],
        parameters: dict[str, object],
        wait_for: Iterable[PrefectFuture[object]] | None = None,
        dependencies: dict[str, set[RunInput]] | None = None,
    ) -> DaskFuture:
        """Submit a call.

        Parameters:
            task: the task.
            parameters: its arguments by name; the call waits for futures anywhere in them.
            wait_for: more futures to wait for.
            dependencies: further inputs, for Prefect's graph.

        Raises:
            ConfigError: if the task needs more than any worker has, or an unknown worker.
            RuntimeError: if the runner was not started.
        """
        if not self._started:
            raise RuntimeError("The task runner must be started before submitting work.")
        self.client  # noqa: B018  # connects
        submission = Submission(self._session, task, parameters, wait_for, dependencies)
        return DaskFuture(submission, self._contexts.current())

    def beside(self) -> CallRunner:
        """Return a runner on the same cluster for calls without Prefect."""
        self.client  # noqa: B018  # connects
        return CallRunner(self._session)

    def _connect(self) -> Session[PrefectDaskClient]:
        upstream.check_all()
        # Read by prefect-dask's own functions for tasks and flows.
        self.client_kwargs = client_arguments(self._options.dask)
        opened = session(self._options, PrefectDaskClient, self.logger)
        self._session = self._exit_stack.enter_context(opened)
        self._contexts = RunContexts(self._session.client)
        self._exit_stack.callback(self._contexts.close)
        return self._session
