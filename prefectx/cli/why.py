"""`prefectx why`: why an output was made, is kept, or would be made anew."""

from __future__ import annotations

from collections import Counter
from itertools import islice

from prefectx.cli.choices import NONE, Choices
from prefectx.cli.output import AsJson, print_diff, print_json
from prefectx.inspection.output import Output
from prefectx.inspection.project import Project
from prefectx.inspection.reasons import explain

_SHOWN = 3


def why(location: str, /, *, json: AsJson = False, choices: Choices = NONE) -> int:
    """Tell why an output was made, is kept, or would be made anew, with what differs.

    For example:

    `prefectx why working/report.csv`

    `prefectx why clean`

    Parameters:
        location: an output, or a task: then its stale outputs are told together.
    """
    choices.apply()
    project = Project()
    found = project.named(location)
    if json:
        print_json([explain(each).to_dict() for each in found])
    elif len(found) == 1:
        for line in explain(found[0]).lines():
            print_diff(line)
    else:
        _tell_together(location, found)
    return 0


def _tell_together(name: str, found: list[Output]) -> None:
    states = Counter(each.status for each in found)
    counts = ", ".join(f"{count:,} {state}" for state, count in states.most_common())
    print_diff(f"{name}: {len(found):,} outputs, {counts}")
    groups: dict[tuple[str, ...], list[Output]] = {}
    for each in found:
        if each.stale is not None:
            key = tuple(cause.text for cause in each.stale.causes)
            groups.setdefault(key, []).append(each)
    for outputs in islice(sorted(groups.values(), key=len, reverse=True), _SHOWN):
        print_diff(f"{len(outputs):,} of them, such as {outputs[0].location}:")
        for line in islice(explain(outputs[0]).lines(), 2, None):
            print_diff(line)
    left = len(groups) - _SHOWN
    if left > 0:
        print_diff(f"and {left:,} more reasons: prefectx ls {name} --stale")
