"""Options: the configuration of one task, merged from the layers by pydantic-settings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from pydantic import PrivateAttr
from pydantic.fields import FieldInfo
from pydantic_settings import PydanticBaseSettingsSource

from prefectx.settings.layers import Layer, Source, Values, given
from prefectx.settings.model import ResolvedOptions, Section
from prefectx.settings.problems import dotted


class Setting(NamedTuple):
    """A value that one layer gives to a key.

    Attributes:
        source: the layer and the place there.
        value: the value.
    """

    source: Source
    value: Any

    def __repr__(self) -> str:
        return f"Setting({self.source})"  # the value may be a secret


class Options(ResolvedOptions):
    """The configuration of one task (or of the project), resolved from all layers.

    Its attributes are the keys of the configuration: `mode`, `root`, `target`, `store`,
    `format`, `save`, `refresh`, `shared`, `fsync`, `task_run_name`, `context`, `api_url`,
    `progress` and the tables `runner`, `dask`, `logging` and `keepalive`. It cannot be changed.
    Get one from `prefectx.settings.current()`, by `.project` or `.options(task)`.
    """

    _layers: tuple[Layer, ...] = PrivateAttr(())
    _sources: Mapping[str, Source] | None = PrivateAttr(None)

    @classmethod
    def resolve(cls, layers: Iterable[Layer]) -> Options:
        """Merge layers.

        Parameters:
            layers: from the weakest to the strongest; their values were checked.
        """
        layers = tuple(layers)
        options = cls(_build_sources=(tuple(_Given(layer.values) for layer in layers[::-1]), {}))
        options._layers = layers
        return options

    @property
    def sources(self) -> Mapping[str, Source]:
        """For each key (`dask.memory`) the layer that has set it, and where exactly."""
        if self._sources is None:
            self._sources = {key: settings[0].source for key, settings in self.history.items()}
        return MappingProxyType(self._sources)

    @property
    def history(self) -> dict[str, list[Setting]]:
        """For each key all values that it was given, the one that holds first.

        Options that came from another process know only the values that hold.
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

    def __reduce__(self) -> tuple[Any, ...]:
        changed = {key: source for key, source in self.sources.items() if source.where}
        return _restored, (given(self), changed)


class _Given(PydanticBaseSettingsSource):
    """A layer, as pydantic-settings wants it."""

    def __init__(self, values: Values) -> None:
        super().__init__(Options)
        self.values = values

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        return self.values.get(field_name), field_name, False

    def __call__(self) -> dict[str, Any]:
        return dict(self.values)


def _restored(values: dict[str, Any], sources: dict[str, Source]) -> Options:
    options = Options.resolve([Layer("", values)])
    options._sources = {**dict.fromkeys(options.history, Source("default")), **sources}
    return options


def _flat(
    values: Mapping[str, Any], path: tuple[str, ...] = (), *, empty: bool = False
) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield all values in nested tables; an empty table changes nothing and is left out."""
    for key, value in values.items():
        if isinstance(value, Mapping) and (value or not empty):
            yield from _flat(value, (*path, key), empty=empty)
        else:
            yield (*path, key), value


def _all(section: Section) -> dict[str, Any]:
    """Return a section, its defaults included, as nested dictionaries."""
    return {
        name: _all(value) if isinstance(value, Section) else value
        for name in type(section).model_fields
        for value in (getattr(section, name),)
    }


_DEFAULTS = Layer("default", _all(Options.resolve(())))
_ORDER = {name: number for number, name in enumerate(Options.model_fields)}
