"""Around the runs of Prefect: an API to talk to, logging, what is counted, shown and watched."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from prefect.context import FlowRunContext, TaskRunContext

from prefectx import settings
from prefectx.calls import owners_of_run
from prefectx.engines.prefect import logs
from prefectx.engines.prefect.api import prefect_api
from prefectx.engines.prefect.around import Kind, around
from prefectx.engines.prefect.outages import outlast
from prefectx.engines.prefect.summary import sum_up
from prefectx.engines.prefect.watch import watching_flow
from prefectx.engines.protocol import FlowDefinition
from prefectx.monitoring import progress
from prefectx.monitoring.display import showing


def is_in_run() -> bool:
    """Whether a flow or a task of Prefect runs here."""
    return FlowRunContext.get() is not None or TaskRunContext.get() is not None


def in_api(thing: Kind, run: Callable[..., Any], args: Any, kwargs: dict[str, Any]) -> Any:
    """Run a task or a flow with an API to talk to; inside a run there is one.

    Parameters:
        thing: Prefect's task or flow.
        run: the method to call.
        args: its arguments.
        kwargs: likewise.
    """
    if is_in_run():
        return run(thing, *args, **kwargs)
    return around(_with_api, thing, run, (thing, *args), kwargs)


def in_flow_run(flow: FlowDefinition, run: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Run a flow, count what its calls come to, show it and sum it up.

    Parameters:
        flow: the flow.
        run: what runs it.
        args: its arguments.
        kwargs: likewise.
    """
    context = _counted if is_in_run() else _counted_with_api
    return around(functools.partial(context, flow), flow, run, args, kwargs)


class FlowStep:
    """What Prefect runs in the place of a flow's function: the same, counted and watched.

    Parameters:
        flow: the flow.
    """

    def __init__(self, flow: FlowDefinition) -> None:
        self.flow = flow
        self._fn = flow.fn
        functools.update_wrapper(self, flow.fn)

    @property
    def __globals__(self) -> dict[str, Any]:
        # Prefect looks annotations up there that are text: `from __future__ import annotations`.
        return self._fn.__globals__

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the function."""
        return around(self._surroundings, self.flow, self._fn, args, kwargs)

    @contextmanager
    def _surroundings(self) -> Iterator[None]:
        context = FlowRunContext.get()
        summary = progress.current()
        if context is None or context.flow_run is None:
            yield
        elif summary is None or summary.is_of_another(context.flow_run):
            # A runner of Prefect has asked the engine for this run, not a call of the flow.
            logs.set_up(settings.current().project)
            with _counted(self.flow), self._surroundings():
                yield
        else:
            summary.engine_run = context.flow_run
            options = settings.current().project
            outlast(options.keepalive.outage, context.flow_run.id)
            with watching_flow(options):
                yield

    def __reduce__(self) -> tuple[Any, ...]:
        return _unchanged, (self._fn,)


def _unchanged(fn: Callable[..., Any]) -> Callable[..., Any]:
    return fn


@contextmanager
def _with_api() -> Iterator[None]:
    options = settings.current().project
    with prefect_api(options):
        logs.set_up(options)
        yield


@contextmanager
def _counted_with_api(flow: FlowDefinition) -> Iterator[None]:
    with _with_api(), _counted(flow):
        yield


@contextmanager
def _counted(flow: FlowDefinition) -> Iterator[None]:
    options = settings.current().project
    with owners_of_run(), progress.recording(flow) as summary:
        try:
            with showing(summary, options.progress):
                yield
        finally:
            if summary.engine_run is not None and summary.tasks:
                sum_up(summary)
