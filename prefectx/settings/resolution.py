"""Settings: all layers in their order, and the options that they make for each task."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from prefectx.settings.layers import EMPTY, NOTHING, Layer, Part, checked
from prefectx.settings.model import TaskSection
from prefectx.settings.options import Options
from prefectx.settings.origins import CodeOrigin
from prefectx.settings.problems import Problem, raise_problems
from prefectx.settings.stores import StoreDefinition, define_stores, unknown_store

_Cached = tuple[Mapping[str, Any] | None, Options]


@dataclass(frozen=True, eq=False)
class Settings:
    """All that is configured. It cannot be changed; each override makes a new one.

    Attributes:
        file: the configuration file that was read, or None.
        folder: the folder that relative paths in the file and in the code lie in.
    """

    file: Path | None
    folder: Path
    in_file: Part = NOTHING
    in_profile: Part = NOTHING
    in_environment: Part = NOTHING
    switch: Layer = EMPTY
    overrides: tuple[Part, ...] = ()
    _cache: dict[str, _Cached] = field(default_factory=dict, init=False, repr=False)

    @cached_property
    def project(self) -> Options:
        """The project-wide values."""
        return Options.resolve(self._layers(None, None))

    @cached_property
    def stores(self) -> Mapping[str, StoreDefinition]:
        """The stores of the [stores.NAME] tables, by name."""
        parts = (self.in_file, self.in_profile, self.in_environment, *self.overrides)
        return define_stores(part.stores for part in parts)

    def options(self, name: str, keywords: Mapping[str, Any] | None = None) -> Options:
        """Return the options of one task.

        Parameters:
            name: the task's name.
            keywords: what was given to its decorator and to `with_options`, only that. The
                result is kept as long as the same mapping is passed: do not change it.

        Returns:
            The options, merged from all layers.

        Raises:
            ConfigError: where the keywords are wrong; it names all that are.
        """
        cached = self._cache.get(name)
        if cached is not None and cached[0] is keywords:
            return cached[1]
        options = Options.resolve(self._layers(name, keywords))
        self._cache[name] = (keywords, options)
        return options

    def overridden(self, part: Part) -> Settings:
        """Return these settings with one more override."""
        return replace(self, overrides=(*self.overrides, part))

    def _layers(self, name: str | None, keywords: Mapping[str, Any] | None) -> Iterator[Layer]:
        """Yield what counts for a task (None: for the project), from weakest to strongest."""
        yield Layer("default", {"root": str(self.folder)})
        for part in (self.in_file, self.in_profile, self.in_environment):
            yield _everywhere(part, name)
        if keywords:
            yield self._in_code(str(name), keywords)
        yield from self.in_file.of_task(name)
        yield from self.in_profile.of_task(name)
        yield self.switch
        yield from self.in_environment.of_task(name)
        for part in self.overrides:
            yield _everywhere(part, name)
            yield from part.of_task(name)

    def _in_code(self, name: str, keywords: Mapping[str, Any]) -> Layer:
        problems: list[Problem] = []
        origin = CodeOrigin(f"@task {name}")
        values = checked(TaskSection, keywords, origin, self.folder, problems)
        layer = Layer("code", values, origin)
        problems.extend(unknown_store(layer, self.stores))
        raise_problems(problems)
        return layer

    def __getstate__(self) -> dict[str, Any]:
        state = {key: getattr(self, key) for key in self.__dataclass_fields__}
        return {**state, "_cache": {}}

    def __repr__(self) -> str:
        return f"Settings(file={str(self.file)!r}, mode={self.project.mode!r})"


def _everywhere(part: Part, task: str | None) -> Layer:
    return part.everywhere if task is None else part.everywhere.for_tasks
