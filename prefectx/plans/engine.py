"""The planning engine: runs a flow's own code, and takes note of its calls instead of running them.

What is finished never reaches it, as with the other engines. Futures are over at once, and hold the
items of outputs that are not made.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping

from prefectx import settings
from prefectx.arguments.references import items_in, unsettled_in
from prefectx.arguments.signature import Arguments, Signature
from prefectx.arguments.validation import validated
from prefectx.calls import Call, Decision, Run, Skip, owners_of_run, with_lazy_started
from prefectx.engines.local.engine import LocalEngine
from prefectx.engines.local.futures import LocalFuture
from prefectx.engines.protocol import Engine, FlowDefinition, Result, WaitFor
from prefectx.engines.registry import ENGINES
from prefectx.futures import Future, State, data_of
from prefectx.item import Item
from prefectx.modes import MODES
from prefectx.planned_outputs import PlanEndsError, PlannedData, planned
from prefectx.plans.calls import LAZY, PUT_BACK, PlannedCalls, Status
from prefectx.records import version_to_put_back
from prefectx.run_context import in_flow

_REASONS = {
    "not kept": "it keeps no output",
    "missing": "its output is not there",
    "refresh": "refresh is set",
    "expired": "its output is older than max_age",
    "unreadable": "its output cannot be read",
    "redefined": "its function was defined anew",
}
_REMAKES = ("missing", "stale")


class PlanningEngine(LocalEngine):
    """Takes note of calls."""

    def submit(self, call: Call, decision: Decision, wait_for: WaitFor) -> Future[object]:
        """Take note of a call; its future holds the item of the output that a run would make."""
        plan = planned()
        if not isinstance(plan, PlannedCalls):  # a thread that has nothing to do with the plan
            return _real(call).submit(call, decision, wait_for)
        if plan.see is not None:
            plan.see(call)
        item = call.item if call.mode.keeps else None
        if isinstance(decision, Skip):  # of a mode that sends finished calls to its engine
            plan.finished(call.task.name, decision.item, decision.stale)
        else:
            status, reason = _status(call, decision, plan)
            if status == "run" and plan.is_uncertain:
                status = "maybe"
            plan.add(call.task.name, item, status, reason)
            plan.takes(call.task.name, items_in(call.given))
        value = PlannedData(call.task.name) if item is None else item
        return LocalFuture(value, item=item)

    def run(self, call: Call, decision: Decision, wait_for: WaitFor, return_state: bool) -> Result:
        """Take note of a call, and return the item of the output that a run would make."""
        if planned() is None:
            return _real(call).run(call, decision, wait_for, return_state)
        future = self.submit(call, decision, wait_for)
        return Result(future.state if return_state else future.result(), future.state)

    async def run_async(
        self, call: Call, decision: Decision, wait_for: WaitFor, return_state: bool
    ) -> Result:
        """Do what `run` does."""
        if planned() is None:
            return await _real(call).run_async(call, decision, wait_for, return_state)
        return self.run(call, decision, wait_for, return_state)

    def delay(
        self, call: Call, wait_for: WaitFor, dependencies: Mapping[str, object]
    ) -> Future[object]:
        """Take note of a call that a worker would run."""
        if planned() is None:
            return _real(call).delay(call, wait_for, dependencies)
        return self.submit(call, Run("missing"), wait_for)

    def run_flow(self, flow: FlowDefinition, args: tuple[object, ...], kwargs: Arguments) -> object:
        """Run the flow's function."""
        if planned() is None:
            mode = settings.current().project.mode
            return ENGINES[MODES[mode].engine].run_flow(flow, args, kwargs)
        return_state = bool(kwargs.pop("return_state", False))
        kwargs.pop("wait_for", None)
        if flow.prefect_keywords.get("validate_parameters", True):
            signature = Signature(flow.fn)
            found = validated(flow.fn, signature, signature.bind(args, kwargs))
            args, kwargs = signature.unbind(found)
        if flow.isasync and not flow.isgenerator:
            return _run_async(flow, args, kwargs, return_state)
        with in_flow(flow.name), owners_of_run():
            return _returned(with_lazy_started(flow.fn(*args, **kwargs)), return_state)

    def get_run_logger(self) -> logging.Logger:
        """Return a logger whose lines are dropped: nothing runs."""
        log = logging.getLogger("prefectx.plans")
        log.propagate, log.handlers = False, [logging.NullHandler()]
        return log


ENGINE: Engine = PlanningEngine()


def _real(call: Call) -> Engine:
    """Return the engine that runs the call of a thread that makes no plan."""
    return ENGINES[MODES[call.mode.name].engine]


async def _run_async(
    flow: FlowDefinition, args: tuple[object, ...], kwargs: Arguments, return_state: bool
) -> object:
    with in_flow(flow.name), owners_of_run():
        return _returned(with_lazy_started(await flow.fn(*args, **kwargs)), return_state)


def _returned(value: object, return_state: bool) -> object:
    if isinstance(value, State):
        value = data_of(value)
    future = value if isinstance(value, Future) else LocalFuture(value)
    return future.state if return_state else future.result()


def _status(call: Call, decision: Decision, plan: PlannedCalls) -> tuple[Status, str]:
    """Return what becomes of a call that is not finished for certain, and why."""
    item = call.item
    if item is None or not call.mode.keeps:
        return "run", _REASONS["not kept"]
    if item in plan.deleted:
        return "run", "the flow deletes its output"
    if item in plan.saved and not call.options.refresh:
        raise PlanEndsError(f"the flow saves {item.location} itself, and calls its task")
    inputs = unsettled_in(plan, call.given)
    lineage, stale = call.recall(), None
    if lineage is not None and item.exists():
        stale = lineage.staleness(item, call.given)
    if isinstance(decision, Run):
        is_lazy = call.options.lazy or call.options.temporary
        is_made_for_others = is_lazy and decision.reason == "missing"
        reason = LAZY if is_made_for_others else _REASONS.get(decision.reason) or str(stale)
        if call.options.keep and decision.reason in _REMAKES:
            if inputs:
                return "maybe", f"{reason}; an earlier version may be put back"
            version = version_to_put_back(lineage, item, call.given)
            if version is not None:
                plan.versions[item] = version
                return "finished", PUT_BACK
        return "run", reason
    if stale is not None and stale.reaction == "rerun":
        return "run", str(stale)
    return "maybe", f"an input may change: {_named(inputs[0], plan)}"


def _named(value: object, plan: PlannedCalls) -> str:
    return plan.shown(value.location) if isinstance(value, Item) else f"{value!r}"
