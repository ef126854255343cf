"""Which suffix means which format: built in, registered, or of an installed package."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING

from prefectx.errors import ConfigError
from prefectx.formats.base import Dump, Format, Load
from prefectx.formats.compression import COMPRESSIONS, compressed
from prefectx.imports import load_object

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

_DEFAULT = ".pkl"
_BUILT_IN = {
    ".bin": "prefectx.formats.plain:BYTES",
    ".csv": "prefectx.formats.delimited:CSV",
    ".feather": "prefectx.formats.frames:FEATHER",
    ".html": "prefectx.formats.plain:HTML",
    ".jpg": "prefectx.formats.pictures:JPG",
    ".json": "prefectx.formats.json_text:JSON",
    ".md": "prefectx.formats.plain:MARKDOWN",
    ".npy": "prefectx.formats.arrays:NPY",
    ".npz": "prefectx.formats.arrays:NPZ",
    ".parquet": "prefectx.formats.frames:PARQUET",
    ".pdf": "prefectx.formats.pictures:PDF",
    ".pkl": "prefectx.formats.pickling:PICKLE",
    ".png": "prefectx.formats.pictures:PNG",
    ".svg": "prefectx.formats.pictures:SVG",
    ".tsv": "prefectx.formats.delimited:TSV",
    ".txt": "prefectx.formats.plain:TEXT",
}


class FormatRegistry:
    """The formats that this process knows. There is one, `FORMATS`.

    `get`, `of_ending` and `known_suffix` are cached: a repeated call runs no Python code.
    """

    def __init__(self) -> None:
        self._registered: dict[str, Format] = {}
        self._plugins: dict[str, EntryPoint] | None = None
        self.get = lru_cache(maxsize=256)(self._get)
        self.of_ending = lru_cache(maxsize=1024)(self._of_ending)
        self.known_suffix = lru_cache(maxsize=4096)(self._known_suffix)

    def reset(self) -> None:
        """Forget what was registered and cached."""
        self._registered.clear()
        self._plugins = None
        self._clear_caches()

    def register(self, suffix: str, *, dump: Dump, load: Load) -> None:
        """Set how files with a suffix are written and read, from now on in this process.

        A package does the same for all who install it with an entry point in the group
        `prefectx.formats`: its name is the suffix, its object has the functions `dump` and
        `load`.

        Parameters:
            suffix: the end of the file names, such as `.xyz`; a known one is replaced.
            dump: `dump(data, stream)` writes an object to a binary stream; it raises an error
                for an object that it cannot write.
            load: `load(stream)` reads the object from a binary stream.

        Raises:
            ConfigError: `suffix` cannot be a suffix, or is a compression.
        """
        suffix = _normal(suffix)
        if suffix in COMPRESSIONS or "/" in suffix or len(suffix) < 2:
            raise ConfigError(f"{suffix!r} cannot be the suffix of a format: use one like '.xyz'")
        self._registered[suffix] = Format(suffix, dump, load)
        self._clear_caches()

    def registered(self) -> dict[str, Format]:
        """Return what was registered in this process, to send it to another one."""
        return dict(self._registered)

    def adopt(self, formats: Mapping[str, Format]) -> None:
        """Add formats from another process, except suffixes that were registered here."""
        new = {suffix: found for suffix, found in formats.items() if suffix not in self._registered}
        if new:
            self._registered.update(new)
            self._clear_caches()

    def _get(self, suffix: str) -> Format:
        """Return the format of a suffix.

        Parameters:
            suffix: such as `.csv`, `.csv.gz` or `parquet`; case does not matter.

        Returns:
            The format; with a second suffix, compressed.

        Raises:
            ConfigError: the suffix is unknown; the message lists those that are known.
            MissingDependencyError: the library that reads and writes it is not installed.
        """
        suffix = _normal(suffix)
        inner, compression = _split_compression(suffix)
        if compression:
            return compressed(self.get(inner), compression)
        if suffix in self._registered:
            return self._registered[suffix]
        if suffix in _BUILT_IN:
            found = load_object(_BUILT_IN[suffix])
            assert isinstance(found, Format)
            return found
        plugins = self._find_plugins()
        if suffix in plugins:
            plugin = plugins[suffix].load()
            return Format(suffix, plugin.dump, plugin.load)
        known = ", ".join(sorted({*_BUILT_IN, *self._registered, *plugins}))
        raise ConfigError(
            f"there is no format for the suffix {suffix!r}. Known: {known}, each also with "
            f"{', '.join(COMPRESSIONS)}; prefectx.register_format adds others"
        )

    def _of_ending(self, ending: str) -> Format | None:
        """Return the format of a file name by what follows its last dot, "" if there is no dot.

        Returns:
            The format, pickle if the ending is unknown; None for a compression, as the part
            before it is needed too.
        """
        suffix = f".{ending.lower()}"
        if suffix in COMPRESSIONS:
            return None
        return self.get(suffix if ending and self._is_known(suffix) else _DEFAULT)

    def of_name(self, name: str) -> Format:
        """Return the format of a file name, pickle if it has no known suffix."""
        return self.get(self.known_suffix(name) or _DEFAULT)

    def _known_suffix(self, name: str) -> str:
        """Return the longest known suffix of a file name: `.json.gz` of `a.json.gz`, else "".

        Parameters:
            name: the last part of a path.
        """
        inner, compression = _split_compression(name)
        stem, dot, last = inner.rpartition(".")
        suffix = f".{last}"
        if not (stem and dot and self._is_known(suffix.lower())):
            return ""
        return suffix + name[len(inner) :] if compression else suffix

    def _is_known(self, suffix: str) -> bool:
        return suffix in _BUILT_IN or suffix in self._registered or suffix in self._find_plugins()

    def _find_plugins(self) -> dict[str, EntryPoint]:
        if self._plugins is None:
            # Imported only for suffixes that are not ours: it takes longer than this module.
            from importlib.metadata import entry_points

            points = entry_points(group="prefectx.formats")
            self._plugins = {_normal(point.name): point for point in points}
        return self._plugins

    def _clear_caches(self) -> None:
        self.get.cache_clear()
        self.of_ending.cache_clear()
        self.known_suffix.cache_clear()


def _split_compression(name: str) -> tuple[str, str]:
    inner, dot, last = name.rpartition(".")
    compression = f".{last.lower()}"
    return (inner, compression) if inner and dot and compression in COMPRESSIONS else (name, "")


def _normal(suffix: str) -> str:
    return f".{suffix.lstrip('.').lower()}"


FORMATS = FormatRegistry()
