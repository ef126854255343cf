"""Accepts what is stale as current, without a run."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from typing import NamedTuple

from prefectx import settings
from prefectx.errors import PrefectxError
from prefectx.inspection.output import Output
from prefectx.inspection.staleness import inputs_of, lineage_of
from prefectx.records import NOTHING, accept, read_version, state_of


class Acceptance(NamedTuple):
    """What becomes of one stale output.

    Attributes:
        output: the output.
        causes: the kinds of causes that are accepted.
        left: those that are not, as they were not asked for.
    """

    output: Output
    causes: Sequence[str]
    left: Sequence[str]


def acceptance_of(output: Output, causes: Collection[str] = ()) -> Acceptance | None:
    """Return what would be accepted of an output, None if nothing would.

    Parameters:
        output: the output.
        causes: only these kinds of causes; empty: all.
    """
    if output.stale is None:
        return None
    kinds = list(dict.fromkeys(cause.kind for cause in output.stale.causes))
    accepted = [kind for kind in kinds if not causes or kind in causes]
    if not accepted:
        return None
    return Acceptance(output, accepted, [kind for kind in kinds if kind not in accepted])


def accept_all(found: Sequence[Acceptance]) -> str | None:
    """Accept outputs as current.

    Changes of code are written to a file beside the configuration, so that they hold for everybody;
    of everything else a new record is kept.

    Parameters:
        found: what is accepted.

    Returns:
        The file, None if nothing was written to it.
    """
    changes = {change for each in found if "code" in each.causes for change in _changes(each)}
    path = accept(str(settings.current().folder), sorted(changes)) if changes else None
    for each in found:
        _record(each)
    return path


def _changes(each: Acceptance) -> set[tuple[str, str, str]]:
    """Return the changes of symbols: name, fingerprint before, fingerprint after."""
    output = each.output
    task = output.project.tasks.of(output.record)
    if task is None or task.lineages is None or output.stale is None:
        return set()
    code = task.lineages.code
    then = output.records.symbols(output.record.code)
    now = {**code.symbols, "": code.own}
    found = set()
    for cause in output.stale.causes:
        name = cause.subject
        if cause.kind == "code" and (name in then or name in now):
            before, after = then.get(name, NOTHING), now.get(name, NOTHING)
            if before is not None and after is not None:
                found.add((name or output.record.function, before, after))
    return found


def _record(each: Acceptance) -> None:
    output, record = each.output, each.output.record
    task = output.project.tasks.of(record)
    lineage = lineage_of(output, task)
    given = inputs_of(output)
    sources = lineage.sources(given)
    values: dict[str, object] = {}
    if "inputs" in each.causes:
        values["inputs"] = sources.inputs
    if "files" in each.causes:
        values["files"] = sources.files
    if "arguments" in each.causes or "code" in each.causes:
        values |= {"arguments": lineage.arguments, "defaults": lineage.defaults}
    if "code" in each.causes and task is not None and task.lineages is not None:
        task.lineages.keep_code()
        values |= {"code": task.lineages.code.digest, "function": lineage.origin.function}
    if "packages" in each.causes:
        values["packages"] = lineage.origin.versions
    if "edited" in each.causes:
        state = state_of(output.item)
        if state is None:
            raise PrefectxError(f"{output.location} is not there any more")
        values |= {"version": read_version(output.item), "size": state[0], "mtime": state[1]}
    # The newest counts; files are trusted from when it was made.
    made = max(round(time.time(), 3), record.made + 0.001)
    output.records.add(record._replace(**values, made=made))  # type: ignore[arg-type]
