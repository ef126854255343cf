"""Fingerprints of code: of a function, and of everything of the project that it refers to."""

from __future__ import annotations

import weakref
from collections.abc import Callable

from prefectx.records.code.contents import Code
from prefectx.records.code.walk import Walk

_CODES: weakref.WeakKeyDictionary[Callable[..., object], Code] = weakref.WeakKeyDictionary()


def code_of(function: Callable[..., object], packages: tuple[str, ...] = ()) -> Code:
    """Return the fingerprint of a task's code, made once for each function.

    Parameters:
        function: the function of a task, a partial or a callable object.
        packages: installed packages whose code counts as the project's.
    """
    try:
        known = _CODES.get(function)
        if known is None or not known.holds():
            known = _CODES[function] = Walk(function, packages).code()
    except TypeError:  # it cannot be referred to weakly, or not be a key
        return Walk(function, packages).code()
    return known


def version_code(version: str) -> Code:
    """Return what stands for the code of a task that has a version of its own."""
    return Code(f"version {version}", version, {}, {})
