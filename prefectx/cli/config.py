"""`prefectx config show | check | schema`: the settings, their sources and their mistakes."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from prefectx import settings
from prefectx.cli.checks import check_files
from prefectx.cli.loading import load_tasks
from prefectx.cli.output import AsJson, as_json, output, print_json, print_problems, print_rows
from prefectx.settings import (
    Options,
    Place,
    Problem,
    Setting,
    Settings,
    StoreDefinition,
    all_keys,
    did_you_mean,
    masked,
    raise_problems,
    readable,
    schema_text,
)
from prefectx.settings import show as written

config = App(name="config", help="Show and check the configuration.")

_FOR_ONE_TASK = tuple(key.dotted for key in all_keys() if key.for_task)


@config.command
def show(
    task: str | None = None,
    /,
    *files: Path,
    changed: Annotated[bool, Parameter(negative="")] = False,
    json: AsJson = False,
) -> None:
    """Show every setting, its source, and the values that it overrides.

    Parameters:
        task: show the settings of this task; by default those of the project.
        files: Python files with the task, to include the keywords of its decorator.
        changed: show only settings that differ from their defaults.
    """
    options = _options(task, files)
    history = {
        key: entries
        for key, entries in options.history.items()
        if _is_shown(key, task) and not (changed and entries[0].source.layer == "default")
    }
    stores = {} if task else settings.current().stores
    if json:
        entries = {key: _entry(key, entries) for key, entries in history.items()}
        made = {f"stores.{name}": _store(store) for name, store in stores.items()}
        print_json(entries | made)
        return
    file = settings.current().file
    output().print(f"Read from {file}" if file else "No configuration file was found.", style="dim")
    print_rows(("key", "value", "from", "outranks"), _rows(history))
    if stores:
        rows = ((name, *map(written, _store(store).values())) for name, store in stores.items())
        output().print()
        print_rows(("store", "class", "arguments"), rows)


def _options(task: str | None, files: Sequence[Path]) -> Options:
    current = settings.current()
    if task is None:
        return current.project
    problems: list[Problem] = []
    found = {known.name: known for known in load_tasks(files, problems)}
    if files and task not in found and not problems:
        message = f"no task has this name{did_you_mean(task, found)}"
        problems.append(Problem(Place(", ".join(map(str, files))), task, message))
    raise_problems(problems)
    return current.options(task, found[task].keywords if task in found else None)


def _is_shown(key: str, task: str | None) -> bool:
    return task is None or any(key == own or key.startswith(f"{own}.") for own in _FOR_ONE_TASK)


def _rows(history: Mapping[str, list[Setting]]) -> Iterator[tuple[str, ...]]:
    for key, (first, *others) in history.items():
        outranked = ", ".join(f"{_written(key, other)} ({_from(other)})" for other in others)
        yield key, _written(key, first), _from(first), outranked


def _written(key: str, setting: Setting) -> str:
    value = readable(key, setting.value)
    return "not set" if value is None else written(masked(value, key))


def _from(setting: Setting) -> str:
    return setting.source.where or setting.source.layer


def _store(store: StoreDefinition) -> dict[str, object]:
    return {"class": store.cls, "arguments": masked(store.arguments)}


def _entry(key: str, entries: list[Setting]) -> dict[str, object]:
    first, *others = [
        {
            "value": masked(entry.value, key),
            "layer": entry.source.layer,
            "where": entry.source.where,
        }
        for entry in entries
    ]
    return {**first, "outranks": others}


@config.command
def check(*files: Path, json: AsJson = False) -> int:
    """Report every mistake in the configuration; the exit code is 2 if there are any.

    Parameters:
        files: Python files with tasks, to check them against the configuration.
    """
    problems: list[Problem] = []
    found = Settings.read(os.environ, Path.cwd(), problems)
    if files:
        problems.extend(check_files(files, found))
    if json:
        print_json([as_json(problem) for problem in problems])
    elif problems:
        print_problems(problems)
    else:
        output().print(f"{found.file or 'The environment'}: no mistakes.", markup=False)
    return 2 if problems else 0


@config.command
def schema() -> None:
    """Print the JSON schema of prefectx.toml, for completion and checks in editors."""
    print(schema_text(), end="")
