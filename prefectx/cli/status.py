"""`prefectx status`: the outputs of each task, counted."""

from __future__ import annotations

import statistics
from collections import Counter, defaultdict
from typing import Any

from prefectx.cli.choices import NONE, Choices
from prefectx.cli.output import AsJson, errors, in_bytes, print_json, print_rows
from prefectx.inspection.project import Project
from prefectx.monitoring.words import in_words


def status(*, json: AsJson = False, choices: Choices = NONE) -> int:
    """Show for each task its outputs: how many, how large, finished, stale and why, failed, times.

    For example:

    `prefectx status`

    `prefectx status --json`
    """
    choices.apply()
    project = Project()
    found: dict[str, list[tuple[str, int, float]]] = defaultdict(list)
    causes: dict[str, Counter[str]] = defaultdict(Counter)
    for each in project.all():
        found[each.task].append((each.status, each.size or 0, each.seconds))
        for kind in {cause.kind for cause in each.stale.causes} if each.stale else ():
            causes[each.task][kind] += 1
    failed = Counter(failure.task for failure, _ in project.failures())
    rows: list[dict[str, Any]] = []
    for task in sorted(found.keys() | failed.keys()):
        states = Counter(state for state, _, _ in found[task])
        seconds = [took for _, _, took in found[task]]
        rows.append({
            "task": task,
            "outputs": len(found[task]) - states["missing"],
            "size": sum(size for state, size, _ in found[task] if state != "missing"),
            "finished": states["finished"],
            "stale": dict(causes[task]),
            "missing": states["missing"],
            "failed": failed[task],
            "seconds": round(sum(seconds), 3),
            "median": round(statistics.median(seconds), 4) if seconds else None,
        })  # fmt: skip
    if json:
        print_json(rows)
        return 0
    if not rows:
        errors().print(f"No records are in {project.root}: nothing was made there yet.")
        return 0
    print_rows(
        ("task", "outputs", "size", "finished", "stale", "missing", "failed", "took", "median"),
        (_status_row(row) for row in rows),
    )
    for module, problem in project.tasks.problems.items():
        errors().print(f"{module}: {problem}; whether its code changed is not known.", markup=False)
    return 0


def _status_row(row: dict[str, Any]) -> tuple[str, ...]:
    stale = ", ".join(f"{count:,} {kind}" for kind, count in row["stale"].items())
    median = "" if row["median"] is None else in_words(row["median"])
    numbers = (f"{row[key]:,}" for key in ("missing", "failed"))
    return (
        row["task"], f"{row['outputs']:,}", in_bytes(row["size"]), f"{row['finished']:,}", stale,
        *numbers, in_words(row["seconds"]), median,
    )  # fmt: skip
