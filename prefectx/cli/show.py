"""`prefectx show`: one output, its record, lineage and a preview."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from prefectx.cli.choices import NONE, Choices
from prefectx.cli.output import AsJson, in_bytes, print_json
from prefectx.cli.preview import preview
from prefectx.inspection.output import Output
from prefectx.inspection.project import Project
from prefectx.monitoring.words import in_words


def show(location: str, /, *, json: AsJson = False, choices: Choices = NONE) -> int:
    """Show an output: its record, what it was made from and for, and a preview.

    For example:

    `prefectx show working/report.csv`

    `prefectx show working/report.csv --json`

    Parameters:
        location: the output.
    """
    choices.apply()
    project = Project()
    found = project.named(location)[0]
    users = [each.location for each in project.all() if found.record.location in each.inputs]
    if json:
        print_json({**found.to_dict(), "used_by": users})
        return 0
    run_ = found.records.run(found.record.run)
    facts = {
        "state": found.status,
        "task": f"{found.task} ({found.record.function})",
        "arguments": ", ".join(f"{name}={value}" for name, value in found.arguments.items()),
        "made": f"{found.saved.astimezone():%Y-%m-%d %H:%M:%S}, in {in_words(found.seconds)}",
        "by": ", ".join(
            f"{name} {run_[name]}" for name in ("host", "python", "prefectx") if name in run_
        ),
        "size": in_bytes(found.size),
        "version": found.record.version or "",
        "files": ", ".join(found.record.files),
    }
    print(found.location)
    for name, text in facts.items():
        if text:
            print(f"  {name:10} {text}")
    for each in () if found.stale is None else found.stale.causes:
        print(f"  {'stale':10} {each.text}")
    _print_tree("made from", found, project, lambda each: _sources(each, project))
    _print_tree("used by", found, project, lambda each: _consumers(each, project))
    if found.exists:
        print()
        for line in preview(found.item):
            print(line)
    return 0


_DEEP, _WIDE = 4, 8


def _print_tree(title: str, root: Output, project: Project, children: Any) -> None:
    seen: set[str] = set()

    def lines(each: Output, depth: int) -> Iterator[str]:
        below = list(children(each))
        for child in below[:_WIDE]:
            again = " (see above)" if child.location in seen else ""
            yield f"    {'  ' * depth}{child.location}  ({child.task}){again}"
            if not again and depth < _DEEP:
                seen.add(child.location)
                yield from lines(child, depth + 1)
        if len(below) > _WIDE:
            yield f"    {'  ' * depth}and {len(below) - _WIDE:,} more"

    found = list(lines(root, 0))
    if found:
        print(f"  {title}")
        print("\n".join(found))


def _sources(each: Output, project: Project) -> list[Output]:
    found = []
    for place in each.inputs:
        item = project.item_of(place, each.records.folder)
        found += project.at(item.location)[:1]
    return found


def _consumers(each: Output, project: Project) -> list[Output]:
    return project.consumers().get(each.record.location, [])
