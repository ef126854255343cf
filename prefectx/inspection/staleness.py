"""Whether an output is stale, told from its record: as a call with the same arguments would find.

What only the call itself knows, such as which items it is given now, is taken from the record.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from prefectx import settings
from prefectx.calls import ResolvedTask
from prefectx.records import (
    Argument,
    Lineage,
    Origin,
    Record,
    Stale,
    recorded_arguments,
)
from prefectx.settings import STALE_BY_DEFAULT

if TYPE_CHECKING:
    from prefectx.inspection.output import Output


def staleness_of(output: Output) -> Stale | None:
    """Return why an output is stale, None if it is not."""
    task = output.project.tasks.of(output.record)
    if is_plainly_current(output, task):
        return None
    return lineage_of(output, task).staleness(output.item, inputs_of(output))


def is_plainly_current(output: Output, task: ResolvedTask | None) -> bool:
    """Tell at little cost that nothing has changed, for an output without inputs and files."""
    record = output.record
    if record.inputs or record.files or record.packages or record.defaults:
        return False
    if output.state != (record.size, record.mtime):
        return False
    if task is None:
        return True
    lineages = task.lineages
    is_same = lineages is not None and record.code == lineages.code.digest
    return is_same and record.arguments.keys() == set(task.task.signature.names)


def lineage_of(output: Output, task: ResolvedTask | None) -> Lineage:
    """Return what an output would be made from now, by a call with the recorded arguments.

    Parameters:
        output: the output.
        task: its task as it is now, None if that is not known: then its code is not compared.
    """
    record, records = output.record, output.records
    recorded = tuple(records.find(output.item)) or (record,)
    symbols = {each.code: records.symbols(each.code) for each in recorded if each.code is not None}
    files = {name: str(Path(records.folder, name)) for name in record.files}
    if task is None or task.lineages is None:
        origin = _origin_without_task(output)
        return Lineage(origin, record.arguments, record.defaults, files, recorded, symbols)
    arguments, defaults = _arguments(record, task)
    return Lineage(task.lineages.origin, arguments, defaults, files, recorded, symbols)


def inputs_of(output: Output) -> dict[str, object]:
    """Return the recorded inputs of an output as items, by argument."""
    folder, project = output.records.folder, output.project
    return {
        name: [project.item_of(str(place), folder) for place, _ in places]
        for name, places in output.record.inputs.items()
    }


def _origin_without_task(output: Output) -> Origin:
    options = settings.current().options(output.record.task)
    stale: Mapping[str, str] = {**STALE_BY_DEFAULT, **options.stale}
    code = cast(Any, (None, None, {}))
    return Origin(
        output.records.folder, output.records.store, output.record.task, output.record.function,
        code, stale, options.hash_limit, options.code, {}, options.shared, 0, False, False,
        frozenset(), {},
    )  # fmt: skip


def _arguments(record: Record, task: ResolvedTask) -> tuple[dict[str, Argument], list[str]]:
    """Return the arguments of a call that gives what was given then, and which have defaults."""
    found: dict[str, Argument] = {}
    defaults: list[str] = []
    for name, parameter in task.task.signature.inspected.parameters.items():
        has_default = parameter.default is not parameter.empty
        if name in task.options.ignore:
            continue
        if has_default and (name in record.defaults or name not in record.arguments):
            defaults.append(name)
            found |= recorded_arguments({name: parameter.default}, task.folders)
        elif name in record.arguments:
            found[name] = record.arguments[name]
        elif parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            found[name] = None
    return found, defaults
