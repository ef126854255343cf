"""Flows without Prefect: plain functions, whose calls are counted, shown and logged."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

from prefectx import settings
from prefectx.arguments.references import check_upstream
from prefectx.arguments.signature import Arguments, Signature
from prefectx.arguments.validation import validated
from prefectx.calls import function_of, owners_of_run, whole_run, with_lazy_started
from prefectx.engines.local.futures import LocalFuture
from prefectx.engines.local.place import running
from prefectx.engines.local.termination import ended_by_sigterm
from prefectx.engines.protocol import FlowDefinition, WaitFor
from prefectx.futures import Future, State, data_of
from prefectx.modes import get_mode
from prefectx.monitoring import logging as logs
from prefectx.monitoring.display import showing
from prefectx.monitoring.progress import recording
from prefectx.monitoring.reporting import reporting
from prefectx.run_context import flow_name, in_flow


def run_flow(flow: FlowDefinition, args: tuple[object, ...], kwargs: Arguments) -> object:
    """Run a flow as a plain function; if it returns a future or a state, return its result."""
    return_state = bool(kwargs.pop("return_state", False))
    check_upstream(cast(WaitFor, kwargs.pop("wait_for", None)))
    if flow.isasync and not flow.isgenerator:
        return _run_async(flow, args, kwargs, return_state)
    try:
        args, kwargs = _parameters(flow, args, kwargs)
        with _running(flow):
            returned = with_lazy_started(function_of(flow, "flow")(*args, **kwargs))
            result = LocalFuture(_returned(returned))
    except Exception as error:
        if not return_state:
            raise
        result = LocalFuture(error, failed=True)
    return result.state if return_state else result.result()


def _parameters(
    flow: FlowDefinition, args: tuple[object, ...], kwargs: Arguments
) -> tuple[tuple[object, ...], Arguments]:
    """Convert a flow's parameters by their annotations, as Prefect does; not in `function` mode."""
    keeps = get_mode(settings.current().project.mode).keeps
    if not keeps or not flow.prefect_keywords.get("validate_parameters", True):
        return args, kwargs
    signature = Signature(flow.fn)
    found = validated(flow.fn, signature, signature.bind(args, kwargs))
    return signature.unbind(found)


@contextmanager
def _running(flow: FlowDefinition) -> Iterator[None]:
    """Count, show and log the calls of a flow."""
    current = settings.current()
    options = current.project
    logs.set_up(options.logging)
    log = logging.getLogger(logs.RUNS)
    keeps = get_mode(options.mode).keeps
    if flow_name() is None and keeps:
        log.info("%s: %s", flow.name, current.description)
    reported = reporting(flow, options.report if keeps else None)
    with reported, in_flow(flow.name), owners_of_run(), recording(flow) as summary:
        try:
            shown = showing(summary, options.progress)
            with whole_run(summary), shown, ended_by_sigterm(), running():
                yield
        finally:
            for line in summary.lines():
                log.info("%s: %s", flow.name, line)


async def _run_async(
    flow: FlowDefinition, args: tuple[object, ...], kwargs: Arguments, return_state: bool
) -> object:
    try:
        args, kwargs = _parameters(flow, args, kwargs)
        with _running(flow):
            returned = with_lazy_started(await function_of(flow, "flow")(*args, **kwargs))
            result = LocalFuture(_returned(returned))
    except Exception as error:
        if not return_state:
            raise
        result = LocalFuture(error, failed=True)
    return result.state if return_state else result.result()


def _returned(value: object) -> object:
    if isinstance(value, State):
        return data_of(value)
    return value.result() if isinstance(value, Future) else value
