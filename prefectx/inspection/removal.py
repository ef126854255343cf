"""Deletes outputs and their records; finds what was made from them."""

from __future__ import annotations

from collections.abc import Iterable

from prefectx.inspection.output import Output
from prefectx.inspection.project import Project


def with_downstream(project: Project, outputs: Iterable[Output]) -> list[Output]:
    """Return outputs, and all that was made from them, directly or not.

    Parameters:
        project: the project.
        outputs: the outputs.
    """
    consumers = project.consumers()
    waiting = list(outputs)
    found: dict[str, Output] = {}
    while waiting:
        output = waiting.pop()
        if output.item.location not in found:
            found[output.item.location] = output
            waiting += consumers.get(output.record.location, ())
    return sorted(found.values(), key=lambda output: output.location)


def remove(output: Output) -> None:
    """Delete an output and its record.

    Raises:
        StoreError: it cannot be deleted; its record stays.
    """
    output.item.delete()
    output.records.remove(output.record.location, output.record.task)
