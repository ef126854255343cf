"""Versions of the installed packages that code imports."""

from __future__ import annotations

import functools
import sys
from collections.abc import Collection, Mapping


def installed_versions(modules: Collection[str]) -> dict[str, str]:
    """Return the versions of the packages that modules belong to, by the name of the module.

    Parameters:
        modules: top-level modules; those of the standard library, and what is not installed as a
            package, are left out.
    """
    from importlib.metadata import PackageNotFoundError, version

    found = {}
    for module in sorted(set(modules) - sys.stdlib_module_names):
        for package in _packages().get(module, ())[:1]:
            try:
                found[module] = version(package)
            except PackageNotFoundError:
                continue
    return found


@functools.cache
def _packages() -> Mapping[str, list[str]]:
    # Slow: it looks into every package.
    from importlib.metadata import packages_distributions

    return packages_distributions()
