"""`prefectx status`: the outputs of each task, counted."""

from __future__ import annotations

import statistics
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from prefectx import settings
from prefectx.calls import ResolvedTask
from prefectx.cli.choices import NONE, Choices
from prefectx.cli.output import AsJson, errors, in_bytes, print_json, print_rows
from prefectx.inspection.loading import load_tasks
from prefectx.inspection.project import Project
from prefectx.inspection.unrecorded import count_unrecorded
from prefectx.monitoring.words import in_words
from prefectx.settings import Problem, raise_problems


def status(*files: Path, json: AsJson = False, choices: Choices = NONE) -> int:
    """Show for each task its outputs: how many, how large, finished, stale and why, failed, times.

    For example:

    `prefectx status`

    `prefectx status pipeline.py --json`

    Parameters:
        files: Python files whose tasks are shown, too; outputs without a record are counted of the
            tasks in them and of those that have records.
    """
    choices.apply()
    project = Project()
    resolved = _tasks(files)
    found: dict[str, list[tuple[str, int, float]]] = defaultdict(list)
    causes: dict[str, Counter[str]] = defaultdict(Counter)
    for each in project.all():
        task_now = project.tasks.of(each.record)
        if task_now is not None:
            resolved[each.task] = task_now
        found[each.task].append((each.status, each.size or 0, each.seconds))
        for kind in {cause.kind for cause in each.stale.causes} if each.stale else ():
            causes[each.task][kind] += 1
    failed = Counter(failure.task for failure, _ in project.failures())
    rows: list[dict[str, Any]] = []
    unrecorded = {task: count_unrecorded(each) for task, each in resolved.items()}
    for task in sorted(found.keys() | failed.keys() | {t for t, n in unrecorded.items() if n}):
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
            "unrecorded": unrecorded.get(task, 0),
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
        (
            *("task", "outputs", "size", "finished", "stale", "missing", "failed"),
            *("without record", "took", "median"),
        ),
        (_status_row(row) for row in rows),
    )
    for module, problem in project.tasks.problems.items():
        errors().print(f"{module}: {problem}; whether its code changed is not known.", markup=False)
    return 0


def _tasks(files: Sequence[Path]) -> dict[str, ResolvedTask]:
    """Return the tasks in Python files, by name."""
    problems: list[Problem] = []
    with settings.override(mode="cache"):
        found = {
            task.name: ResolvedTask(task, settings.current())
            for task in load_tasks(files, problems)
        }
    raise_problems(problems)
    return found


def _status_row(row: dict[str, Any]) -> tuple[str, ...]:
    stale = ", ".join(f"{count:,} {kind}" for kind, count in row["stale"].items())
    median = "" if row["median"] is None else in_words(row["median"])
    numbers = (f"{row[key]:,}" for key in ("missing", "failed", "unrecorded"))
    return (
        row["task"], f"{row['outputs']:,}", in_bytes(row["size"]), f"{row['finished']:,}", stale,
        *numbers, in_words(row["seconds"]), median,
    )  # fmt: skip
