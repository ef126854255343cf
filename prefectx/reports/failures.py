"""Calls that failed, by what they failed of: ten thousand with one cause are told once."""

from __future__ import annotations

import re
import shlex
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from prefectx.inspection.project import Project
from prefectx.masking import mask
from prefectx.monitoring.summary import RunSummary
from prefectx.records import Failure, Records
from prefectx.reports.html_text import shortened

_GROUPS, _EACH = 100, 5
_TRACEBACK, _ARGUMENT, _MESSAGE = 12_000, 400, 2_000
_FRAME = re.compile(r'^  File "[^"]*", line \d+, in .*$', re.MULTILINE)


class FailedCall(NamedTuple):
    """One call that failed.

    Attributes:
        location: where its output would be, empty if the task keeps none.
        arguments: its arguments for people.
        error: the type and the message of the exception.
        made: when, in seconds since 1970; None if unknown.
        host: where, empty if unknown.
        replay: the command that runs it again; empty if its arguments are not kept.
        reason: why they are not kept.
        told: the call in words, `clean(path='a.csv')`, of one that has no record.
    """

    location: str
    arguments: Mapping[str, str]
    error: str
    made: float | None
    host: str
    replay: str
    reason: str
    told: str = ""


@dataclass
class FailureGroup:
    """Calls of one task that failed at one place of its code.

    Attributes:
        task: the name of the task.
        error: the type and the message of the latest exception.
        traceback: that of the latest.
        count: how many there are.
        calls: the latest of them.
    """

    task: str
    error: str
    traceback: str
    count: int = 0
    calls: list[FailedCall] = field(default_factory=list)


class Failures(NamedTuple):
    """What failed.

    Attributes:
        groups: the calls, the largest group first.
        calls: how many calls failed.
        left_out: how many groups are not there, as there are too many.
        found: the failures that are recorded.
        numbers: the number of the group of each of these, None if it is left out.
    """

    groups: Sequence[FailureGroup]
    calls: int
    left_out: int
    found: Sequence[tuple[Failure, Records]]
    numbers: Sequence[int | None]


def failures_of(project: Project, run: RunSummary | None = None) -> Failures:
    """Collect the calls that failed the last time, the latest first in each group.

    Parameters:
        project: the project.
        run: a run that has just ended; its failures without a record count too.
    """
    groups: dict[tuple[str, str, str], FailureGroup] = {}
    keys, seen = [], set()
    unkept: Counter[tuple[str, str]] = Counter()  # calls without an output
    found = project.failures()
    for failure, records in found:
        if failure.failed:
            seen |= {f"{records.folder.rstrip('/')}/{failure.failed}", failure.failed}
        else:
            unkept[failure.task, failure.error] += 1
        key = failure.task, _type_of(failure.error), _place_of(failure.traceback)
        keys.append(key)
        host = str(records.run(failure.run).get("host", ""))
        location = ""
        if failure.failed:
            location = project.shown(project.item_of(failure.failed, records.folder).location)
        call = FailedCall(
            location, _arguments(failure), shortened(failure.error, _MESSAGE), failure.made, host,
            _replay(location, failure), failure.reason,
        )  # fmt: skip
        _add(groups, key, call, failure.traceback)
    for task, target, reason, told in run.failures if run is not None else ():
        error = mask(reason)
        if target in seen or (target is None and unkept[task, reason] > 0):
            unkept[task, reason] -= target is None
            continue
        location = "" if target is None else project.shown(target)
        call = FailedCall(location, {}, shortened(error, _MESSAGE), None, "", "", "", mask(told))
        _add(groups, (task, _type_of(reason), ""), call, "")
    order = sorted(groups, key=lambda key: -groups[key].count)
    number = {key: index for index, key in enumerate(order[:_GROUPS])}
    return Failures(
        [groups[key] for key in order[:_GROUPS]],
        sum(group.count for group in groups.values()),
        max(len(order) - _GROUPS, 0),
        found,
        [number.get(key) for key in keys],
    )


def _add(
    groups: dict[tuple[str, str, str], FailureGroup],
    key: tuple[str, str, str],
    call: FailedCall,
    traceback: str,
) -> None:
    group = groups.get(key)
    if group is None:
        shown = shortened(traceback.rstrip(), _TRACEBACK)
        group = groups[key] = FailureGroup(key[0], call.error, shown)
    group.count += 1
    if len(group.calls) < _EACH:
        group.calls.append(call)


def _type_of(error: str) -> str:
    return error.partition(":")[0].strip()[:200]


def _place_of(traceback: str) -> str:
    """Return the innermost frame of a traceback."""
    frames: Iterable[str] = _FRAME.findall(traceback)
    return ([*frames] or [""])[-1]


def _arguments(failure: Failure) -> dict[str, str]:
    return {name: shortened(value, _ARGUMENT) for name, value in failure.arguments.items()}


def _replay(location: str, failure: Failure) -> str:
    if not failure.kept:
        return ""
    return f"prefectx replay {shlex.quote(location or failure.task)}"
