"""The configuration: its layers, their order, and the options that they make for each task.

Nothing is read when this is imported. `current()` reads the project's settings when they are
first needed; `override()` puts others in their place for a while.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from prefectx.scope import Scoped
from prefectx.settings.layers import LAYERS, Part, Source, checked, part_of
from prefectx.settings.model import TASK_KEYS, Dask, Keepalive, Logging, Profile, Runner
from prefectx.settings.options import Options, Setting
from prefectx.settings.origins import CodeOrigin
from prefectx.settings.problems import Problem, raise_problems
from prefectx.settings.reading import read_settings
from prefectx.settings.resolution import Settings
from prefectx.settings.stores import StoreDefinition, stores_without_class, unknown_stores
from prefectx.settings.values import BUILTIN_STORES, MODES

__all__ = [
    "BUILTIN_STORES",
    "LAYERS",
    "MODES",
    "TASK_KEYS",
    "Dask",
    "Keepalive",
    "Logging",
    "Options",
    "Runner",
    "Setting",
    "Settings",
    "Source",
    "StoreDefinition",
    "current",
    "override",
    "reset",
    "use",
]

_scope: Scoped[Settings] = Scoped("prefectx settings")
_here = _scope.here.get
_lock = threading.Lock()
_project: Settings | None = None


def current() -> Settings:
    """Return the settings that hold here.

    Returns:
        Those of the innermost `override()` or `use()`, else the project's, which are read once.

    Raises:
        ConfigError: where the configuration is wrong; it lists every mistake.
    """
    # Every call asks: a method of the scope would take as long as all of this.
    return _here() or _scope.everywhere or _project or _read_project()


def _read_project() -> Settings:
    global _project
    with _lock:
        if _project is None:
            _project = read_settings(os.environ, Path.cwd())
        return _project


def override(**values: Any) -> AbstractContextManager[Settings]:
    """Let other values hold inside a `with` block, whatever all other layers say.

    Blocks nest; the inner one wins. Tasks that were decorated before are affected too, and so
    are the threads that are started inside.

    Parameters:
        **values: as in the configuration file, `tasks` and `stores` too; also Python objects:
            `override(mode="cache", root=tmp_path, store=MyStore(), dask={"workers": 1})`.
            Relative paths lie in the working directory.

    Returns:
        A context manager that gives the settings.

    Raises:
        ConfigError: where the values are wrong; it lists every mistake.
    """
    problems: list[Problem] = []
    origin = CodeOrigin("override()")
    checked_values = checked(Profile, values, origin, Path.cwd(), problems)
    raise_problems(problems)
    return _overriding(part_of("override", checked_values, origin))


@contextmanager
def _overriding(part: Part) -> Iterator[Settings]:
    settings = current().overridden(part)
    problems = [*unknown_stores(part, settings.stores)]
    problems.extend(stores_without_class(part, settings.stores))
    raise_problems(problems)
    with _scope.set(settings):
        yield settings


def use(settings: Settings) -> AbstractContextManager[Settings]:
    """Make given settings those that hold inside a `with` block, as a worker does.

    Parameters:
        settings: what `current()` gave, here or in another process.

    Returns:
        A context manager that gives the settings.
    """
    return _scope.set(settings)


def reset() -> None:
    """Forget what was read, so that it is read anew when it is next needed."""
    global _project
    with _lock:
        _project = None
