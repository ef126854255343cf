"""The Prefect engine: calls are task runs, flows are Prefect's."""

from __future__ import annotations

import functools
import logging
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any, cast
from uuid import uuid4

import prefect
import prefect.futures
from prefect import Flow as StockFlow
from prefect import Task as StockTask
from prefect.client.schemas.objects import State as PrefectState
from prefect.context import FlowRunContext, TagsContext
from prefect.futures import PrefectFuture, PrefectFutureList

from prefectx.arguments.references import futures_in, holds_items
from prefectx.arguments.signature import Arguments
from prefectx.calls import Call, Decision, Skip
from prefectx.engines.local.futures import LocalFuture
from prefectx.engines.local.pending import PendingFuture
from prefectx.engines.local.waiting import as_completed, wait
from prefectx.engines.prefect.api import with_api
from prefectx.engines.prefect.arguments import Parts, for_prefect, waited_for
from prefectx.engines.prefect.flows import PrefectFlow, prefect_flow
from prefectx.engines.prefect.futures import SkippedFuture, seconds_of
from prefectx.engines.prefect.runs import in_api, in_flow_run
from prefectx.engines.prefect.steps import SENT, Delayed
from prefectx.engines.prefect.tasks import PrefectTask, prefect_task
from prefectx.engines.protocol import Engine, FlowDefinition, Result, WaitFor
from prefectx.errors import TargetError, UpstreamError
from prefectx.futures import DoneAndNotDone, Future, FutureList, State
from prefectx.item import Store
from prefectx.run_context import flow_name

Ready = tuple[PrefectTask[..., object], tuple[object, ...], Arguments]


class PrefectEngine:
    """Runs calls as Prefect's task runs, in the modes that begin with `prefect`."""

    def make_task(
        self,
        fn: Callable[..., object],
        keywords: Mapping[str, object],
        prefect_keywords: Mapping[str, object],
    ) -> PrefectTask[..., object]:
        """Make the task of a function."""
        return PrefectTask(fn, keywords, prefect_keywords)

    def make_flow(
        self, fn: Callable[..., object], prefect_keywords: Mapping[str, object]
    ) -> PrefectFlow[..., object]:
        """Make the flow of a function."""
        return PrefectFlow(fn, prefect_keywords)

    def flow_name(self) -> str | None:
        """Return the name of the current flow, with or without Prefect; None outside a flow."""
        context = FlowRunContext.get()
        if context is None or context.flow is None:
            return flow_name()
        return context.flow.name

    def run(self, call: Call, decision: Decision, wait_for: WaitFor, return_state: bool) -> Result:
        """Run a call as a task run and return its result: data, or the item of its output."""
        return _result(call, _task_run(call, decision, wait_for, return_state), return_state)

    async def run_async(
        self, call: Call, decision: Decision, wait_for: WaitFor, return_state: bool
    ) -> Result:
        """Run a call of an async task; see `run`."""
        value = await cast(Awaitable[object], _task_run(call, decision, wait_for, return_state))
        return _result(call, value, return_state)

    def submit(self, call: Call, decision: Decision, wait_for: WaitFor) -> Future[object]:
        """Submit a call to the flow's task runner and return its future.

        Raises:
            RuntimeError: outside a flow, as there is no runner.
        """
        try:
            ready, args, kwargs = _ready(call, decision)
            others = waited_for(wait_for)
        except UpstreamError as error:  # of an input that ran without Prefect
            return LocalFuture(error, failed=True, item=call.item)
        submit: Callable[..., object] = StockTask.submit
        with _without_slots(decision):
            return _with_item(submit(ready, *args, wait_for=others, **kwargs), call)

    def delay(
        self, call: Call, wait_for: WaitFor, dependencies: Mapping[str, object]
    ) -> Future[object]:
        """Leave a call to a worker that serves the task, and return its future."""
        ready, args, kwargs = _deferred(call)
        apply_async = with_api(StockTask.apply_async)
        inputs: dict[str, Any] | None = dict(dependencies) or None
        return _with_item(apply_async(ready, args, kwargs, waited_for(wait_for), inputs), call)

    def finished(self, store: Store, location: str) -> Future[object]:
        """Return the future of a call whose output exists there."""
        return cast(Future[object], SkippedFuture(store, location))

    def gathered(self, futures: list[Future[object]]) -> FutureList[object]:
        """Return the futures of a mapped task as Prefect's list of them."""
        # Abstract to mypy, as `__next__` of its base class is never used.
        make = cast(Callable[[object], FutureList[object]], PrefectFutureList)
        return make(futures)

    def seconds(self, state: State[object]) -> float | None:
        """Return how long the call of a final state ran, None if unknown."""
        return seconds_of(state)

    def run_flow(self, flow: FlowDefinition, args: tuple[object, ...], kwargs: Arguments) -> object:
        """Run a flow as Prefect's."""
        call_flow: Callable[..., object] = StockFlow.__call__
        run = functools.partial(call_flow, prefect_flow(flow).for_run(), *args, **kwargs)
        return in_flow_run(flow, run)

    def flow_from_source(self, *args: object, **kwargs: object) -> object:
        """Load a flow from a folder, a repository or a bucket."""
        load: Callable[..., object] = PrefectFlow.from_source
        return load(*args, **kwargs)

    def wait(self, futures: list[Future[object]], timeout: float | None) -> DoneAndNotDone:
        """Wait for futures, of calls with or without Prefect."""
        if _is_any_pending(futures):
            return wait(futures, timeout)
        over, others = _split(futures)
        waited = prefect.futures.wait(others, timeout=timeout)
        done, not_done = cast(tuple[set[Future[object]], set[Future[object]]], waited)
        return DoneAndNotDone(over | done, not_done)

    def as_completed(
        self, futures: list[Future[object]], timeout: float | None
    ) -> Iterator[Future[object]]:
        """Yield futures as their calls end."""
        if _is_any_pending(futures):
            yield from as_completed(futures, timeout)
            return
        over, others = _split(futures)
        yield from over
        completed = prefect.futures.as_completed(others, timeout=timeout)
        yield from cast(Iterator[Future[object]], completed)

    def tags(self, *tags: str) -> AbstractContextManager[set[str]]:
        """Give the runs in a `with` block these tags."""
        return prefect.tags(*tags)

    def get_run_logger(self) -> logging.Logger | logging.LoggerAdapter[logging.Logger]:
        """Return the logger of the current flow or task."""
        return prefect.get_run_logger()


ENGINE: Engine = PrefectEngine()


def _ready(call: Call, decision: Decision) -> Ready:
    """Return the task for Prefect to run, and the arguments to call it with."""
    task, arguments = prefect_task(call.task).named(_run_name(call)), _for_prefect(call)
    if _needs_step(call, arguments):
        task = task.for_call(call, is_finished=isinstance(decision, Skip))
    else:
        task = task.watched(call)
    return task, *call.task.signature.unbind(arguments)


def _deferred(call: Call) -> Ready:
    """Return the task and the arguments to send to a worker that serves the task."""
    task, run_name = prefect_task(call.task), _run_name(call)
    arguments = _for_prefect(call)
    args, kwargs = call.task.signature.unbind(arguments)
    sent = call.for_task(None) if _needs_step(call, arguments) else None
    if sent is None and run_name is None and (args or kwargs):
        return task.copy(), args, kwargs
    # A task worker does not run a call without arguments.
    delayed = Delayed(sent, run_name, uuid4().hex)
    return task.served(), args, {**kwargs, SENT: delayed}


def _for_prefect(call: Call) -> Arguments:
    return {name: for_prefect(value) for name, value in call.arguments.items()}


def _needs_step(call: Call, arguments: Arguments) -> bool:
    if call.mode.keeps or call.item is not None or holds_items(call.arguments):
        return True
    return any(isinstance(value, Parts) for value in arguments.values())


def _run_name(call: Call) -> str | None:
    """Return a template of Prefect for the name of the run, None if Prefect chooses the name."""
    template = call.run_name
    if template is None:
        return None
    if not call.mode.keeps and call.arguments.keys() >= set(template.names()):
        return template.text
    try:
        # What futures without an output will return is not known: the task's name has to do.
        is_known = call.mode.keeps or not futures_in(call.arguments)
        name = template.fill(call.fields) if is_known else call.task.name
        return name.replace("{", "{{").replace("}", "}}")
    except TargetError as error:
        where = f"task {call.task.name!r}, task_run_name {template.text!r}"
        raise TargetError(f"{where}: {error}") from error


def _task_run(call: Call, decision: Decision, wait_for: WaitFor, return_state: bool) -> object:
    ready, args, kwargs = _ready(call, decision)
    options = {"return_state": return_state, "wait_for": waited_for(wait_for)}
    call_task: Callable[..., object] = StockTask.__call__
    with _without_slots(decision):
        return in_api(ready, functools.partial(call_task, ready, *args, **kwargs | options))


def _without_slots(decision: Decision) -> AbstractContextManager[object]:
    """Leave the tags around a finished call out: it waits for no slot of them."""
    return TagsContext(current_tags=set()) if isinstance(decision, Skip) else nullcontext()


def _result(call: Call, value: object, return_state: bool) -> Result:
    if not isinstance(value, PrefectState):
        return Result(value)
    # The caching step of a call with an item returns a state, and so does Prefect then.
    has_item = call.item is not None and value.is_completed()
    state = cast(State[object], value)
    return Result(call.item if has_item and not return_state else value, state)


def _with_item(future: Any, call: Call) -> Future[object]:
    if call.item is not None:
        future.item = call.item
    return cast(Future[object], future)


def _is_any_pending(futures: list[Future[object]]) -> bool:
    """Tell whether there is a call without Prefect that is not over."""
    return any(isinstance(future, PendingFuture) and not future.is_over for future in futures)


def _split(
    futures: list[Future[object]],
) -> tuple[set[Future[object]], list[PrefectFuture[object]]]:
    """Split futures into those of calls without Prefect, which are over, and Prefect's."""
    over = {future for future in futures if not isinstance(future, PrefectFuture)}
    others = [future for future in futures if future not in over]
    return over, cast(list[PrefectFuture[object]], others)
