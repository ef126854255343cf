"""`prefectx init`: writes a commented prefectx.toml for a project."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, islice
from pathlib import Path
from textwrap import wrap
from typing import Annotated

from cyclopts import Parameter
from rich.prompt import Prompt

from prefectx.cli.output import errors, output
from prefectx.inspection.source import names_of_tasks, parsed
from prefectx.modes import MODES, get_mode
from prefectx.settings import (
    FILE_NAME,
    Key,
    all_keys,
    dotted,
    outranked,
    schema_text,
    to_toml,
    working_folder,
)

SCHEMA_NAME = ".prefectx.schema.json"
_SKIPPED = frozenset({"tests", "test", "docs", "build", "dist", "venv", "node_modules"})
_RUNNERS = ["inline", "threads", "processes", "dask"]
_MODE_HELP = "function: for tests; cache: without Prefect; prefect.skiptask: on Prefect"


@dataclass(frozen=True)
class Answers:
    """The values to write."""

    mode: str = "prefect.skiptask"
    target: str = "working/{funcname}/{base}"
    runner: str | None = None


def init(
    folder: Path = Path(),
    *,
    yes: Annotated[bool, Parameter(name=["--yes", "-y"], negative="")] = False,
) -> int:
    """Write a commented prefectx.toml for a project.

    An existing file is kept. Questions are asked only in a terminal.

    Parameters:
        folder: the project's folder; by default the working directory.
        yes: take the defaults without asking.
    """
    working_folder()  # an error if it was deleted
    file = folder / FILE_NAME
    if not folder.is_dir():
        errors().print(f"{folder}: folder not found", markup=False)
        return 2
    if file.exists():
        errors().print(f"{file} already exists; nothing was changed", markup=False)
        return 2
    asks = not yes and sys.stdin.isatty() and sys.stdout.isatty()
    text = commented(_ask() if asks else Answers(), find_tasks(folder), find_packages(folder))
    with file.open("x", encoding="utf-8") as stream:
        stream.write(text)
    (folder / SCHEMA_NAME).write_text(schema_text(), encoding="utf-8")
    if (other := outranked(file)) is not None:
        message = f"Warning: {file} counts now; the table [tool.prefectx] of {other} does not"
        errors().print(message, markup=False)
    output().print(f"Wrote {file}. To see all settings: prefectx config show", markup=False)
    return 0


def _ask() -> Answers:
    output().print(_MODE_HELP, style="dim")
    mode = Prompt.ask("Mode", choices=list(MODES), default=Answers.mode)
    target = Prompt.ask("Where outputs are kept", default=Answers.target)
    usual = "threads" if get_mode(mode).is_prefect else "inline"
    runner = Prompt.ask("Runner", choices=_RUNNERS, default=usual)
    return Answers(mode, target, None if runner == usual else runner)


def find_packages(folder: Path) -> list[str]:
    """Return the names of the Python packages in a project's folder and its `src`."""
    inits = [*folder.glob("*/__init__.py"), *folder.glob("src/*/__init__.py")]
    return sorted({path.parent.name for path in inits} - _SKIPPED)


def find_tasks(folder: Path, limit: int = 500) -> list[str]:
    """Return the names of the tasks in the Python files of a folder.

    Parameters:
        folder: the project's folder.
        limit: the largest number of files to read.
    """
    files = (path for path in sorted(folder.rglob("*.py")) if not _is_skipped(path, folder))
    trees = map(parsed, islice(files, limit))
    names = dict.fromkeys(name for tree in trees for name in names_of_tasks(tree))
    return [name for name in names if "*" not in name]


def _is_skipped(path: Path, folder: Path) -> bool:
    parts = path.relative_to(folder).parts
    return any(part.startswith(".") or part in _SKIPPED for part in parts)


def commented(answers: Answers, tasks: Iterable[str] = (), loggers: Sequence[str] = ()) -> str:
    """Return the text of a prefectx.toml with every key; only chosen ones are not commented out.

    Parameters:
        answers: the chosen values.
        tasks: names of tasks to write sections for.
        loggers: names of loggers that are part of a run's log.
    """
    chosen: dict[str, object] = {"mode": answers.mode, "target": answers.target}
    chosen |= {"runner.type": answers.runner} if answers.runner else {}
    chosen |= {"logging.extra_loggers": list(loggers)} if loggers else {}
    lines = [f"#:schema ./{SCHEMA_NAME}", *_BEGINNING]
    for table, group in groupby(all_keys(), key=lambda key: key.table):
        lines += ["", f"[{table}]"] if table else [""]
        lines += (line for key in group for line in _entry(key, chosen))
        lines += _CONTEXT if not table else []
    return "\n".join([*lines, *_task_sections(tasks), *_ENDING]) + "\n"


def _entry(key: Key, chosen: Mapping[str, object]) -> Iterator[str]:
    if key.dotted == "context":
        return
    yield from wrap(key.description, 96, initial_indent="# ", subsequent_indent="# ")
    if key.dotted in chosen:
        yield f"{key.name} = {to_toml(chosen[key.dotted])}"
    else:
        yield f"# {key.name} = {key.example or key.default}"


def _task_sections(tasks: Iterable[str]) -> Iterator[str]:
    yield from ("", "# Settings of single tasks override those above; names may be patterns.")
    for name in list(tasks) or ["load_*"]:
        yield from (
            f"# [{dotted(('tasks', name))}]",
            '# target = "working/{funcname}/{base}.parquet"',
        )


_BEGINNING = [
    "# Settings of prefectx. Lines that are commented out show the default or an example.",
    "# prefectx config show lists all settings and their sources, prefectx config check mistakes.",
]
_CONTEXT = ["", "# Values for the fields of templates.", "[context]", "# year = 2024"]
_ENDING = [
    "",
    "# A store that does not keep files.",
    "# [stores.warehouse]",
    '# class = "prefectx.stores:SqlStore"',
    '# url = "sqlite:///working/outputs.db"',
    "",
    "# Settings that apply if PREFECTX_PROFILE is ci.",
    "# [profiles.ci]",
    '# mode = "function"',
]
