"""The PREFECTX_* variables: `PREFECTX_DASK__WORKERS`, `PREFECTX_TASKS__CLEAN__TARGET`."""

from __future__ import annotations

import inspect
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple, TypeGuard, get_args, get_origin

from prefectx.settings.messages.origins import EnvironmentOrigin, Place
from prefectx.settings.messages.positions import KeyPath
from prefectx.settings.messages.problems import Problem
from prefectx.settings.messages.spelling import nearest
from prefectx.settings.model import Configuration, Profile, ProjectSection, Section, TaskSection
from prefectx.settings.sources.checking import checked
from prefectx.settings.sources.finding import CONFIG
from prefectx.settings.sources.layer import Layer, Layers, Values, layers_of, variable_name
from prefectx.settings.sources.profile import PROFILE
from prefectx.settings.sources.text import as_printed, decoded, like

PREFIX = "PREFECTX_"
SWITCH = "PREFECTX"
"""The variable that sets the mode of the whole run."""

NOT_SETTINGS = (CONFIG, PROFILE, "PREFECTX_SIGNING_KEY")
"""Variables that are read elsewhere; the stores that sign read the key for signatures."""

_NOT_FOR_VARIABLES = ("mode", "extends", "profile", "profiles", "tasks", "stores")
_TASK = re.compile(rf"(.+?)__((?:{'|'.join(TaskSection.model_fields)})(?:__.+)?)", re.IGNORECASE)


class Known(NamedTuple):
    """The names in the file; a variable cannot say which of their letters are small.

    Attributes:
        context: the values in [context], by name.
        stores: the names of the [stores.NAME] tables.
    """

    context: Values
    stores: Collection[str]


def read_environment(
    environ: Mapping[str, str], known: Known, folder: Path, problems: list[Problem]
) -> Layers:
    """Read all variables whose name begins with PREFECTX_; empty ones do not count.

    Parameters:
        environ: the environment.
        known: the names in the file.
        folder: the folder that relative paths are in.
        problems: receives the mistakes.
    """
    variables = _Variables(known, problems)
    # Longer names later: PREFECTX_DASK__WORKERS refines PREFECTX_DASK='{...}'.
    for name in sorted(environ, key=lambda name: (len(name), name)):
        if name.startswith(PREFIX) and name not in NOT_SETTINGS and environ[name]:
            variables.read(name, environ[name])
    origin = EnvironmentOrigin(variables.names)
    values = checked(Profile, variables.values, origin, folder, problems)
    return layers_of("environment", values, origin, by_variable=True)


def read_switch(environ: Mapping[str, str], problems: list[Problem]) -> Layer:
    """Read PREFECTX, the mode of the whole run."""
    origin = EnvironmentOrigin({("mode",): SWITCH})
    mode = environ.get(SWITCH)
    values = checked(Profile, {"mode": mode} if mode else {}, origin, None, problems)
    return Layer("environment", values, origin)


class _Variables:
    """Collects variables as nested tables.

    Parameters:
        known: the names in the file.
        problems: receives the mistakes in names; values are checked later.

    Attributes:
        values: the nested tables.
        names: the variable that sets the value at each path.
    """

    def __init__(self, known: Known, problems: list[Problem]) -> None:
        self.values: dict[str, object] = {}
        self.names: dict[KeyPath, str] = {}
        self._known = known
        self._problems = problems

    def read(self, name: str, text: str) -> None:
        """Read one variable."""
        head, _, rest = name.removeprefix(PREFIX).partition("__")
        if head.lower() == "tasks":
            self._read_task(name, rest, text)
        elif head.lower() == "stores":
            self._read_store(name, rest, text)
        elif head.lower() == "mode":
            self._reject(name, f"unknown variable; {SWITCH} sets the mode of a run")
        elif head.lower() in _NOT_FOR_VARIABLES:
            message = f"can only be set in the configuration file; {PROFILE} chooses a profile"
            self._reject(name, message)
        else:
            self._read_key(name, (), f"{head}__{rest}" if rest else head, text, Configuration)

    def _read_task(self, name: str, rest: str, text: str) -> None:
        task, mark, key = rest.rpartition("__")
        if match := _TASK.fullmatch(rest):
            self._read_key(name, ("tasks", match[1].upper()), match[2], text, TaskSection)
        elif not mark:
            self._reject(name, f"names no key; write for example {PREFIX}TASKS__CLEAN__TARGET")
        elif key.lower() in ProjectSection.model_fields:
            self._reject(name, f"can only be set for all tasks; write {PREFIX}{key}")
        else:
            self._reject(name, _unknown(name, ("tasks", task)))

    def _read_store(self, name: str, rest: str, text: str) -> None:
        store, _, argument = rest.partition("__")
        if store and argument:
            store = _as_known(store, self._known.stores)
            self._put(name, ("stores", store, argument.lower()), as_printed(text))
        else:
            self._reject(name, f"names no argument; write for example {PREFIX}STORES__NAME__URL")

    def _read_key(
        self, name: str, path: tuple[str, ...], rest: str, text: str, model: type[Section]
    ) -> None:
        """Follow the name of a variable through the models."""
        head, mark, rest = rest.partition("__")
        key = head.lower()
        if key not in model.model_fields or (not path and key in _NOT_FOR_VARIABLES):
            return self._reject(name, _unknown(name, path))
        annotation = model.model_fields[key].annotation
        path = (*path, key)
        section = annotation if _is_section(annotation) else None
        is_dict = get_origin(annotation) is dict
        if not mark:
            as_json = text.startswith("[") or section or is_dict
            return self._put(name, path, decoded(text) if as_json else text)
        if section:
            return self._read_key(name, path, rest, text, section)
        if is_dict:
            known = self._known.context
            inner = _as_known(rest, known) if key == "context" else rest
            has_type = get_args(annotation)[1] is not object
            if has_type:
                value: object = text
            elif key == "context":
                value = like(known.get(inner), text)
            else:
                value = as_printed(text)
            return self._put(name, (*path, inner), value)
        return self._reject(name, f"{key} is not a table; write {name.removesuffix('__' + rest)}")

    def _put(self, name: str, path: tuple[str, ...], value: object) -> None:
        inner = self.values
        for part in path[:-1]:
            found = inner.setdefault(part, {})
            if not isinstance(found, dict):  # checking the value reports it
                return
            inner = found
        inner[path[-1]] = value
        self.names[path] = name

    def _reject(self, name: str, message: str) -> None:
        self._problems.append(Problem(Place(name), "", message))


def _unknown(name: str, path: tuple[str, ...]) -> str:
    """Return a message with the variable that was probably meant."""
    if path and path[0] == "tasks":
        begin, tails = f"{PREFIX}TASKS__{path[1]}__", list(_variables(TaskSection))
    else:
        others = [other.removeprefix(PREFIX) for other in NOT_SETTINGS]
        begin, tails = PREFIX, [*others, *_variables(ProjectSection)]
    # Compared without their common beginning, which would make all of them look alike.
    guess = nearest(name.removeprefix(begin), tails)
    hint = f"did you mean {begin}{guess}?" if guess else "docs/configuration.md lists them"
    return f"unknown variable; {hint}"


def _variables(model: type[Section]) -> Iterator[str]:
    """Yield the keys of a model as variables spell them: `DASK__MEMORY`."""
    for key, info in model.model_fields.items():
        if _is_section(info.annotation):
            yield from (f"{key}__{tail}".upper() for tail in _variables(info.annotation))
        elif key != "mode" or model is TaskSection:
            yield key.upper()


def _is_section(annotation: object) -> TypeGuard[type[Section]]:
    return inspect.isclass(annotation) and issubclass(annotation, Section)


def _as_known(name: str, known: Iterable[str]) -> str:
    """Return the known name that a variable can mean, else the name in small letters."""
    return next((key for key in known if variable_name(key) == name.upper()), name.lower())
