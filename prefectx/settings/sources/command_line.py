"""The command line: `--config FILE`, `--profile NAME` and `-o KEY=VALUE`."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast, get_origin

from prefectx.settings.messages.origins import EnvironmentOrigin, Place
from prefectx.settings.messages.positions import KeyPath
from prefectx.settings.messages.problems import Problem
from prefectx.settings.messages.spelling import show
from prefectx.settings.model import Profile, Section
from prefectx.settings.sources.checking import annotation_at, checked
from prefectx.settings.sources.finding import Named
from prefectx.settings.sources.layer import Layers, Values, layers_of
from prefectx.settings.sources.text import as_printed, decoded, like

_PART = re.compile(r"""\s*(?:"([^"]*)"|'([^']*)'|([^."']+?))\s*(?:\.|$)""")


@dataclass(frozen=True)
class CommandLine:
    """What a command of prefectx was told about the configuration.

    Attributes:
        config: the configuration file.
        profile: the profiles, with commas between them.
        options: settings, each as "key=value".
        program: the folder of the program that the command runs.
    """

    config: str | None = None
    profile: str | None = None
    options: tuple[str, ...] = ()
    program: Path | None = None

    def named(
        self, value: str | None, option: str, environ: Mapping[str, str], variable: str
    ) -> Named | None:
        """Return a value of an option, else of its variable, else None."""
        if value:
            return Named(value, option)
        return Named(environ[variable], variable) if environ.get(variable) else None


def read_options(
    options: tuple[str, ...], context: Values, folder: Path, problems: list[Problem]
) -> Layers:
    """Read the settings of a command line; the later of two counts.

    Parameters:
        options: each as "key=value", the key as in the file: `tasks."load_*".refresh`.
        context: what the file says of [context], which tells texts from numbers.
        folder: the folder that relative paths are in.
        problems: receives the mistakes.
    """
    values: dict[str, object] = {}
    names: dict[KeyPath, str] = {}
    for option in options:
        key, mark, text = option.partition("=")
        path = _path(key)
        if not mark or not path:
            message = f"{show(option)} is no setting; write -o KEY=VALUE, such as -o refresh=true"
            problems.append(Problem(Place("-o"), "", message))
            continue
        inner = values
        for part in path[:-1]:
            if not isinstance(inner.get(part), dict):
                inner[part] = {}
            inner = cast(dict[str, object], inner[part])
        inner[path[-1]] = _value(path, text, context)
        names[path] = f"-o {key.strip()}"
    origin = EnvironmentOrigin(names)
    return layers_of("command line", checked(Profile, values, origin, folder, problems), origin)


def _path(key: str) -> tuple[str, ...]:
    parts, at = [], 0
    while at < len(key):
        found = _PART.match(key, at)
        if found is None:
            return ()
        parts.append(next(part for part in found.groups() if part is not None))
        at = found.end()
    return tuple(parts)


def _value(path: tuple[str, ...], text: str, context: Values) -> object:
    annotation = annotation_at(Profile, path)
    is_table = get_origin(annotation) is dict or (
        inspect.isclass(annotation) and issubclass(annotation, Section)
    )
    if is_table or (annotation is not None and text.startswith("[")):
        return decoded(text)
    if "context" in path[:-1]:
        return like(context.get(path[-1]), text)
    return as_printed(text) if annotation in (None, object) else text
