"""`prefectx config show | check | schema`: what is set, why, and whether it is right."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, Parameter

from prefectx import settings
from prefectx.cli.checks import check_files
from prefectx.cli.loading import load_tasks
from prefectx.cli.output import AsJson, as_json, output, print_json, print_problems, print_rows
from prefectx.errors import ConfigError
from prefectx.settings.options import Options, Setting
from prefectx.settings.origins import Place
from prefectx.settings.problems import Problem, raise_problems
from prefectx.settings.reading import read_settings
from prefectx.settings.reference import all_keys, readable, schema_text
from prefectx.settings.secrets import masked
from prefectx.settings.spelling import did_you_mean
from prefectx.settings.spelling import show as written
from prefectx.settings.stores import StoreDefinition

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
    """Show every setting, where it comes from and what it outranks.

    Parameters:
        task: the task to show the settings of; those of the project, if not given.
        files: Python files, to see what the task's decorator says too.
        changed: show only what differs from the defaults.
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


def _store(store: StoreDefinition) -> dict[str, Any]:
    return {"class": store.cls, "arguments": masked(store.arguments)}


def _entry(key: str, entries: list[Setting]) -> dict[str, Any]:
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
    """Report every mistake in the configuration; the exit code is 2 where there is one.

    Parameters:
        files: Python files with tasks, to compare them with the configuration.
    """
    problems: list[Problem] = []
    found = read_settings(os.environ, Path.cwd(), problems)
    if files:
        problems.extend(check_files(files, found))
    if json:
        print_json([as_json(problem) for problem in problems])
    elif problems:
        error = ConfigError(f"{len(problems)} mistakes")
        error.problems = tuple(problems)
        print_problems(error)
    else:
        output().print(f"{found.file or 'The environment'}: nothing is wrong.", markup=False)
    return 2 if problems else 0


@config.command
def schema() -> None:
    """Print the JSON schema of prefectx.toml, by which editors complete and check it."""
    print(schema_text(), end="")
