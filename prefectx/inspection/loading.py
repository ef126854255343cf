"""Imports Python files to find their tasks; nothing of them runs but what their import does."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

from prefectx import settings
from prefectx.inspection.source import (
    imports_of_its_package,
    names_in_contexts,
    names_of_tasks,
    parsed,
)
from prefectx.settings import Place, Problem
from prefectx.tasks.deferrable import Deferrable
from prefectx.tasks.flow import Flow
from prefectx.tasks.keywords import collecting_mistakes
from prefectx.tasks.task import Task

AnyTask = Task[..., Any]


@dataclass(frozen=True)
class Loaded:
    """What was found in the files.

    Attributes:
        tasks: the tasks, also those of modules of the project that a file imports.
        names: the names of tasks, also of those that only exist while the program runs; `*`
            stands for what is not known of a name.
        fields: the names that the files set with `context(name=...)`.
    """

    tasks: list[AnyTask] = field(default_factory=list)
    names: set[str] = field(default_factory=set)
    fields: set[str] = field(default_factory=set)


@contextmanager
def loaded(files: Sequence[Path], problems: list[Problem]) -> Iterator[Loaded]:
    """Import files; inside the block what is beside them can be imported too.

    Parameters:
        files: paths of Python files.
        problems: receives the reasons why files cannot be imported, and the mistakes of decorators.
    """
    path, known = list(sys.path), set(sys.modules)
    modules: dict[str, ModuleType] = {}
    try:
        for file in files:
            if file.is_file():
                module = _load(file.resolve(), problems)
                modules.update(_of_project(module, {}) if module else {})
            else:
                problems.append(Problem(Place(str(file)), "", "file not found"))
        found = Loaded()
        found.tasks.extend({id(t): t for m in modules.values() for t in _tasks_of(m)}.values())
        found.names.update(task.name for task in found.tasks)
        paths = {*files, *(Path(module.__file__ or "") for module in modules.values())}
        for tree in map(parsed, paths):
            found.names.update(names_of_tasks(tree))
            found.fields.update(names_in_contexts(tree))
        yield found
    finally:
        folders = [Path(entry) for entry in sys.path if entry not in path]
        for name in set(sys.modules) - known:
            origin = getattr(sys.modules[name], "__file__", None)
            if origin and any(folder in Path(origin).parents for folder in folders):
                del sys.modules[name]
        sys.path[:] = path


def load_tasks(files: Sequence[Path], problems: list[Problem]) -> list[AnyTask]:
    """Import files and return their tasks; see `loaded`."""
    with loaded(files, problems) as found:
        return found.tasks


class _CalledError(BaseException):
    """A flow or task was called by an import; no `except Exception` of the file catches it."""


def _refuse(self: Flow[..., Any] | AnyTask, *args: object, **kwargs: object) -> NoReturn:
    kind = "flow" if isinstance(self, Flow) else "task"
    raise _CalledError(
        f"calls the {kind} {self.name!r} when it is imported, which was not done; "
        'move the call below `if __name__ == "__main__":`'
    )


_CALLS: tuple[tuple[type, str], ...] = (
    (Flow, "__call__"),
    *((Task, name) for name in ("__call__", "submit", "map")),
    *((Deferrable, name) for name in ("delay", "apply_async")),
)


@contextmanager
def only_importing(problems: list[Problem]) -> Iterator[None]:
    """Refuse calls of flows and tasks, and collect the mistakes of decorators."""
    kept = [(cls, name, vars(cls)[name]) for cls, name in _CALLS]
    for cls, name, _ in kept:
        setattr(cls, name, _refuse)
    try:
        # Prefect is not needed to look at tasks without running them.
        with settings.override(mode="cache"), collecting_mistakes(problems):
            yield
    finally:
        for cls, name, method in kept:
            setattr(cls, name, method)


def _load(file: Path, problems: list[Problem]) -> ModuleType | None:
    """Import a file; if that fails, return what it has defined until then."""
    name, root = name_and_root(file)
    for folder in (str(Path.cwd()), str(root)):
        if folder not in sys.path:
            sys.path.insert(0, folder)
    module = None
    try:
        with only_importing(problems):
            if package := name.rpartition(".")[0]:
                importlib.import_module(package)
            module = sys.modules.get(name)
            if module is None or Path(module.__file__ or "").resolve() != file:
                spec = importlib.util.spec_from_file_location(name, file)
                if spec is None or spec.loader is None:
                    raise ImportError("not a Python file")
                module = importlib.util.module_from_spec(spec)
                sys.modules.setdefault(name, module)
                spec.loader.exec_module(module)
    except (Exception, SystemExit, _CalledError) as error:
        problems.append(import_failure(file, error))
    return module


def name_and_root(file: Path) -> tuple[str, Path]:
    """Return the full name of a file's module, and the folder from which that is imported."""
    root = file.parent
    while (root / "__init__.py").is_file():
        root = root.parent
    folder = Path.cwd()
    if root == file.parent and folder in root.parents and imports_of_its_package(parsed(file)):
        root = folder  # a package without __init__.py, run as `python -m package.module`
    parts = file.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts), root


def import_failure(file: Path, error: BaseException) -> Problem:
    """Return why a file cannot be imported, with the line of it that the error comes from."""
    frames = traceback.extract_tb(error.__traceback__)
    if isinstance(error, _CalledError):
        caller = frames[-2]  # the last one refuses the call
        place = Place.in_file(Path(caller.filename), caller.lineno or 0)
        return Problem(place, "", str(error))
    rows = [frame.lineno for frame in frames if Path(frame.filename).resolve() == file]
    row = getattr(error, "lineno", None) or (rows[-1] if rows else 0) or 0
    message = f"cannot be imported: {type(error).__name__}: {error}"
    return Problem(Place.in_file(file, row), "", message)


def _of_project(module: ModuleType, found: dict[str, ModuleType]) -> dict[str, ModuleType]:
    """Return a module of a project, and those of the project that it has imported whole."""
    found[module.__name__] = module
    folder = Path(module.__file__ or "").parents
    for other in vars(module).values():
        if isinstance(other, ModuleType) and other.__name__ not in found:
            file = Path(getattr(other, "__file__", None) or "")
            if file.is_file() and "site-packages" not in file.parts and _is_near(file, folder):
                _of_project(other, found)
    return found


def _is_near(file: Path, folders: Sequence[Path]) -> bool:
    """Tell whether a file is in the working directory or in the first of some folders."""
    return bool({Path.cwd(), *folders[:1]} & set(file.resolve().parents))


def _tasks_of(holder: ModuleType | type) -> Iterator[AnyTask]:
    """Yield the tasks in a module or class, and in the classes that are defined there."""
    module = holder.__name__ if isinstance(holder, ModuleType) else holder.__module__
    for value in list(vars(holder).values()):
        inner = value.__func__ if isinstance(value, classmethod | staticmethod) else value
        if isinstance(inner, Task):
            yield inner
        elif inspect.isclass(inner) and inner.__module__ == module and inner is not holder:
            yield from _tasks_of(inner)
