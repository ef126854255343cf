"""Keepalive of Prefect's runs: which to watch, and how the helper reaches the API."""

from __future__ import annotations

import base64
import os
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

from prefect.context import FlowRunContext, TaskRunContext
from prefect.settings import Settings, get_current_settings

from prefectx.engines.prefect import logs
from prefectx.engines.prefect.api import embedded_server_pid
from prefectx.monitoring import keepalive
from prefectx.monitoring.hooks import HOOKS, ObservedCall, Subscriber
from prefectx.monitoring.keepalive import Api, Run

if TYPE_CHECKING:
    from prefectx.settings import Options


class Apis:
    """Makes the API of the present settings once, as these are the same for all runs of a flow."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Make the API again when it is next needed."""
        self._latest: tuple[Settings, float | None, Api | None] | None = None

    def current(self, options: Options) -> Api | None:
        """Return the API, None if Prefect has no URL of one."""
        settings, outage = get_current_settings(), options.keepalive.outage
        latest = self._latest
        if latest is None or latest[0] is not settings or latest[1] != outage:
            latest = self._latest = settings, outage, _make_api(settings, outage)
        return latest[2]


APIS = Apis()


class TaskRunHooks(Subscriber):
    """Sets up logging in the process of a task run, perhaps a worker, and watches the run."""

    def before_call(self, call: ObservedCall) -> None:
        """Watch the task run that starts."""
        if call.mode.is_prefect:
            logs.set_up(call.options)
            watched = _task_run(call.options)
            if watched is not None:
                keepalive.begin(*watched, call.options.keepalive.interval)

    def after_call(self, call: ObservedCall) -> None:
        """Stop watching the task run."""
        watched = _task_run(call.options) if call.mode.is_prefect else None
        if watched is not None:
            keepalive.end(*watched)

    def call_failed(self, call: ObservedCall, error: BaseException) -> None:
        """Stop watching the task run."""
        self.after_call(call)


HOOKS.subscribe(TaskRunHooks())


def _task_run(options: Options) -> tuple[Run, Api] | None:
    """Return the current task run and its API, None if it is not watched."""
    context = TaskRunContext.get()
    api = None if context is None or options.keepalive.interval is None else APIS.current(options)
    if context is None or api is None:
        return None
    run = context.task_run
    flow_run = None if run.flow_run_id is None else str(run.flow_run_id)
    # If a worker dies, Dask runs its tasks again, or our runner reports them.
    restarted = options.runner.type == "dask"
    return Run("task", str(run.id), run.name, flow_run, restarted), api


def watching_flow(options: Options) -> AbstractContextManager[None]:
    """Watch the current flow run during the block.

    Parameters:
        options: the project's options.
    """
    context = FlowRunContext.get()
    api = None if options.keepalive.interval is None else APIS.current(options)
    if context is None or context.flow_run is None or api is None:
        return nullcontext()
    run_id, name = str(context.flow_run.id), context.flow_run.name
    run = Run("flow", run_id, name, run_id, is_run_by_runner())
    return keepalive.watching(run, api, options.keepalive.interval)


def is_run_by_runner() -> bool:
    """Whether a runner of Prefect has started this process for a flow run, and reports its end."""
    return "PREFECT__FLOW_RUN_ID" in os.environ


def _make_api(settings: Settings, outage: float | None) -> Api | None:
    if not settings.api.url:
        return None
    headers = dict(settings.client.custom_headers)
    if settings.api.key is not None:
        headers["Authorization"] = f"Bearer {settings.api.key.get_secret_value()}"
    elif settings.api.auth_string is not None:
        secret = settings.api.auth_string.get_secret_value().encode()
        headers["Authorization"] = f"Basic {base64.b64encode(secret).decode()}"
    return Api(
        url=settings.api.url,
        headers=headers,
        verify=not settings.api.tls_insecure_skip_verify,
        ca_file=settings.api.ssl_cert_file,
        outage=outage or 0.0,
        server_pid=embedded_server_pid(settings.api.url),
    )
