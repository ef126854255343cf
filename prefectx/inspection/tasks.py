"""Finds the tasks that records name, and what their calls would be made from now."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from prefectx import settings
from prefectx.calls import ResolvedTask
from prefectx.errors import PrefectxError
from prefectx.inspection.loading import only_importing
from prefectx.records import Record
from prefectx.settings import Problem
from prefectx.tasks.task import Task


class Tasks:
    """The tasks that made outputs; each module is imported once, and nothing of it is called.

    Attributes:
        problems: why modules could not be imported, by module.
    """

    def __init__(self) -> None:
        self._resolved: dict[tuple[str, str], ResolvedTask | None] = {}
        self._modules: dict[str, ModuleType | None] = {}
        self.problems: dict[str, str] = {}

    def of(self, record: Record) -> ResolvedTask | None:
        """Return the task that made an output, as it is now; None if it cannot be found."""
        key = record.function, record.task
        if key not in self._resolved:
            self._resolved[key] = self._resolve(*key)
        return self._resolved[key]

    def find(self, function: str, name: str, file: str | None = None) -> Task[..., Any] | None:
        """Return a task by where its function is defined and by its name.

        Parameters:
            function: `package.module:function`.
            name: the name of the task.
            file: the file of the module, for one that cannot be imported by its name.
        """
        module_name, _, qualified = function.partition(":")
        module = self._module(module_name, file)
        if module is None or "<" in qualified:
            return None
        found: Any = module
        for part in qualified.split("."):
            found = getattr(found, part, None)
        same = [each for each in _tasks_in(module) if each.name == name]
        if isinstance(found, Task) and (found.name == name or not same):
            return found
        inner = getattr(found, "fn", found)
        return next((each for each in same if each.fn is inner), same[0] if same else None)

    def _resolve(self, function: str, name: str) -> ResolvedTask | None:
        task = self.find(function, name)
        if task is None:
            return None
        try:
            with settings.override(mode="cache"):
                return ResolvedTask(task, settings.current())
        except PrefectxError as error:
            self.problems[function] = str(error)
            return None

    def _module(self, name: str, file: str | None = None) -> ModuleType | None:
        if name not in self._modules:
            self._modules[name] = self._import(name, file)
        return self._modules[name]

    def _import(self, name: str, file: str | None) -> ModuleType | None:
        main = sys.modules.get("__main__")
        if main is not None and Path(getattr(main, "__file__", None) or "").stem == name:
            return main
        if name in sys.modules:
            return sys.modules[name]
        if name in ("", "__main__"):
            return None
        problems: list[Problem] = []
        try:
            with _importable(file), only_importing(problems):
                if file is None or importlib.util.find_spec(name) is not None:
                    return importlib.import_module(name)
                spec = importlib.util.spec_from_file_location(name, file)
                assert spec is not None
                assert spec.loader is not None
                module = sys.modules[name] = importlib.util.module_from_spec(spec)
                spec.loader.exec_module(module)
                return module
        except (Exception, SystemExit, BaseException) as error:
            if isinstance(error, KeyboardInterrupt):
                raise
            self.problems[name] = f"cannot be imported: {type(error).__name__}: {error}"
            return sys.modules.get(name)


def _tasks_in(module: ModuleType) -> list[Task[..., Any]]:
    return [value for value in list(vars(module).values()) if isinstance(value, Task)]


@contextlib.contextmanager
def _importable(file: str | None) -> Iterator[None]:
    """Let modules of the project be imported, as a program in its folder does."""
    current = settings.current()
    folders = [str(Path.cwd()), str(current.folder), current.project.root]
    folders += [str(Path(file).parent)] if file else []
    added = [folder for folder in dict.fromkeys(folders) if folder not in sys.path]
    sys.path[:0] = added
    importlib.invalidate_caches()
    try:
        yield
    finally:
        for folder in added:
            sys.path.remove(folder)
