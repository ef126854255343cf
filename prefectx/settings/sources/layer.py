"""Layers: the checked values of a source, and where each was written."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cached_property
from typing import NamedTuple

from pydantic import BaseModel

from prefectx.settings.messages.origins import CodeOrigin, Origin
from prefectx.settings.messages.positions import KeyPath
from prefectx.settings.model import ProjectSection, Section

Values = Mapping[str, object]

NOWHERE = CodeOrigin("")


class Source(NamedTuple):
    """Where a value was set.

    Attributes:
        layer: one of `LAYERS`.
        where: the file and line, the variable or the decorator; "" for a default.
    """

    layer: str
    where: str = ""


@dataclass(frozen=True)
class Layer:
    """Values as nested tables, and where they were written."""

    name: str
    values: Values = field(repr=False)  # may hold secrets
    origin: Origin = NOWHERE
    path: KeyPath = ()

    def source(self, key: KeyPath) -> Source:
        """Return where the value of `key` was written."""
        return Source(self.name, self.origin.where(self.path + key))

    @cached_property
    def for_tasks(self) -> Layer:
        """The layer without the keys of [dask] that describe the cluster rather than a task."""
        dask = table(self.values, "dask")
        needs = {key: dask[key] for key in dask if key not in ("workers", "resources")}
        if len(needs) == len(dask):
            return self
        return Layer(self.name, {**self.values, "dask": needs}, self.origin, self.path)


@dataclass(frozen=True)
class Layers:
    """Everything that one source sets.

    Attributes:
        everywhere: the values for all tasks.
        tasks: the values for single tasks, by name or pattern.
        stores: the [stores.NAME] tables.
        by_variable: whether `tasks` are named as in environment variables.
    """

    everywhere: Layer = Layer("default", {})
    tasks: Mapping[str, Layer] = field(default_factory=dict)
    stores: Mapping[str, Values] = field(default_factory=dict, repr=False)
    by_variable: bool = False

    def for_all(self, task: str | None) -> Layer:
        """Return the values for all tasks as they apply to one task, or None: to the project."""
        return self.everywhere if task is None else self.everywhere.for_tasks

    def by_pattern(self, task: str) -> Iterator[Layer]:
        """Yield the layers of the patterns that a task's name matches, in their order."""
        name = self._spelt(task)
        for pattern, layer in self._patterns:
            if pattern != name and fnmatchcase(name, pattern):
                yield layer

    def by_name(self, task: str) -> Iterator[Layer]:
        """Yield the layer of a task's exact name, if there is one."""
        name = self._spelt(task)
        if name in self.tasks:
            yield self.tasks[name]

    def _spelt(self, task: str) -> str:
        return variable_name(task) if self.by_variable else task

    @cached_property
    def _patterns(self) -> list[tuple[str, Layer]]:
        return [(name, layer) for name, layer in self.tasks.items() if set(name) & set("*?[")]


NOTHING = Layers()


def of_task(sources: Sequence[Layers], name: str | None) -> Iterator[Layer]:
    """Yield the layers of sources for one task: by patterns, then by its exact name."""
    sources = [source for source in sources if source.tasks] if name is not None else []
    for source in sources:
        yield from source.by_pattern(str(name))
    for source in sources:
        yield from source.by_name(str(name))


def variable_name(name: str) -> str:
    """Write the name of a task or store as environment variables spell it."""
    return re.sub(r"[^A-Za-z0-9_]", "_", name).upper()


def table(values: Values, name: str) -> Values:
    """Return the table `name` in `values`, empty if there is none."""
    found = values.get(name)
    return found if isinstance(found, Mapping) else {}


def tables(values: Values, name: str) -> Mapping[str, Values]:
    """Return the tables in the table `name`, by their names."""
    return {key: found for key, found in table(values, name).items() if isinstance(found, Mapping)}


def given(section: BaseModel) -> dict[str, object]:
    """Return the values that were set in a section, without its defaults, as nested tables."""
    return {name: _plain(getattr(section, name)) for name in section.model_fields_set}


def _plain(value: object) -> object:
    if isinstance(value, Section):
        return given(value)
    if isinstance(value, dict) and all(isinstance(part, Section) for part in value.values()):
        return {name: given(part) for name, part in value.items()}
    return value


# Sources of which the settings for all tasks and those for one are beside each other.
_WHOLE = ("command line", "override")


def layers_of(
    name: str, values: Values, origin: Origin, path: KeyPath = (), *, by_variable: bool = False
) -> Layers:
    """Sort checked values into those for all tasks, those for single tasks, and stores.

    Parameters:
        name: the source's name in `LAYERS`.
        values: checked values of a `Profile`.
        origin: where they were written.
        path: where in the origin they begin.
        by_variable: whether tasks are named as in environment variables.
    """
    for_all = {key: value for key, value in values.items() if key in ProjectSection.model_fields}
    for_task = name if name in _WHOLE else f"{name}, for the task"
    tasks = {
        pattern: Layer(for_task, section, origin, (*path, "tasks", pattern))
        for pattern, section in tables(values, "tasks").items()
    }
    stores = tables(values, "stores")
    return Layers(Layer(name, for_all, origin, path), tasks, stores, by_variable)
