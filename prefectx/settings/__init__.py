"""The configuration: its sources, their order, and the options that they give each task.

Importing this reads nothing: `current()` reads the project's settings when they are first needed.
Other packages import only from here; so it is one file, and long by its list of names.
"""

from __future__ import annotations

import logging
import os
import threading
import uuid
from collections.abc import Sequence
from contextlib import AbstractContextManager, ContextDecorator
from pathlib import Path
from typing import Any

from prefectx.errors import ConfigError
from prefectx.masking import mask, masked
from prefectx.scope import Scoped
from prefectx.settings.messages.origins import Place
from prefectx.settings.messages.problems import Problem, dotted, raise_problems
from prefectx.settings.messages.spelling import did_you_mean, show
from prefectx.settings.model import TASK_KEYS, Dask, Keepalive, Logging, Runner
from prefectx.settings.options import Options, Setting
from prefectx.settings.reading import read_settings
from prefectx.settings.reference import Key, all_keys, readable, schema_text, to_toml
from prefectx.settings.resolution import LAYERS, Settings
from prefectx.settings.sources.code import Keywords, place_of, place_of_caller, read_override
from prefectx.settings.sources.command_line import CommandLine
from prefectx.settings.sources.finding import FILE_NAME, outranked
from prefectx.settings.sources.layer import Layers, Source
from prefectx.settings.stores import StoreDefinition
from prefectx.settings.values import STALE_BY_DEFAULT

__all__ = [
    "FILE_NAME",
    "LAYERS",
    "STALE_BY_DEFAULT",
    "STATE",
    "TASK_KEYS",
    "CommandLine",
    "Dask",
    "Keepalive",
    "Key",
    "Keywords",
    "Logging",
    "Options",
    "Place",
    "Problem",
    "Runner",
    "SentSettings",
    "Setting",
    "Settings",
    "Source",
    "StoreDefinition",
    "all_keys",
    "current",
    "did_you_mean",
    "dotted",
    "mask",
    "masked",
    "outranked",
    "override",
    "place_of",
    "place_of_caller",
    "raise_problems",
    "read_settings",
    "readable",
    "reset",
    "schema_text",
    "show",
    "to_toml",
    "use",
    "use_command_line",
    "working_folder",
]


# What a process has sent: its id, and its settings, None if they are not overridden any more.
SentSettings = tuple[tuple[str, int], Settings | None]


class _Process(Scoped[Settings]):
    """The settings of this process: those set for a block, and the project's.

    Attributes:
        project: the project's settings, or None until they are read.
        command: what the command line says of the configuration.
    """

    def __init__(self) -> None:
        super().__init__("prefectx settings")
        self.project: Settings | None = None
        self.command = CommandLine()
        self._token = uuid.uuid4().hex
        self._has_sent = False
        self._before: tuple[Settings | None] | None = None
        self._lock = threading.Lock()

    def read(self) -> Settings:
        with self._lock:
            if self.project is None:
                self.project = read_settings(os.environ, working_folder(), command=self.command)
                for warning in self.project.warnings:
                    logging.getLogger("prefectx").warning("%s", warning)
            return self.project

    def forget(self) -> None:
        with self._lock:
            self.project = None

    def to_send(self) -> SentSettings | None:
        """Return what a pickled task or flow takes along: the settings, if there is an override.

        If there is none any more, a process that has got one must know that, too.
        """
        settings = self.here.get() or self.everywhere
        overridden = settings if settings is not None and settings.overrides else None
        self._has_sent = self._has_sent or overridden is not None
        return ((self._token, os.getpid()), overridden) if self._has_sent else None

    def unpack(self, sent: SentSettings) -> None:
        """Put in force what a task or flow from another process has taken along."""
        sender, settings = sent
        if sender == (self._token, os.getpid()):
            return
        if self._before is None:
            self._before = (self.everywhere,)
        self.everywhere = settings or self._before[0]

    def clear(self) -> None:
        """Forget the project's settings and the command line."""
        self.command, self._has_sent = CommandLine(), False
        self.forget()


STATE = _Process()


def working_folder() -> Path:
    """Return the working directory.

    Raises:
        ConfigError: if it was deleted.
    """
    try:
        return Path.cwd()
    except FileNotFoundError:
        raise ConfigError(
            "the working directory does not exist any more; change to another folder"
        ) from None


def use_command_line(
    config: str | None = None,
    profile: str | None = None,
    options: Sequence[str] = (),
    program: Path | None = None,
) -> None:
    """Read the project's settings as a command line says, instead of the environment.

    Parameters:
        config: the configuration file, instead of PREFECTX_CONFIG.
        profile: the profiles, with commas between them, instead of PREFECTX_PROFILE.
        options: settings, each as "key=value"; they beat all layers but `override()`.
        program: the folder of the program, where a configuration is looked for, too.
    """
    STATE.command = CommandLine(config, profile, tuple(options), program)
    reset()


def current() -> Settings:
    """Return the settings in force.

    Returns:
        Those of the innermost `override()` or `use()`, else the project's, which are read once.

    Raises:
        ConfigError: if the configuration is wrong; lists every mistake.
    """
    # Tasks and calls look there themselves, as this is on the path of every call.
    return STATE.here.get() or STATE.everywhere or STATE.project or STATE.read()


def override(**values: object) -> AbstractContextManager[Settings]:
    """Set other values inside a `with` block; they beat all other layers.

    Blocks nest, and the inner one wins. They also change tasks that were decorated before, and
    apply to threads started inside.

    Parameters:
        **values: as in the configuration file, including `tasks` and `stores`; also Python
            objects: `override(mode="cache", root=tmp_path, store=MyStore(), dask={"workers": 1})`.
            Relative paths are in the working directory.

    Returns:
        A context manager that returns the settings.

    Raises:
        ConfigError: if values are wrong; lists every mistake.
    """
    problems: list[Problem] = []
    layers = read_override(values, working_folder(), problems)
    raise_problems(problems)
    return _Override(layers)


class _Override(AbstractContextManager[Settings], ContextDecorator):
    """What `override()` returns; also decorates functions."""

    def __init__(self, layers: Layers) -> None:
        self._layers = layers
        self._block: AbstractContextManager[Settings] | None = None

    def __enter__(self) -> Settings:
        if self._block is not None:
            raise RuntimeError(
                "this override() is in force already; write override(...) anew for each `with`"
            )
        block = STATE.change(self._settings)
        settings = block.__enter__()
        self._block = block
        return settings

    def __exit__(self, *error: Any) -> None:
        block, self._block = self._block, None
        if block is not None:
            block.__exit__(*error)

    def _settings(self, around: Settings | None) -> Settings:
        return (around or STATE.project or STATE.read()).overridden(self._layers)

    def _recreate_cm(self) -> _Override:
        return _Override(self._layers)  # calls of a decorated function may be in each other


def use(settings: Settings) -> AbstractContextManager[Settings]:
    """Put given settings in force inside a `with` block, as workers do.

    Parameters:
        settings: a result of `current()`, from this or another process.

    Returns:
        A context manager that returns the settings.
    """
    return STATE.set(settings)


def reset() -> None:
    """Forget the project's settings: they are read again, as after a change of the file."""
    STATE.forget()
