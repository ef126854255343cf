"""Settings: reads all sources, and merges them in their order into the options of each task."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path

from prefectx.settings.messages.problems import Problem, dotted, raise_problems
from prefectx.settings.messages.spelling import did_you_mean
from prefectx.settings.options import Options
from prefectx.settings.sources.code import read_keywords
from prefectx.settings.sources.environment import read_environment, read_switch
from prefectx.settings.sources.layer import NOTHING, Layer, Layers, Values, variable_name
from prefectx.settings.sources.profile import read_profile
from prefectx.settings.sources.toml_file import find_file, read_file
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
    "override",
)
"""The layers from the weakest to the strongest; `Settings.layers` yields them in this order."""


@dataclass(frozen=True, eq=False)
class Settings:
    """Everything that is configured. It cannot be changed; an override makes a new one.

    Attributes:
        file: the configuration file, or None.
        folder: the folder that relative paths in the file and in the code are in.
    """

    file: Path | None
    folder: Path
    in_file: Layers = NOTHING
    in_profile: Layers = NOTHING
    in_environment: Layers = NOTHING
    switch: Layer = NOTHING.everywhere
    overrides: tuple[Layers, ...] = ()
    _cache: dict[str, tuple[Values | None, Options]] = field(
        default_factory=dict, init=False, repr=False
    )

    @classmethod
    def read(
        cls, environ: Mapping[str, str], folder: Path, problems: list[Problem] | None = None
    ) -> Settings:
        """Read the settings for a folder.

        Parameters:
            environ: the environment.
            folder: the working directory.
            problems: receives the mistakes instead of an error.

        Returns:
            The settings; with `problems` without the wrong values.

        Raises:
            ConfigError: if there are mistakes and no `problems` were given.
        """
        found: list[Problem] = []
        file = read_file(find_file(environ, folder), found)
        in_file, profiles = file.layers, file.profiles
        in_profile = read_profile(file, profiles, environ, found)
        in_environment = read_environment(environ, in_file, folder, found)
        switch = read_switch(environ, found)
        base = file.path.parent if file.path else folder
        settings = cls(file.path, base, in_file, in_profile, in_environment, switch)

        known = [
            *settings.stores,
            *(name for profile in profiles.values() for name in profile.stores),
        ]
        for source in (in_file, *profiles.values(), in_environment):
            found.extend(unknown_stores((source.everywhere, *source.tasks.values()), known))
        wrong = {problem.key.removesuffix(".class") for problem in found}
        for source in (in_file, in_profile, in_environment):
            without = stores_without_class(source, settings.stores)
            found.extend(problem for problem in without if problem.key not in wrong)

        if problems is None:
            raise_problems(found)
        else:
            problems.extend(found)
        return settings

    def layers(self, task: str | None, keywords: Values | None = None) -> Iterator[Layer]:
        """Yield the layers of a task, or of the project, from the weakest to the strongest.

        Parameters:
            task: the task's name, or None for the project.
            keywords: the keywords of its decorator and of `with_options`.
        """
        yield Layer("default", {"root": str(self.folder)})
        for source in (self.in_file, self.in_profile, self.in_environment):
            yield source.for_all(task)
        if task is not None and keywords:
            yield self._in_code(task, keywords)
        yield from self.in_file.of_task(task)
        yield from self.in_profile.of_task(task)
        yield self.switch
        yield from self.in_environment.of_task(task)
        for override in self.overrides:
            yield override.for_all(task)
            yield from override.of_task(task)

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
        sources = (self.in_file, self.in_profile, self.in_environment, *self.overrides)
        return define_stores(source.stores for source in sources)

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
        """Yield a problem for each [tasks.NAME] that matches none of the tasks' `names`."""
        for source in (self.in_file, self.in_profile, self.in_environment):
            known = [variable_name(name) if source.by_variable else name for name in names]
            for pattern, layer in source.tasks.items():
                if not any(name == pattern or fnmatchcase(name, pattern) for name in known):
                    place = layer.origin.place(layer.path, key=True)
                    message = f"no task has this name{did_you_mean(pattern, known)}"
                    yield Problem(place, dotted(("tasks", pattern)), message)

    def store_problem(self, name: str, message: str) -> Problem:
        """Return a problem with the store [stores.NAME], at its place."""
        sources = (self.in_file, self.in_profile, self.in_environment)
        source = next((source for source in sources if name in source.stores), self.in_file)
        return Problem(store_place(name, source), f"stores.{name}", message)

    def __getstate__(self) -> dict[str, object]:
        state = {key: getattr(self, key) for key in self.__dataclass_fields__}
        return {**state, "_cache": {}}

    def __repr__(self) -> str:
        return f"Settings(file={str(self.file)!r}, mode={self.project.mode!r})"
