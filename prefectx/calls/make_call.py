"""Makes calls: fills the target of a call and claims it."""

from __future__ import annotations

from collections.abc import Callable

from prefectx.arguments.fingerprint import comparable
from prefectx.arguments.references import settle
from prefectx.arguments.signature import Arguments
from prefectx.arguments.traversal import ATOMS
from prefectx.calls.call import Call
from prefectx.calls.one_at_a_time import RUNS
from prefectx.calls.resolved_task import ResolvedTask
from prefectx.calls.target_owners import TARGET_OWNERS, owner_of
from prefectx.item import Item
from prefectx.run_context import current_values
from prefectx.targets.fields import Fields


def make_call(
    resolved: ResolvedTask,
    arguments: Arguments,
    flow: Callable[[], str | None],
    batch: set[Item[object]] | None = None,
) -> Call:
    """Make a call: fill its target and claim it.

    Parameters:
        resolved: the task with its resolved options.
        arguments: its arguments by name, defaults applied; futures among them may be pending.
        flow: gives the name of the flow that makes the call, None outside a flow.
        batch: the outputs of calls that are made together and not yet running; the call's is
            added.

    Raises:
        TargetError: if the target cannot be filled or belongs to a different call.
        UpstreamError: if an input that the target needs has failed.
    """
    if resolved.target is None:
        return Call(resolved, None, arguments, arguments, flow)
    # Scalars are what they are; everything else has to be looked into.
    is_plain = ATOMS.issuperset([type(value) for value in arguments.values()])
    known, inputs = (arguments, []) if is_plain else settle(arguments)
    is_open = not resolved.is_closed or current_values()
    item = resolved.locate(Fields(resolved.fields, known, flow) if is_open else known)
    if not resolved.options.shared:
        values = tuple(known.values() if is_plain else map(comparable, known.values()))
        is_busy = RUNS.is_busy(item) or (batch is not None and item in batch)
        owner = owner_of(resolved.callee, values)
        TARGET_OWNERS.claim(item, owner, resolved.target, is_busy=is_busy)
    if batch is not None:
        batch.add(item)
    return Call(resolved, item, arguments, known, flow, inputs=tuple(inputs), is_plain=is_plain)
