"""How objects become the bytes of files: one `Format` per suffix, found by a file's name."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, BinaryIO

from prefectx.errors import ConfigError
from prefectx.formats.base import Format, FormatError
from prefectx.formats.compression import COMPRESSIONS, compressed
from prefectx.imports import load_object

__all__ = ["Format", "FormatError", "get_format", "known_suffix", "register_format"]

_BUILT_IN = {
    ".bin": "prefectx.formats.plain:BYTES",
    ".csv": "prefectx.formats.delimited:CSV",
    ".feather": "prefectx.formats.frames:FEATHER",
    ".html": "prefectx.formats.plain:HTML",
    ".jpg": "prefectx.formats.pictures:JPG",
    ".json": "prefectx.formats.jsontext:JSON",
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
_registered: dict[str, Format] = {}


def register_format(
    suffix: str,
    *,
    dump: Callable[[Any, BinaryIO], None],
    load: Callable[[BinaryIO], Any],
) -> None:
    """Say how files with a suffix are written and read, from now on in this process.

    A package can do the same for all who install it, by an entry point in the group
    `prefectx.formats` whose name is the suffix and whose object has the functions `dump` and
    `load`.

    Parameters:
        suffix: the end of the file names, such as `.xyz`; a known one is replaced.
        dump: `dump(data, stream)` writes an object to a binary stream; it raises for an object
            that it cannot write.
        load: `load(stream)` reads the object back from a binary stream.

    Raises:
        ConfigError: where `suffix` cannot be a suffix, or is one of the compressions.
    """
    suffix = _normal(suffix)
    if suffix in COMPRESSIONS or "/" in suffix or len(suffix) < 2:
        raise ConfigError(f"{suffix!r} cannot be the suffix of a format: give one such as '.xyz'")
    _registered[suffix] = Format(suffix, dump, load)
    _clear_caches()


def registered_formats() -> dict[str, Format]:
    """Return what `register_format` added in this process, so that it can travel to workers."""
    return dict(_registered)


def adopt_formats(formats: dict[str, Format]) -> None:
    """Add formats that came from another process, unless their suffixes are known here."""
    new = {suffix: found for suffix, found in formats.items() if suffix not in _registered}
    if new:
        _registered.update(new)
        _clear_caches()


@lru_cache(maxsize=256)
def get_format(suffix: str) -> Format:
    """Return the format of a suffix.

    Parameters:
        suffix: such as `.csv`, `.csv.gz` or `parquet`; upper and lower case are the same.

    Returns:
        The format; with a second suffix, compressed.

    Raises:
        ConfigError: where the suffix is not known; the message lists those that are.
        MissingDependencyError: where the library that reads and writes it is not installed.
    """
    suffix = _normal(suffix)
    inner, compression = _split_compression(suffix)
    if compression:
        return compressed(get_format(inner), compression)
    if suffix in _registered:
        return _registered[suffix]
    if suffix in _BUILT_IN:
        found: Format = load_object(_BUILT_IN[suffix])
        return found
    if suffix in _entry_points():
        plugin = _entry_points()[suffix].load()
        return Format(suffix, plugin.dump, plugin.load)
    raise ConfigError(
        f"there is no format for the suffix {suffix!r}. Known: {', '.join(known_suffixes())}, "
        f"each also with {', '.join(COMPRESSIONS)}; others are added by prefectx.register_format"
    )


def known_suffixes() -> list[str]:
    """List the suffixes that have a format, without those of compression."""
    return sorted({*_BUILT_IN, *_registered, *_entry_points()})


@lru_cache(maxsize=4096)
def known_suffix(name: str) -> str:
    """Return the longest known suffix of a file name: `.json.gz` of `a.json.gz`, else "".

    Parameters:
        name: the last part of a path.
    """
    inner, compression = _split_compression(name)
    stem, dot, last = inner.rpartition(".")
    suffix = f".{last}"
    if not (stem and dot and _is_known(suffix.lower())):
        return ""
    return suffix + name[len(inner) :] if compression else suffix


def _split_compression(name: str) -> tuple[str, str]:
    inner, dot, last = name.rpartition(".")
    compression = f".{last.lower()}"
    return (inner, compression) if inner and dot and compression in COMPRESSIONS else (name, "")


def _is_known(suffix: str) -> bool:
    return suffix in _BUILT_IN or suffix in _registered or suffix in _entry_points()


def _normal(suffix: str) -> str:
    return f".{suffix.lstrip('.').lower()}"


@lru_cache(maxsize=1)
def _entry_points() -> dict[str, Any]:
    # Imported only when a suffix is none of ours: it takes longer than all of this module.
    from importlib.metadata import entry_points

    return {_normal(point.name): point for point in entry_points(group="prefectx.formats")}


def _clear_caches() -> None:
    get_format.cache_clear()
    known_suffix.cache_clear()
