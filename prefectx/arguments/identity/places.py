"""Paths and URLs relative to the root, so that a moved checkout changes no fingerprint.

With os.path, as pathlib takes several times as long.
"""

from __future__ import annotations

import os

Folders = tuple[str, ...]
"""The root and the project's folder, absolute paths or URLs. Without any, the working directory."""


def canonical_place(place: str, folders: Folders) -> tuple[str, str]:
    """Return a path or URL relative to the first of the folders that it lies under.

    A relative path and its absolute form are the same place.

    Parameters:
        place: a path of this system, or a URL.
        folders: absolute paths or URLs.

    Returns:
        What the path is relative to, and the path with forward slashes.
    """
    is_url = "://" in place
    absolute = place if is_url else os.path.join(_working_directory(), place)  # noqa: PTH118
    for number, folder in enumerate(folders or (_working_directory(),)):
        above = folder.rstrip("/" if is_url else "/" + os.sep)
        if absolute == above:
            return f"folder {number}", "."
        if absolute.startswith((above + "/", above + os.sep)):
            return f"folder {number}", _posix(absolute[len(above) + 1 :], is_url)
    is_fixed = is_url or os.path.isabs(place)  # noqa: PTH117
    return "absolute" if is_fixed else "relative", _posix(place, is_url)


def _working_directory() -> str:
    try:
        return os.getcwd()  # noqa: PTH109
    except FileNotFoundError:
        return ""


def _posix(path: str, is_url: bool) -> str:
    return path if is_url else path.replace(os.sep, "/")
