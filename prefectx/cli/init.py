"""`prefectx init`: a commented prefectx.toml for the project at hand."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, islice
from pathlib import Path
from textwrap import wrap
from typing import Annotated, Any

from cyclopts import Parameter
from rich.prompt import Prompt

from prefectx.cli.output import errors, output
from prefectx.settings.files import FILE_NAME
from prefectx.settings.reference import Key, all_keys, schema_text, to_toml
from prefectx.settings.values import MODES

SCHEMA_NAME = ".prefectx.schema.json"
_TASK = re.compile(r"^[ \t]*@(?:\w+\.)?task\b.*?^[ \t]*(?:async )?def (\w+)", re.S | re.M)
_NOT_LOOKED_INTO = frozenset({"tests", "test", "docs", "build", "dist", "venv", "node_modules"})
_MODE_HELP = "function tests, cache works without Prefect, prefect.skiptask works on Prefect"


@dataclass(frozen=True)
class Answers:
    """What the file is to say."""

    mode: str = "prefect.skiptask"
    target: str = "working/{funcname}/{base}"
    runner: str = "threads"


def init(
    folder: Path = Path(),
    *,
    yes: Annotated[bool, Parameter(name=["--yes", "-y"], negative="")] = False,
) -> int:
    """Write a commented prefectx.toml for the project at hand.

    It is never overwritten. Questions are asked only in a terminal.

    Parameters:
        folder: the project's folder; the working directory, if not given.
        yes: ask nothing, take the defaults.
    """
    file = folder / FILE_NAME
    if not folder.is_dir():
        errors().print(f"{folder}: there is no such folder", markup=False)
        return 2
    if file.exists():
        errors().print(f"{file} is there already; nothing was changed", markup=False)
        return 2
    asks = not yes and sys.stdin.isatty() and sys.stdout.isatty()
    text = commented(_ask() if asks else Answers(), find_tasks(folder), find_packages(folder))
    with file.open("x", encoding="utf-8") as stream:
        stream.write(text)
    (folder / SCHEMA_NAME).write_text(schema_text(), encoding="utf-8")
    output().print(f"{file} is written; prefectx config show tells what holds.", markup=False)
    return 0


def _ask() -> Answers:
    output().print(_MODE_HELP, style="dim")
    return Answers(
        mode=Prompt.ask("Mode", choices=list(MODES), default=Answers.mode),
        target=Prompt.ask("Where outputs are kept", default=Answers.target),
        runner=Prompt.ask("Runner", choices=["threads", "processes", "dask"], default="threads"),
    )


def find_packages(folder: Path) -> list[str]:
    """Return the names of the Python packages in a project's folder, or in its `src`."""
    inits = [*folder.glob("*/__init__.py"), *folder.glob("src/*/__init__.py")]
    return sorted({path.parent.name for path in inits} - _NOT_LOOKED_INTO)


def find_tasks(folder: Path, limit: int = 500) -> list[str]:
    """Return the names of the functions that the Python files in a folder decorate as tasks.

    Parameters:
        folder: the project's folder.
        limit: how many files are looked into at most.
    """
    files = (path for path in sorted(folder.rglob("*.py")) if _is_looked_into(path, folder))
    texts = (path.read_text(encoding="utf-8", errors="replace") for path in islice(files, limit))
    return list(dict.fromkeys(name for text in texts for name in _TASK.findall(text)))


def _is_looked_into(path: Path, folder: Path) -> bool:
    parts = path.relative_to(folder).parts
    return not any(part.startswith(".") or part in _NOT_LOOKED_INTO for part in parts)


def commented(answers: Answers, tasks: Iterable[str] = (), loggers: Sequence[str] = ()) -> str:
    """Return the text of a prefectx.toml: every key with its meaning, what is chosen switched on.

    Parameters:
        answers: what is chosen.
        tasks: names of tasks to show sections for.
        loggers: names of loggers that belong to a run's log.
    """
    chosen: dict[str, Any] = {"mode": answers.mode, "target": answers.target}
    chosen |= {"runner.type": answers.runner}
    chosen |= {"logging.extra_loggers": list(loggers)} if loggers else {}
    lines = [f"#:schema ./{SCHEMA_NAME}", *_BEGINNING]
    for table, group in groupby(all_keys(), key=lambda key: key.table):
        lines += ["", f"[{table}]"] if table else [""]
        lines += (line for key in group for line in _entry(key, chosen))
        lines += _CONTEXT if not table else []
    return "\n".join([*lines, *_task_sections(tasks), *_ENDING]) + "\n"


def _entry(key: Key, chosen: Mapping[str, Any]) -> Iterator[str]:
    if key.dotted == "context":
        return
    yield from wrap(key.description, 96, initial_indent="# ", subsequent_indent="# ")
    if key.dotted in chosen:
        yield f"{key.name} = {to_toml(chosen[key.dotted])}"
    else:
        yield f"# {key.name} = {key.example or key.default}"


def _task_sections(tasks: Iterable[str]) -> Iterator[str]:
    yield from ("", "# Settings for one task beat those for all; names may be patterns.")
    for name in list(tasks) or ['"load_*"']:
        yield from (f"# [tasks.{name}]", '# target = "working/{funcname}/{base}.parquet"')


_BEGINNING = [
    "# Settings of prefectx. What is commented out shows the default, or an example.",
    "# prefectx config show tells what holds and why, prefectx config check what is wrong.",
]
_CONTEXT = ["", "# Values for the fields of templates.", "[context]", "# year = 2024"]
_ENDING = [
    "",
    "# A store other than files.",
    "# [stores.warehouse]",
    '# class = "prefectx.stores:SqlStore"',
    '# url = "sqlite:///working/outputs.db"',
    "",
    "# What is different where PREFECTX_PROFILE is ci.",
    "# [profiles.ci]",
    '# mode = "function"',
]
