"""Imports Python files to find their tasks."""

from __future__ import annotations

import ast
import importlib.util
import inspect
import sys
import traceback
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from prefectx import settings
from prefectx.settings import Place, Problem
from prefectx.tasks.task import Task

AnyTask = Task[..., Any]


def load_tasks(files: Iterable[Path], problems: list[Problem]) -> list[AnyTask]:
    """Import files and return their tasks.

    Parameters:
        files: paths of Python files.
        problems: receives the reasons why files cannot be imported.
    """
    modules = [_load(file, problems) for file in files]
    found = {id(task): task for module in modules if module for task in _tasks_of(module)}
    return list(found.values())


def _load(file: Path, problems: list[Problem]) -> ModuleType | None:
    if not file.is_file():
        problems.append(Problem(Place(str(file)), "", "file not found"))
        return None
    sys.path.insert(0, str(file.parent.resolve()))
    try:
        # Prefect is not needed to look at tasks without running them.
        with settings.override(mode="cache"):
            return _import(file)
    except (Exception, SystemExit) as error:
        problems.append(_failure(file, error))
        return None
    finally:
        sys.path.remove(str(file.parent.resolve()))


def _import(file: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(file.stem, file)
    if spec is None or spec.loader is None:
        raise ImportError("not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[file.stem] = module
    spec.loader.exec_module(module)
    return module


def _failure(file: Path, error: BaseException) -> Problem:
    frames = traceback.extract_tb(error.__traceback__)
    rows = [frame.lineno for frame in frames if Path(frame.filename).resolve() == file.resolve()]
    row = getattr(error, "lineno", None) or (rows[-1] if rows else 0) or 0
    message = f"cannot be imported: {type(error).__name__}: {error}"
    return Problem(Place.in_file(file, row), "", message)


def _tasks_of(module: ModuleType) -> Iterator[AnyTask]:
    for value in vars(module).values():
        if isinstance(value, Task):
            yield value
        elif inspect.isclass(value) and value.__module__ == module.__name__:
            yield from (part for part in vars(value).values() if isinstance(part, Task))


def names_in_contexts(files: Iterable[Path]) -> set[str]:
    """Return the names that the files set with `context(name=...)`, without running them."""
    return {
        keyword.arg
        for file in files
        if file.is_file()
        for node in ast.walk(_parsed(file))
        if isinstance(node, ast.Call) and _is_context(node.func)
        for keyword in node.keywords
        if keyword.arg
    }


def _parsed(file: Path) -> ast.AST:
    try:
        return ast.parse(file.read_bytes())
    except (SyntaxError, ValueError):
        return ast.Module([], [])  # importing the file reports it


def _is_context(function: ast.expr) -> bool:
    name = getattr(function, "attr", None) or getattr(function, "id", None)
    return name == "context"
