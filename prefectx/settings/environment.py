"""The PREFECTX_* variables: `PREFECTX_DASK__WORKERS`, `PREFECTX_TASKS__CLEAN__TARGET`."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, get_args, get_origin

from prefectx.settings.layers import variable_name
from prefectx.settings.model import Configuration, ProjectSection, Section, TaskSection
from prefectx.settings.origins import EnvironmentOrigin, KeyPath, Place
from prefectx.settings.problems import Problem
from prefectx.settings.spelling import nearest

PREFIX = "PREFECTX_"
SWITCH, CONFIG, PROFILE = "PREFECTX", "PREFECTX_CONFIG", "PREFECTX_PROFILE"
"""The mode of the whole run; the configuration file; the profile in it."""

NOT_SETTINGS = (CONFIG, PROFILE, "PREFECTX_SIGNING_KEY")
"""Variables that are read elsewhere: the key for signatures is read by the stores that sign."""

_NOT_FOR_VARIABLES = ("mode", "profile", "profiles", "tasks", "stores")
_TASK = re.compile(rf"(.+?)__((?:{'|'.join(TaskSection.model_fields)})(?:__.+)?)", re.IGNORECASE)


@dataclass
class Variables:
    """What the environment says, nested like the tables of the file, not yet checked."""

    values: dict[str, Any] = field(default_factory=dict, repr=False)
    names: dict[KeyPath, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    @property
    def origin(self) -> EnvironmentOrigin:
        """Where the values were written."""
        return EnvironmentOrigin(self.names)

    def put(self, name: str, path: KeyPath, value: Any) -> None:
        """Set the value of one variable."""
        table: Any = self.values
        for part in path[:-1]:
            table = table.setdefault(part, {})
            if not isinstance(table, dict):  # told when the value of the table is checked
                return
        table[path[-1]] = value
        self.names[path] = name

    def reject(self, name: str, message: str) -> None:
        """Note a mistake in the name of a variable."""
        self.problems.append(Problem(Place(name), "", message))


def read_variables(environ: Mapping[str, str], known: Mapping[str, Any]) -> Variables:
    """Read all variables whose name begins with PREFECTX_; empty ones do not count.

    Parameters:
        environ: the environment.
        known: what the file says; its names in [context] and [stores] may have small letters.
    """
    found = Variables()
    # Longer names later: PREFECTX_DASK='{...}' is a start that PREFECTX_DASK__WORKERS refines.
    for name in sorted(environ, key=lambda name: (len(name), name)):
        if name.startswith(PREFIX) and name not in NOT_SETTINGS and environ[name]:
            _read(found, name, environ[name], known)
    return found


def _read(found: Variables, name: str, text: str, known: Mapping[str, Any]) -> None:
    head, _, rest = name.removeprefix(PREFIX).partition("__")
    if head.lower() == "tasks":
        _read_task(found, name, rest, text, known)
    elif head.lower() == "stores":
        _read_store(found, name, rest, text, known)
    elif head.lower() == "mode":
        found.reject(name, f"there is no such variable; the mode of a run is set by {SWITCH}")
    elif head.lower() in _NOT_FOR_VARIABLES:
        found.reject(name, f"can be set in the configuration file only; {PROFILE} chooses one")
    else:
        _read_key(found, name, (), head + ("__" + rest if rest else ""), text, Configuration, known)


def _read_task(found: Variables, name: str, rest: str, text: str, known: Mapping[str, Any]) -> None:
    if match := _TASK.fullmatch(rest):
        path = ("tasks", match[1].upper())
        return _read_key(found, name, path, match[2], text, TaskSection, known)
    task, mark, key = rest.rpartition("__")
    if not mark:
        return found.reject(name, f"names no key; write {PREFIX}TASKS__CLEAN__TARGET, for example")
    if key.lower() in ProjectSection.model_fields:
        return found.reject(name, f"can be set for all tasks only; write {PREFIX}{key}")
    return found.reject(name, _unknown(name, ("tasks", task)))


def _read_store(
    found: Variables, name: str, rest: str, text: str, known: Mapping[str, Any]
) -> None:
    store, _, argument = rest.partition("__")
    if not (store and argument):
        return found.reject(
            name, f"names no argument; write {PREFIX}STORES__NAME__URL, for example"
        )
    store = _as_known(store, known.get("stores", {}))
    return found.put(name, ("stores", store, argument.lower()), _decoded(text))


def _read_key(
    found: Variables,
    name: str,
    path: KeyPath,
    rest: str,
    text: str,
    model: type[Section],
    known: Mapping[str, Any],
) -> None:
    """Walk through the models along the name of a variable."""
    head, mark, rest = rest.partition("__")
    key = head.lower()
    if key not in model.model_fields or (not path and key in _NOT_FOR_VARIABLES):
        return found.reject(name, _unknown(name, path))
    annotation = model.model_fields[key].annotation
    path = (*path, key)
    if not mark:
        as_json = text.startswith("[") or _is_table(annotation)
        return found.put(name, path, _decoded(text) if as_json else text)
    if inspect.isclass(annotation) and issubclass(annotation, Section):
        return _read_key(found, name, path, rest, text, annotation, known)
    if get_origin(annotation) is dict:
        value = _decoded(text) if get_args(annotation)[1] is Any else text
        return found.put(name, (*path, _free_name(key, rest, known)), value)
    return found.reject(name, f"{key} is not a table; write {name.removesuffix('__' + rest)}")


def _unknown(name: str, path: KeyPath) -> str:
    """Say which variable was probably meant."""
    begin, tails = (
        PREFIX,
        [*(name.removeprefix(PREFIX) for name in NOT_SETTINGS), *_variables(ProjectSection)],
    )
    if path and path[0] == "tasks":
        begin, tails = f"{PREFIX}TASKS__{path[1]}__", list(_variables(TaskSection))
    # Without what they begin with, which would make all of them look alike.
    guess = nearest(name.removeprefix(begin), tails)
    hint = f"did you mean {begin}{guess}?" if guess else "docs/configuration.md lists them"
    return f"unknown variable; {hint}"


def _variables(model: type[Section]) -> Iterator[str]:
    """Yield the keys of a model as the names of variables have them: `DASK__MEMORY`."""
    for key, info in model.model_fields.items():
        if inspect.isclass(info.annotation) and issubclass(info.annotation, Section):
            yield from (f"{key}__{tail}".upper() for tail in _variables(info.annotation))
        elif key != "mode" or model is TaskSection:
            yield key.upper()


def _is_table(annotation: Any) -> bool:
    is_class = inspect.isclass(annotation) and not get_origin(annotation)
    return get_origin(annotation) is dict or (is_class and issubclass(annotation, Section))


def _free_name(table: str, name: str, known: Mapping[str, Any]) -> str:
    return _as_known(name, known.get("context", {})) if table == "context" else name


def _as_known(name: str, known: Mapping[str, Any]) -> str:
    """Return the name in the file that a variable can mean, else small letters."""
    return next((key for key in known if variable_name(key) == name.upper()), name.lower())


def _decoded(text: str) -> Any:
    """Read numbers, true, false, lists and tables as such; anything else is text."""
    try:
        return json.loads(text)
    except ValueError:
        return text
