"""Settings: merges the sources in their order into the options of each task."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from functools import cached_property
from itertools import chain
from pathlib import Path

from prefectx.settings.messages.origins import Place
from prefectx.settings.messages.problems import Problem, dotted, raise_problems
from prefectx.settings.messages.spelling import did_you_mean
from prefectx.settings.options import Options
from prefectx.settings.sources.code import read_keywords
from prefectx.settings.sources.layer import (
    NOTHING,
    Layer,
    Layers,
    Source,
    Values,
    of_task,
    variable_name,
)
from prefectx.settings.stores import (
    StoreDefinition,
    define_stores,
    store_place,
    stores_without_class,
    unknown_stores,
)

LAYERS = (
    "default",
    "file",
    "profile",
    "environment",
    "code",
    "file, for the task",
    "profile, for the task",
    "environment, for the task",
    "command line",
    "override",
)
"""The layers from the weakest to the strongest; `Settings.layers` yields them in this order."""


@dataclass(frozen=True, eq=False)
class Settings:
    """Everything that is configured. It cannot be changed; an override makes a new one.

    Attributes:
        file: the configuration file, or None.
        folder: the folder that relative paths in the file and in the code are in.
        in_files: what the files set outside their profiles: those that are extended, then `file`.
        in_profiles: what the profiles in force set in each file, by their names.
        in_environment: what the variables set, except for `switch`.
        switch: the mode of the whole run.
        in_command: what the command line sets.
        warnings: what is no mistake, but may not be meant.
        overrides: what each `override()` sets.
    """

    file: Path | None
    folder: Path
    in_files: tuple[Layers, ...] = ()
    in_profiles: Mapping[str, tuple[Layers, ...]] = field(default_factory=dict)
    in_environment: Layers = NOTHING
    switch: Layer = NOTHING.everywhere
    in_command: Layers = NOTHING
    warnings: tuple[str, ...] = ()
    overrides: tuple[Layers, ...] = ()
    _cache: dict[str, tuple[Values | None, Options]] = field(
        default_factory=dict, init=False, repr=False
    )

    @property
    def description(self) -> str:
        """A line that says which file and profiles are in force."""
        profiles = ", ".join(self.in_profiles)
        if self.file is None:
            return "No configuration file was found"
        file = f"Settings from {Place.in_file(self.file).name}"
        return f"{file}, profile {profiles}" if profiles else file

    @property
    def sources(self) -> Sequence[Layers]:
        """The files, the profiles, the environment and the command line."""
        in_profiles = chain.from_iterable(self.in_profiles.values())
        return (*self.in_files, *in_profiles, self.in_environment, self.in_command)

    def layers(self, task: str | None, keywords: Values | None = None) -> Iterator[Layer]:
        """Yield the layers of a task, or of the project, from the weakest to the strongest.

        Parameters:
            task: the task's name, or None for the project.
            keywords: the keywords of its decorator and of `with_options`.
        """
        yield Layer("default", {"root": str(self.folder)})
        in_profiles = self.in_profiles.values()
        for source in (*self.in_files, *chain.from_iterable(in_profiles), self.in_environment):
            yield source.for_all(task)
        if task is not None and keywords:
            yield self._in_code(task, keywords)
        for sources in (self.in_files, *in_profiles):
            yield from of_task(sources, task)
        yield self.switch
        yield from of_task([self.in_environment], task)
        for source in (self.in_command, *self.overrides):
            yield source.for_all(task)
            yield from of_task([source], task)

    def _in_code(self, task: str, keywords: Values) -> Layer:
        problems: list[Problem] = []
        layer = read_keywords(task, keywords, self.folder, problems)
        problems.extend(unknown_stores([layer], self.stores))
        raise_problems(problems)
        return layer

    @cached_property
    def project(self) -> Options:
        """The values for the project."""
        return Options.resolve(self.layers(None))

    def options(self, name: str, keywords: Values | None = None) -> Options:
        """Return the options of one task.

        Parameters:
            name: the task's name.
            keywords: only the keywords of its decorator and of `with_options`. The result is
                cached for this mapping: do not change it.

        Returns:
            The options, merged from all layers.

        Raises:
            ConfigError: if keywords are wrong; lists every mistake.
        """
        cached = self._cache.get(name)
        if cached is not None and cached[0] is keywords:
            return cached[1]
        options = Options.resolve(self.layers(name, keywords))
        self._cache[name] = (keywords, options)
        return options

    @cached_property
    def stores(self) -> Mapping[str, StoreDefinition]:
        """The stores of the [stores.NAME] tables, by name."""
        return define_stores(source.stores for source in (*self.sources, *self.overrides))

    def overridden(self, override: Layers) -> Settings:
        """Return these settings with one more override.

        Raises:
            ConfigError: if the override's stores are unknown or have no class.
        """
        settings = replace(self, overrides=(*self.overrides, override))
        layers = (override.everywhere, *override.tasks.values())
        problems = list(unknown_stores(layers, settings.stores))
        problems.extend(stores_without_class(override, settings.stores))
        raise_problems(problems)
        return settings

    def sections_without_task(self, names: Sequence[str]) -> Iterator[Problem]:
        """Yield a problem for each [tasks.NAME] that matches none of the tasks' `names`.

        Parameters:
            names: the names; `*` in one stands for what is not known of it.
        """
        for source in self.sources:
            known = [_as_variable(name) if source.by_variable else name for name in names]
            for pattern, layer in source.tasks.items():
                if not any(_fit(name, pattern) for name in known):
                    place = layer.origin.place(layer.path, key=True)
                    message = f"no task has this name{did_you_mean(pattern, known)}"
                    yield Problem(place, dotted(("tasks", pattern)), message)

    @property
    def names_of_tasks(self) -> list[str]:
        """The names and patterns of the [tasks.NAME] tables."""
        return list(dict.fromkeys(name for source in self.sources for name in source.tasks))

    def knows(self, task: str) -> bool:
        """Tell whether a [tasks.NAME] table or a variable is for this task."""
        return any(True for _ in of_task(self.sources, task))

    def store_sources(self, name: str) -> list[Source]:
        """Return where the store [stores.NAME] is defined, the strongest first."""
        found = (source for source in (*self.sources, *self.overrides) if name in source.stores)
        return [source.everywhere.source(("stores", name)) for source in found][::-1]

    def store_problem(self, name: str, message: str) -> Problem:
        """Return a problem with the store [stores.NAME], at its place."""
        sources = (source for source in self.sources if name in source.stores)
        source = next(sources, self.in_environment)
        return Problem(store_place(name, source), f"stores.{name}", message)

    def __getstate__(self) -> dict[str, object]:
        state = {key: getattr(self, key) for key in self.__dataclass_fields__}
        return {**state, "_cache": {}}

    def __repr__(self) -> str:
        return f"Settings(file={str(self.file)!r}, mode={self.project.mode!r})"


def _as_variable(name: str) -> str:
    return "*".join(map(variable_name, name.split("*")))


def _fit(name: str, pattern: str) -> bool:
    """Tell whether a pattern may mean a task; `*` in the name of a task is what is not known."""
    return (
        name == pattern
        or fnmatchcase(name, pattern)
        or ("*" in name and fnmatchcase(pattern, name))
    )
