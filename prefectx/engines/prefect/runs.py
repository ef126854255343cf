"""What every run of Prefect needs: an API, logging, counts, progress and keepalive."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import cast

from prefect.context import FlowRunContext, TaskRunContext
from prefect.logging.loggers import flow_run_logger

from prefectx import settings
from prefectx.calls import owners_of_run, whole_run, with_lazy_started
from prefectx.engines.local.place import running
from prefectx.engines.prefect import logs
from prefectx.engines.prefect.api import prefect_api
from prefectx.engines.prefect.around import Kind, Thunk, around
from prefectx.engines.prefect.outages import outlast
from prefectx.engines.prefect.summary import link_report, sum_up
from prefectx.engines.prefect.watch import watching_flow
from prefectx.engines.protocol import FlowDefinition
from prefectx.monitoring import progress
from prefectx.monitoring.display import showing
from prefectx.monitoring.reporting import reporting


def is_in_run() -> bool:
    """Whether this is inside a flow run or a task run of Prefect."""
    return FlowRunContext.get() is not None or TaskRunContext.get() is not None


def in_api(task: Kind, run: Thunk) -> object:
    """Run a task with an API; inside a run there is one already.

    Parameters:
        task: the task.
        run: calls it.
    """
    return run() if is_in_run() else around(_with_api, task, run)


def in_flow_run(flow: FlowDefinition, run: Thunk) -> object:
    """Run a flow with an API; count its calls, show its progress, log a summary.

    Parameters:
        flow: the flow.
        run: calls it.
    """
    context = _counted if is_in_run() else _counted_with_api
    return around(functools.partial(context, flow), flow, run)


class FlowStep:
    """Runs the function of a flow, counted and watched; Prefect calls it instead of the function.

    Parameters:
        flow: the flow.
    """

    def __init__(self, flow: FlowDefinition) -> None:
        self.flow = flow
        self._fn = flow.fn
        functools.update_wrapper(self, flow.fn)

    @property
    def __globals__(self) -> dict[str, object]:
        # Prefect evaluates annotations that are strings there.
        return cast(dict[str, object], self._fn.__globals__)

    def __call__(self, *args: object, **kwargs: object) -> object:
        """Run the function."""
        run = functools.partial(self._fn, *args, **kwargs)
        return around(self._surroundings, self.flow, run, with_lazy_started)

    @contextmanager
    def _surroundings(self) -> Iterator[None]:
        context = FlowRunContext.get()
        summary = progress.current()
        if context is None or context.flow_run is None:
            yield
        elif summary is None or summary.is_of_another(context.flow_run):
            # A runner of Prefect has started this run, not a call of the flow.
            logs.set_up(settings.current().project)
            with _counted(self.flow), self._surroundings():
                yield
        else:
            summary.engine_run = context.flow_run
            current = settings.current()
            options = current.project
            if context.flow_run.parent_task_run_id is None:
                flow_run_logger(context.flow_run).info("%s", current.description)
            # Calls without Prefect use the cluster of the flow, if its runner has one.
            beside = getattr(context.task_runner, "beside", None)
            outlast(options.keepalive.outage, context.flow_run.id)
            summary.has_raised = True  # also if the caller asks for the state only
            with watching_flow(options), running("threads", beside):
                yield
            summary.has_raised = False

    def __reduce__(self) -> tuple[object, ...]:
        return _unchanged, (self._fn,)


def _unchanged(fn: Callable[..., object]) -> Callable[..., object]:
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
    reported = reporting(flow, options.report, link_report)
    with reported, owners_of_run(), progress.recording(flow) as summary:
        try:
            with whole_run(summary), showing(summary, options.progress):
                yield
        finally:
            if summary.engine_run is not None and summary.tasks:
                sum_up(summary)
