"""`prefectx config show | check | schema`: the settings, their sources and their mistakes."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, Parameter

from prefectx import settings
from prefectx.cli.checks import check_files
from prefectx.cli.choices import NONE, Choices
from prefectx.cli.output import (
    AsJson,
    as_json,
    errors,
    output,
    print_for_github,
    print_json,
    print_problems,
    print_rows,
)
from prefectx.inspection.loading import load_tasks
from prefectx.settings import (
    CommandLine,
    Options,
    Place,
    Problem,
    Setting,
    Settings,
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
    name: str | None = None,
    /,
    *files: Path,
    changed: Annotated[bool, Parameter(negative="")] = False,
    json: AsJson = False,
    choices: Choices = NONE,
) -> None:
    """Show every setting, its source, and the values that it overrides.

    Parameters:
        name: a key, a table or a task; by default all settings of the project are shown.
        files: Python files with the task, to include the keywords of its decorator.
        changed: show only settings that differ from their defaults.
    """
    choices.apply()
    current = settings.current()
    options, task, key = _named(name, files)
    history = {
        own: entries
        for own, entries in options.history.items()
        if _is_shown(own, task)
        and _is_in(own, key)
        and not (changed and entries[0].source.layer == "default")
    }
    stores = {} if task else {n: s for n, s in current.stores.items() if _is_in(f"stores.{n}", key)}
    if json:
        entries = {key: _entry(key, entries) for key, entries in history.items()}
        made = {f"stores.{name}": _store(name, current) for name in stores}
        print_json(entries | made)
        return
    output().print(f"{current.description}.", style="dim", markup=False)
    if history:
        print_rows(("key", "value", "from", "outranks"), _rows(history))
    if stores:
        output().print()
        print_rows(("store", "class", "arguments", "from"), _store_rows(stores, current))


def _named(name: str | None, files: Sequence[Path]) -> tuple[Options, str | None, str | None]:
    """Return the options to show, and which task or key was named."""
    current = settings.current()
    if name is None:
        return current.project, None, None
    problems: list[Problem] = []
    if files:
        found = {known.name: known for known in load_tasks(files, problems)}
        if name in found:
            return current.options(name, found[name].keywords), name, None
        if not problems:
            message = f"no task has this name{did_you_mean(name, found)}"
            problems.append(Problem(Place(", ".join(map(str, files))), name, message))
        raise_problems(problems)
    keys = [*current.project.history, *(f"stores.{store}" for store in current.stores)]
    if any(_is_in(key, name) for key in keys):
        return current.project, None, name
    task = name.removeprefix("tasks.")
    if current.knows(task):
        return current.options(task), task, None
    known = [*keys, *{key.partition(".")[0] for key in keys}, *current.names_of_tasks]
    message = f"is neither a key nor a task in the configuration{did_you_mean(name, known)}"
    raise_problems([Problem(Place(name), "", f"{message} (of a task elsewhere, give the file)")])
    raise AssertionError


def _is_in(key: str, name: str | None) -> bool:
    """Tell whether a key is the named one, or in the table of that name."""
    return name is None or key == name or key.startswith(f"{name}.")


def _is_shown(key: str, task: str | None) -> bool:
    return task is None or any(key == own or key.startswith(f"{own}.") for own in _FOR_ONE_TASK)


def _rows(history: Mapping[str, list[Setting]]) -> Iterator[tuple[str, ...]]:
    for key, (first, *others) in history.items():
        outranked = ", ".join(f"{_written(key, other)} ({_from(other)})" for other in others)
        yield key, _written(key, first), _from(first), outranked


def _written(key: str, setting: Setting) -> str:
    value = readable(key, setting.value)
    return "not set" if value is None else written(masked(value, key), limit=None)


def _from(setting: Setting) -> str:
    return setting.source.where or setting.source.layer


def _store_rows(stores: Iterable[str], current: Settings) -> Iterator[tuple[str, ...]]:
    for name in stores:
        store = _store(name, current)
        arguments = written(store["arguments"], limit=None)
        yield name, written(store["class"]), arguments, str(store["where"])


def _store(name: str, current: Settings) -> dict[str, object]:
    store = current.stores[name]
    where = ", ".join(source.where or source.layer for source in current.store_sources(name))
    return {"class": store.cls, "arguments": masked(store.arguments), "where": where}


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
def check(
    *files: Path,
    output_format: Literal["text", "json", "github"] = "text",
    json: AsJson = False,
    choices: Choices = NONE,
) -> int:
    """Report every mistake in the configuration; the exit code is 2 if there are any.

    Parameters:
        files: configuration files to check, by default the one in force; and Python files with
            tasks, to check them against the configuration.
        output_format: json is for programs, github for annotations by GitHub Actions.
    """
    choices.apply()
    modules = [file for file in files if file.suffix != ".toml"]
    named: list[str | None] = [str(file) for file in files if file.suffix == ".toml"]
    problems: list[Problem] = []
    warnings: list[str] = []
    checked: list[str] = []
    for name in named or [choices.config]:
        found = settings.read_settings(
            os.environ,
            settings.working_folder(),
            problems,
            CommandLine(name, choices.profile, choices.option),
        )
        problems.extend(check_files(modules, found))
        warnings.extend(found.warnings)
        checked.append(str(found.file or "The environment"))
    problems = list(dict.fromkeys(problems))  # those in the environment, of several files
    if json or output_format == "json":
        print_json([as_json(problem) for problem in problems])
    elif output_format == "github":
        print_for_github([Problem(Place(""), "", warning) for warning in warnings], "warning")
        print_for_github(problems)
    else:
        for warning in warnings:
            errors().print(f"Warning: {warning}", markup=False)
        print_problems(problems)
        if not problems:
            output().print(f"{', '.join(checked)}: no mistakes.", markup=False)
    return 2 if problems else 0


@config.command
def schema(*, pyproject: Annotated[bool, Parameter(negative="")] = False) -> None:
    """Print the JSON schema of prefectx.toml, for completion and checks in editors.

    Parameters:
        pyproject: print the one of [tool.prefectx] in pyproject.toml.
    """
    print(schema_text(pyproject=pyproject), end="")
