"""Keepalive of Prefect's runs: which are watched, and how the helper talks to the API."""

from __future__ import annotations

import base64
import os
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

from prefect.context import FlowRunContext, TaskRunContext
from prefect.settings import Settings, get_current_settings

from prefectx.engines.prefect.api import embedded_server_pid
from prefectx.monitoring.keepalive import Api, Run, watching

if TYPE_CHECKING:
    from prefectx.settings import Options

# The API of the settings that were asked last: they are the same for all runs of a flow.
_latest: tuple[Settings, float | None, Api | None] | None = None


def watching_task(options: Options) -> AbstractContextManager[None]:
    """Have the task run that goes on here watched.

    Parameters:
        options: the task's options where the call was made.
    """
    context = TaskRunContext.get()
    if context is None:
        return nullcontext()
    run = context.task_run
    # On Dask the cluster runs a task again whose worker has died, or reports it.
    restarted = options.runner.type == "dask"
    return _watching("task", run.id, run.name, run.flow_run_id, restarted, options)


def watching_flow(options: Options) -> AbstractContextManager[None]:
    """Have the flow run that goes on here watched.

    Parameters:
        options: the project's options.
    """
    context = FlowRunContext.get()
    if context is None or context.flow_run is None:
        return nullcontext()
    run = context.flow_run
    return _watching("flow", run.id, run.name, run.id, is_run_by_runner(), options)


def is_run_by_runner() -> bool:
    """Whether a runner of Prefect has started this process for a flow run, and sees to its end."""
    return "PREFECT__FLOW_RUN_ID" in os.environ


def _watching(
    kind: str, run_id: Any, name: str, flow_run_id: Any, restarted: bool, options: Options
) -> AbstractContextManager[None]:
    interval = options.keepalive.interval
    api = None if interval is None else _api(options)
    if api is None:
        return nullcontext()
    parent = None if flow_run_id is None else str(flow_run_id)
    return watching(Run(kind, str(run_id), name, parent, restarted), api, interval)


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
