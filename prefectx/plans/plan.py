"""Plan: what a run of a flow would do."""

from __future__ import annotations

import asyncio
import html
import traceback
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from prefectx import settings
from prefectx.calls import REDEFINITIONS, Call, owners_of_run
from prefectx.engines.protocol import FlowDefinition
from prefectx.engines.registry import ENGINES
from prefectx.masking import mask
from prefectx.modes import PLANNING
from prefectx.monitoring.progress import recording
from prefectx.planned_outputs import PLANNED, PlanEndsError, planning
from prefectx.plans.calls import NOT_NEEDED, PlannedCall, PlannedCalls
from prefectx.plans.forecast import Forecast, forecast
from prefectx.records import bytes_store, records_in
from prefectx.settings import Options

_PACKAGE = str(Path(__file__).parents[1])


@dataclass(frozen=True)
class Plan:
    """What a run of a flow would do.

    Attributes:
        flow: the name of the flow.
        calls: its calls, in the order in which the flow makes them.
        ended: why and where the plan ends before the flow does; empty if it is complete.
        edges: which task's outputs another task takes, of the calls that are not finished.
    """

    flow: str
    calls: list[PlannedCall]
    ended: str = ""
    edges: frozenset[tuple[str, str]] = frozenset()
    _options: Options | None = field(default=None, repr=False, compare=False)

    @property
    def complete(self) -> bool:
        """Whether these are all calls of the flow."""
        return not self.ended

    @property
    def would_run(self) -> bool:
        """Whether a run would do anything, or nobody can tell."""
        return not self.complete or any(call.status != "finished" for call in self.calls)

    @property
    def forecast(self) -> Forecast:
        """How long the run would take, from the times in the records."""
        assert self._options is not None
        root = self._options.root
        records = records_in(root, bytes_store(None) if "://" in root else None)
        return forecast(self.calls, records.all(), self._options)

    def counts(self) -> dict[str, Counter[str]]:
        """Return how many calls of each task are finished, would run, or might.

        Of the finished ones also how many are stale, or are lazy and not needed.
        """
        found: dict[str, Counter[str]] = {}
        for call in self.calls:
            counts = found.setdefault(call.task, Counter())
            counts[call.status] += 1
            counts[call.kind] += call.kind != call.status
        return found

    def reasons(self) -> list[str]:
        """Return why calls would run, or why finished ones are stale: a line for each reason."""
        found: dict[tuple[str, str], Counter[str]] = {}
        for call in self.calls:
            if call.reason:
                found.setdefault((call.task, call.kind), Counter()).update(call.reason.split("; "))
        words = {
            "stale": "is kept though stale",
            "run": "would run",
            "maybe": "may run",
            "finished": "is finished",
        }
        lines = []
        for (task, status), reasons in found.items():
            shown = [
                f"{reason} ({count:,} times)" if count > 1 else reason
                for reason, count in reasons.most_common(3)
            ]
            left = len(reasons) - len(shown)
            shown += [f"and {left:,} more reasons"] if left else []
            if status == NOT_NEEDED:
                lines.append(f"{task}: {reasons[NOT_NEEDED]:,} not needed")
            else:
                lines.append(f"{task} {words[status]}: {'; '.join(shown)}")
        return lines

    def mermaid(self) -> str:
        """Return the tasks and their data flow as a Mermaid diagram, with counts."""
        lines = ["flowchart LR"]
        counts = self.counts()
        numbers = {task: number for number, task in enumerate(counts)}
        for task, number in numbers.items():
            kinds = ", ".join(
                f"{counts[task][kind]:,} {kind}"
                for kind in ("finished", "run", "maybe")
                if counts[task][kind]
            )
            lines.append(f'    t{number}["{html.escape(task)}<br>{kinds}"]')
        lines += [
            f"    t{numbers[source]} --> t{numbers[target]}"
            for source, target in sorted(self.edges)
            if source in numbers and target in numbers
        ]
        return "\n".join(lines)

    def to_dict(self) -> dict[str, object]:
        """Return the plan as plain data, for programs."""
        named: dict[str, object] = {
            "flow": self.flow,
            "calls": [call._asdict() for call in self.calls],
            "complete": self.complete,
        }
        return named if self.complete else {**named, "ended": self.ended}

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{html.escape(task)}</td>"
            + "".join(f"<td>{counts[key]:,}</td>" for key in ("finished", "stale", "run", "maybe"))
            + "</tr>"
            for task, counts in self.counts().items()
        )
        head = "".join(f"<th>{name}</th>" for name in ("task", "finished", "stale", "run", "maybe"))
        ended = f"<p>{html.escape(self.ended)}</p>" if self.ended else ""
        return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>{ended}"


def plan(flow: Any, /, *args: object, **kwargs: object) -> Plan:
    """Tell what a run of a flow would do: its own code runs, and no task does; nothing is written.

    A run right after it runs the calls whose status is `run`, and those of status `maybe` whose
    inputs come out different. Where the flow's code looks at data that a call would have to make
    first, the plan ends, and says where.

    Parameters:
        flow: the flow.
        *args: its parameters.
        **kwargs: the same by name.

    Raises:
        TypeError: it is no flow, or the parameters do not fit it.
    """
    return make_plan(flow, args, kwargs)


def make_plan(
    flow: Any,
    args: tuple[object, ...],
    kwargs: Mapping[str, object],
    see: Callable[[Call], None] | None = None,
) -> Plan:
    """Make the plan of a flow; see `plan`.

    Parameters:
        flow: the flow.
        args: its parameters.
        kwargs: the same by name.
        see: is given each call, finished or not; finished ones take longer then.
    """
    if not hasattr(flow, "last_run") or not hasattr(flow, "fn"):
        raise TypeError(f"{flow!r} is no flow: decorate the function with @prefectx.flow")
    if planning():
        raise RuntimeError("a plan is being made: a flow cannot plan itself")
    options = settings.current().project
    calls, ended = PlannedCalls(options.root, see), ""
    with (
        PLANNED.set(calls), settings.override(), REDEFINITIONS.unchanged(), owners_of_run(),
        recording(_Unrecorded(flow.name)), calls,
    ):  # fmt: skip
        try:
            result = ENGINES[PLANNING].run_flow(cast(FlowDefinition, flow), args, dict(kwargs))
            if asyncio.iscoroutine(result):
                asyncio.run(result)
            for item, lazy in calls.lazy.items():
                calls.add(lazy.call.task.name, cast(Any, item), "finished", NOT_NEEDED)
        except PlanEndsError as error:
            ended = f"{_place(error)}: {error}"
        except Exception as error:
            if _place(error) == "":
                raise  # the parameters do not fit: the flow has not begun
            ended = f"{_place(error)}: the flow fails: {type(error).__name__}: {error}"
    return Plan(flow.name, calls.calls, mask(ended), frozenset(calls.edges), options)


class _Unrecorded:
    """Takes the counts of a flow run that is none."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.last_run: Any = None


def _place(error: BaseException) -> str:
    """Return file and line of the user's code that an error comes from, empty if there is none."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if not frame.filename.startswith(_PACKAGE)]
    # The first frame is that of who asked for the plan, if it is not ours.
    return f"{ours[-1].filename}:{ours[-1].lineno}" if ours else ""
