"""Options: the configuration of one task, merged from its layers by pydantic-settings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import NamedTuple

from pydantic import PrivateAttr
from pydantic.fields import FieldInfo
from pydantic_settings import PydanticBaseSettingsSource

from prefectx.settings.messages.problems import dotted
from prefectx.settings.model import ResolvedOptions, Section
from prefectx.settings.sources.layer import Layer, Source, Values, given


class Setting(NamedTuple):
    """A value that one layer gives to a key.

    Attributes:
        source: the layer and the place in it.
        value: the value.
    """

    source: Source
    value: object

    def __repr__(self) -> str:
        return f"Setting({self.source})"  # the value may be a secret


class Options(ResolvedOptions):
    """The configuration of one task, or of the project. It cannot be changed.

    Its attributes are the keys of the configuration: `mode`, `root`, `target`, `store`,
    `format`, `save`, `refresh`, `shared`, `fsync`, `task_run_name`, `context`, `api_url`,
    `progress` and the tables `runner`, `dask`, `logging` and `keepalive`. Get one from
    `prefectx.settings.current()`, by `.project` or `.options(task)`.
    """

    _layers: tuple[Layer, ...] = PrivateAttr(())
    _sources: Mapping[str, Source] | None = PrivateAttr(None)

    @classmethod
    def resolve(cls, layers: Iterable[Layer]) -> Options:
        """Merge layers.

        Parameters:
            layers: from the weakest to the strongest, with checked values.
        """
        layers = tuple(layers)
        options = cls(_build_sources=(tuple(_Given(layer.values) for layer in layers[::-1]), {}))
        options._layers = layers
        return options

    @property
    def sources(self) -> Mapping[str, Source]:
        """Where the value of each key (`dask.memory`) was set."""
        if self._sources is None:
            self._sources = {key: settings[0].source for key, settings in self.history.items()}
        return MappingProxyType(self._sources)

    @property
    def history(self) -> dict[str, list[Setting]]:
        """All values that each key was given, the one in force first.

        Unpickled options know only the values in force.
        """
        found: dict[tuple[str, ...], list[Setting]] = {}
        for layer in (_DEFAULTS, *self._layers):
            for path, value in _flat(layer.values, empty=layer is _DEFAULTS):
                outranked = [] if layer.name == "default" else found.get(path, [])
                found[path] = [Setting(layer.source(path), value), *outranked]
        tables = {path[:length] for path in found for length in range(1, len(path))}
        paths = sorted((p for p in found if p not in tables), key=lambda path: _ORDER[path[0]])
        return {dotted(path): found[path] for path in paths}

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Options):
            return NotImplemented
        return self.__dict__ == other.__dict__

    def __hash__(self) -> int:
        return hash((self.mode, self.root, self.target))

    def __reduce__(self) -> tuple[object, ...]:
        changed = {key: source for key, source in self.sources.items() if source.where}
        return _restored, (given(self), changed)


class _Given(PydanticBaseSettingsSource):
    """A layer in the form that pydantic-settings merges."""

    def __init__(self, values: Values) -> None:
        super().__init__(Options)
        self.values = values

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[object, str, bool]:
        return self.values.get(field_name), field_name, False

    def __call__(self) -> dict[str, object]:
        return dict(self.values)


def _restored(values: Values, sources: Mapping[str, Source]) -> Options:
    options = Options.resolve([Layer("", values)])
    options._sources = {**dict.fromkeys(options.history, Source("default")), **sources}
    return options


def _flat(
    values: Values, path: tuple[str, ...] = (), *, empty: bool = False
) -> Iterator[tuple[tuple[str, ...], object]]:
    """Yield all values in nested tables with their paths; `empty` tables count if asked for."""
    for key, value in values.items():
        if isinstance(value, Mapping) and (value or not empty):
            yield from _flat(value, (*path, key), empty=empty)
        else:
            yield (*path, key), value


def _all(section: Section) -> dict[str, object]:
    """Return the values of a section, including its defaults, as nested tables."""
    values = {name: getattr(section, name) for name in type(section).model_fields}
    return {
        name: _all(value) if isinstance(value, Section) else value for name, value in values.items()
    }


_DEFAULTS = Layer("default", _all(Options.resolve(())))
_ORDER = {name: number for number, name in enumerate(Options.model_fields)}
