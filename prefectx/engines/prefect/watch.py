"""Keepalive of Prefect's runs: which are watched, and how the helper talks to the API."""

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

# The API of the settings that were asked last: they are the same for all runs of a flow.
_latest: tuple[Settings, float | None, Api | None] | None = None


class TaskRunHooks(Subscriber):
    """Sets up logging where a task run begins, a worker perhaps, and has the run watched."""

    def before_call(self, call: ObservedCall) -> None:
        """Have the task run that begins here watched."""
        if call.mode.is_prefect:
            logs.set_up(call.options)
            watched = _task_run(call.options)
            if watched is not None:
                keepalive.begin(*watched, call.options.keepalive.interval)

    def after_call(self, call: ObservedCall) -> None:
        """Have the task run watched no more."""
        watched = _task_run(call.options) if call.mode.is_prefect else None
        if watched is not None:
            keepalive.end(*watched)

    def call_failed(self, call: ObservedCall, error: BaseException) -> None:
        """Have the task run watched no more."""
        self.after_call(call)


HOOKS.subscribe(TaskRunHooks())


def _task_run(options: Options) -> tuple[Run, Api] | None:
    """Return the task run that goes on here and its API, None if it is not watched."""
    context = TaskRunContext.get()
    api = None if context is None or options.keepalive.interval is None else _api(options)
    if context is None or api is None:
        return None
    run = context.task_run
    flow_run = None if run.flow_run_id is None else str(run.flow_run_id)
    # On Dask the cluster runs a task again whose worker has died, or reports it.
    restarted = options.runner.type == "dask"
    return Run("task", str(run.id), run.name, flow_run, restarted), api


def watching_flow(options: Options) -> AbstractContextManager[None]:
    """Have the flow run that goes on here watched.

    Parameters:
        options: the project's options.
    """
    context = FlowRunContext.get()
    api = None if options.keepalive.interval is None else _api(options)
    if context is None or context.flow_run is None or api is None:
        return nullcontext()
    run_id, name = str(context.flow_run.id), context.flow_run.name
    run = Run("flow", run_id, name, run_id, is_run_by_runner())
    return keepalive.watching(run, api, options.keepalive.interval)


def is_run_by_runner() -> bool:
    """Whether a runner of Prefect has started this process for a flow run, and sees to its end."""
    return "PREFECT__FLOW_RUN_ID" in os.environ


def _api(options: Options) -> Api | None:
    global _latest
    settings, outage = get_current_settings(), options.keepalive.outage
    if _latest is None or _latest[0] is not settings or _latest[1] != outage:
        _latest = settings, outage, _make_api(settings, outage)
    return _latest[2]


def _make_api(settings: Settings, outage: float | None) -> Api | None:
    if not settings.api.url:
        return None
    return Api(
        url=settings.api.url,
        headers=_headers(settings),
        verify=not settings.api.tls_insecure_skip_verify,
        ca_file=settings.api.ssl_cert_file,
        outage=outage or 0.0,
        server_pid=embedded_server_pid(settings.api.url),
    )


def _headers(settings: Settings) -> dict[str, str]:
    headers = dict(settings.client.custom_headers)
    if settings.api.key is not None:
        headers["Authorization"] = f"Bearer {settings.api.key.get_secret_value()}"
    elif settings.api.auth_string is not None:
        secret = settings.api.auth_string.get_secret_value().encode()
        headers["Authorization"] = f"Basic {base64.b64encode(secret).decode()}"
    return headers
