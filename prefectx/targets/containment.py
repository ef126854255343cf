"""Whatever the arguments hold, a filled target stays under the text before the first field."""

from __future__ import annotations

import posixpath
import re

from prefectx.errors import TargetError

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")


def is_normal(path: str) -> bool:
    """Tell whether a path is not empty and in its shortest form."""
    return bool(path) and not (
        "/." in path or "//" in path or "\0" in path or path[0] == "." or path[-1] == "/"
    )


def contained(prefix: str, filled: str, *, is_folder: bool = False) -> str:
    """Return a filled target in its shortest form.

    Parameters:
        prefix: the text of the template before the first field.
        filled: the filled template.
        is_folder: whether the template ends in `/`: its outputs are folders.

    Raises:
        TargetError: if the values lead out of the prefix, or name no file at all.
    """
    if is_normal(filled) and is_normal(f"{prefix}x") and (filled[0] != "/" or prefix[:1] == "/"):
        # Below such a prefix only dots and doubled slashes can lead elsewhere.
        return filled
    scheme, path = _split_scheme(filled)
    prefix_scheme, prefix_path = _split_scheme(prefix)
    if "\0" in path:
        raise TargetError(f"{filled!r} holds a null character")
    path = _normal(path) if path else path
    is_name = path not in ("", ".", "/", "./") and path.endswith("/") == is_folder
    if not is_name or scheme != prefix_scheme:
        raise TargetError(f"{filled!r} is not the name of a {'folder' if is_folder else 'file'}")
    if not _is_under(path, prefix_path):
        raise TargetError(
            f"{filled!r} leads out of {prefix or 'the root'!r}, the part of the template"
            " before the first field"
        )
    return scheme + path


def _is_under(path: str, prefix: str) -> bool:
    if not prefix:
        return not (path.startswith(("/", "../")) or path == "..")
    folder, _, name = prefix.rpartition("/")
    if not folder:
        return path.startswith(prefix) and (bool(name) or path.startswith("/"))
    folder = _normal(folder)
    return path.startswith(f"{folder}/{name}" if folder != "." else name)


def _normal(path: str) -> str:
    ending = "/" if path.endswith(("/", "/.", "/..")) else ""
    normal = posixpath.normpath(path)
    return (normal[1:] if normal.startswith("//") else normal) + ending


def _split_scheme(path: str) -> tuple[str, str]:
    match = _SCHEME.match(path)
    return (match.group(), path[match.end() :]) if match else ("", path)
