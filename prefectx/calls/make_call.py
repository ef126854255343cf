"""Makes calls: fills the target of a call, claims it, and decides what becomes of the call."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from prefectx.arguments.fingerprint import comparable
from prefectx.arguments.references import settle
from prefectx.arguments.signature import Arguments
from prefectx.arguments.traversal import ATOMS
from prefectx.calls.call import Call
from prefectx.calls.decision import MISSING, Decision, decide
from prefectx.calls.facts import look
from prefectx.calls.one_at_a_time import RUNS
from prefectx.calls.payload import FlowName
from prefectx.calls.resolved_task import ResolvedTask
from prefectx.calls.stale_outputs import tell_of_stale
from prefectx.calls.target_owners import owner_of, target_owners
from prefectx.item import Item
from prefectx.run_context import current_values
from prefectx.targets.fields import Fields

Row = tuple[object, ...]


def make_call(
    task: ResolvedTask,
    arguments: Arguments,
    flow: FlowName,
    batch: set[Item[object] | None] | None = None,
) -> Call:
    """Make a call: fill its target and claim it.

    Parameters:
        task: the task with its resolved options.
        arguments: its arguments by name, defaults applied; futures among them may be pending.
        flow: gives the name of the flow that makes the call, None outside a flow.
        batch: the outputs of calls that are made together and not yet running; the call's is
            added.

    Raises:
        TargetError: if the target cannot be filled or belongs to a different call.
        UpstreamError: if an input that the target needs has failed.
    """
    if task.target is None:
        return Call(task, None, arguments, arguments, flow)
    # Scalars are what they are; everything else has to be looked into.
    is_plain = ATOMS.issuperset([type(value) for value in arguments.values()])
    known, inputs = (arguments, []) if is_plain else settle(arguments)
    is_open = not task.is_closed or current_values()
    item = task.locate(Fields(task.fields, known, flow) if is_open else known)
    if not task.options.shared:
        ignored = task.options.ignore
        values = tuple(
            ... if name in ignored else comparable(value, task.folders)
            for name, value in known.items()
        )
        is_busy = RUNS.is_busy(item) or (batch is not None and item in batch)
        owner = owner_of(task.callee, values)
        target_owners().claim(item, owner, task.target, is_busy=is_busy)
    if batch is not None:
        batch.add(item)
    return Call(task, item, arguments, known, flow, inputs=tuple(inputs), is_plain=is_plain)


def decided(
    task: ResolvedTask,
    args: Row,
    kwargs: Arguments,
    flow: FlowName,
) -> tuple[Call, Decision]:
    """Make a call and decide what becomes of it.

    Parameters:
        task: the task with its resolved options.
        args: the positional arguments of the call.
        kwargs: its keyword arguments.
        flow: gives the name of the flow that makes the call, None outside a flow.
    """
    call = make_call(task, task.task.signature.bind(args, kwargs), flow)
    decision = decide(look([call])[0])
    tell_of_stale(task, [call], [decision])
    return call, decision


def decide_each(
    task: ResolvedTask, rows: Sequence[Row], flow: FlowName
) -> list[str | tuple[Call, Decision]]:
    """Make many calls of one task and decide what becomes of each, asking the store once.

    Parameters:
        task: the task with its resolved options.
        rows: of each call the arguments in the order of the parameters, defaults applied.
        flow: gives the name of the flow that makes the calls, None outside a flow.

    Returns:
        Of each call the location, if the fast path has found its output, else the call and the
        decision.

    Raises:
        TargetError: if a target cannot be filled, or two of the calls share one.
    """
    places, found = task.fast_path.find_many(rows)
    if found.issuperset(places):
        return cast(list[str | tuple[Call, Decision]], places)  # all are finished
    made: list[str | tuple[Call, Decision] | None] = [
        place
        if place is None or place in found
        else (Call.with_scalars(task, row, place, flow), MISSING)
        for row, place in zip(rows, places, strict=True)
    ]
    batch = {each[0].item for each in made if isinstance(each, tuple)} - {None}
    others = [
        make_call(task, dict(zip(task.callee.names, row, strict=True)), flow, batch)
        for row, known in zip(rows, made, strict=True)
        if known is None
    ]
    decisions = [decide(facts) for facts in look(others)]
    tell_of_stale(task, others, decisions)
    rest = zip(others, decisions, strict=True)
    return [next(rest) if known is None else known for known in made]
