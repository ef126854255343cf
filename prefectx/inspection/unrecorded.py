"""Outputs without a record: made before there were records, or by hand."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple, cast

from prefectx.calls import Call, ResolvedTask
from prefectx.errors import StoreError
from prefectx.item import Item
from prefectx.plans import Plan, make_plan
from prefectx.records import Record, read_version, state_of
from prefectx.targets.field import Field
from prefectx.tasks.flow import Flow


class Unrecorded(NamedTuple):
    """An output without a record, and the call that it belongs to.

    Attributes:
        call: the call.
        item: the output.
    """

    call: Call
    item: Item[object]

    def record(self) -> None:
        """Give it a record: it counts as made by this call, from what there is now."""
        lineage = self.call.lineage
        state = state_of(self.item)
        if lineage is None or state is None:
            return
        lineages = cast(ResolvedTask, self.call._resolved).lineages
        if lineages is not None:
            lineages.keep_code()
        recipe, sources = lineage.recipe, lineage.sources(self.call.given)
        made = 0.0 if state[1] is None else state[1] / 1e9
        lineage.records.add(
            Record(
                lineage.records.name_of(self.item.store, self.item.location), recipe.task,
                recipe.function, read_version(self.item), *state, recipe.arguments,
                recipe.defaults, sources.inputs, sources.files, recipe.code,
                lineage.origin.versions, round(made, 3),
            )
        )  # fmt: skip


def unrecorded_of(
    flow: Flow[..., Any], parameters: dict[str, object]
) -> tuple[Plan, list[Unrecorded]]:
    """Return the outputs of a flow that exist and have no record, and the flow's plan.

    Parameters:
        flow: the flow.
        parameters: its parameters.
    """
    found: list[Unrecorded] = []

    def see(call: Call) -> None:
        lineage = call.lineage
        item = call.item
        if lineage is not None and item is not None and state_of(item) is not None:
            if lineage.records.find(item):
                return
            found.append(Unrecorded(call, item))

    return make_plan(flow, (), parameters, see), found


def count_unrecorded(task: ResolvedTask) -> int:
    """Return how many files look like outputs of a task and have no record."""
    if task.target is None or task.lineages is None:
        return 0
    records = task.lineages.records
    return sum(not records.find(Item(task.store, place)) for place in _candidates(task))


def _candidates(task: ResolvedTask) -> Iterator[str]:
    """Yield the locations that the target of a task may fill."""
    template, pattern = task.target, ""
    assert template is not None
    own = task.fields.constants
    prefix = ""
    for part in template.parts:
        is_known = isinstance(part, Field) and part.is_plain and part.name in own
        text = own[cast(Field, part).name] if is_known else part if isinstance(part, str) else None
        pattern += ".+" if text is None else re.escape(text)
        if text is not None and ".+" not in pattern:
            prefix += text
    begin = task.store.locate(task.options.root, f"{prefix}x").removesuffix("x")
    root = task.store.locate(task.options.root, "x").removesuffix("x")
    try:
        for place in task.store.list(begin):
            if re.fullmatch(pattern, place.removeprefix(root)) or re.fullmatch(pattern, place):
                yield place
    except (NotImplementedError, StoreError, OSError):
        return
