"""What one file, profile, environment or override says, checked and ready to be merged."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import BaseModel, ValidationError

from prefectx.settings.model import Profile, Section
from prefectx.settings.origins import CodeOrigin, KeyPath, Origin
from prefectx.settings.problems import Problem, problems_of

LAYERS = (
    "default",
    "file",
    "profile",
    "environment",
    "code",
    "file, for the task",
    "profile, for the task",
    "environment, for the task",
    "override",
)
"""The layers, from weakest to strongest."""

NOWHERE = CodeOrigin("")

Values = Mapping[str, Any]


class Source(NamedTuple):
    """Which layer has set a value, and where exactly.

    Attributes:
        layer: one of `LAYERS`.
        where: the file and line, the variable, the decorator; "" for a default.
    """

    layer: str
    where: str = ""


@dataclass(frozen=True)
class Layer:
    """Some values, nested like the tables that they come from, and where they were written."""

    name: str
    values: Values = field(repr=False)  # there may be secrets among them
    origin: Origin = NOWHERE
    path: KeyPath = ()

    def source(self, key: KeyPath) -> Source:
        """Tell where the value of `key` was written."""
        return Source(self.name, self.origin.where(self.path + key))

    @cached_property
    def for_tasks(self) -> Layer:
        """What of a layer for all tasks is a task's own: the cluster's size is not."""
        dask = self.values.get("dask", {})
        needs = {key: dask[key] for key in dask if key not in ("workers", "resources")}
        if len(needs) == len(dask):
            return self
        return Layer(self.name, {**self.values, "dask": needs}, self.origin, self.path)


@dataclass(frozen=True)
class Part:
    """Everything that one file, profile, environment or override says."""

    everywhere: Layer
    tasks: Mapping[str, Layer] = field(default_factory=dict)
    stores: Mapping[str, Values] = field(default_factory=dict, repr=False)
    by_variable: bool = False

    def of_task(self, name: str | None) -> Iterator[Layer]:
        """Yield what is said of one task: by patterns, then by its exact name."""
        if name is None or not self.tasks:
            return
        if self.by_variable:
            name = variable_name(name)
        for pattern, layer in self._patterns:
            if pattern != name and fnmatchcase(name, pattern):
                yield layer
        if name in self.tasks:
            yield self.tasks[name]

    @cached_property
    def _patterns(self) -> list[tuple[str, Layer]]:
        return [(name, layer) for name, layer in self.tasks.items() if set(name) & set("*?[")]


EMPTY = Layer("default", {})
NOTHING = Part(EMPTY)


def variable_name(name: str) -> str:
    """Write a task's or store's name as the names of environment variables have it."""
    return re.sub(r"[^A-Za-z0-9_]", "_", name).upper()


def given(section: BaseModel) -> dict[str, Any]:
    """Return what was given of a section, without its defaults, as nested dictionaries."""
    return {
        name: given(value) if isinstance(value, Section) else value
        for name in section.model_fields_set
        for value in (getattr(section, name),)
    }


def checked(
    model: type[Section],
    values: Values,
    origin: Origin,
    folder: Path | None,
    problems: list[Problem],
    prefix: KeyPath = (),
) -> dict[str, Any]:
    """Check values against a model.

    Parameters:
        model: what the values should be.
        values: nested dictionaries.
        origin: where they were written.
        folder: where relative paths among them lie.
        problems: receives the mistakes.
        prefix: where in the origin the values begin.

    Returns:
        The values as the program keeps them; what was wrong is left out.
    """
    try:
        return given(model.model_validate(values, context={"folder": folder}))
    except ValidationError as error:
        problems.extend(problems_of(error, model, origin, prefix))
        wrong = [detail["loc"] for detail in error.errors(include_url=False)]
    # What is right is checked further, so that all mistakes are reported together.
    right = functools.reduce(_without, wrong, values)
    return checked(model, right, origin, folder, [], prefix) if right != values else {}


def _without(values: Any, path: Sequence[int | str]) -> Any:
    """Return nested dictionaries without what is at `path`, or with what of it there is."""
    name, *below = path or (None,)
    if not isinstance(values, Mapping) or name not in values:
        return values
    rest = {key: value for key, value in values.items() if key != name}
    inner = values[name]
    if below and isinstance(inner, Mapping) and below[0] in inner:
        rest[name] = _without(inner, below)
    return rest


def part_of(name: str, values: Values, origin: Origin, path: KeyPath = ()) -> Part:
    """Sort checked values of a `Profile` into what is for all tasks, for one, and stores."""
    own = {key: value for key, value in values.items() if key in _PROJECT_KEYS}
    for_task = name if name == "override" else f"{name}, for the task"
    tasks = {
        pattern: Layer(for_task, given(section), origin, (*path, "tasks", pattern))
        for pattern, section in values.get("tasks", {}).items()
    }
    stores = {name: given(section) for name, section in values.get("stores", {}).items()}
    return Part(Layer(name, own, origin, path), tasks, stores)


_PROJECT_KEYS = frozenset(Profile.model_fields) - {"tasks", "stores"}
