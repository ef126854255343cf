"""`prefectx verify`: reads outputs, and compares them with their records."""

from __future__ import annotations

from collections import Counter

from prefectx.cli.choices import NONE, Choices
from prefectx.cli.output import AsJson, output, print_json, print_stream
from prefectx.cli.selecting import found_outputs, in_number
from prefectx.inspection.project import Project
from prefectx.inspection.verification import verify as verified


def verify(task: str | None = None, /, *, json: AsJson = False, choices: Choices = NONE) -> int:
    """Read outputs and compare them with their records; the exit code is 1 if any differs.

    For example:

    `prefectx verify`

    `prefectx verify clean --json`

    Parameters:
        task: a task, a location, or a pattern; by default all.
    """
    choices.apply()
    counts: Counter[str] = Counter()
    wrong: list[dict[str, str]] = []
    for each in found_outputs(Project(), task, ()):
        found = verified(each)
        counts[found.finding] += 1
        if found.finding in ("missing", "edited", "damaged"):
            wrong.append({
                "location": each.location, "task": each.task,
                "finding": found.finding, "reason": found.reason,
            })  # fmt: skip
    if json:
        print_json({"counts": dict(counts), "wrong": wrong})
    else:
        print_stream(
            ("location", "task", "finding", "reason"), (tuple(each.values()) for each in wrong)
        )
        said = ", ".join(f"{count:,} {finding}" for finding, count in counts.most_common())
        output().print(f"{in_number(counts.total())}: {said or 'none'}.")
    return int(bool(wrong))
