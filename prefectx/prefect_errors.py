"""Errors that are also Prefect's, for users who catch them by Prefect's names."""

from __future__ import annotations

import functools
import sys
from typing import Any


def also_prefects(error: Exception, name: str) -> Any:
    """Return the error, where Prefect is imported as an instance of its exception `name` too.

    Who catches Prefect's exception has imported Prefect. In the modes that do without it nothing
    here imports it.

    Parameters:
        error: an error made with its message only.
        name: the name of an exception in `prefect.exceptions`.
    """
    exceptions = sys.modules.get("prefect.exceptions")
    if exceptions is None:
        return error
    ours: Any = type(error)
    return _joined(ours, getattr(exceptions, name))(str(error))


@functools.cache
def _joined(ours: Any, theirs: Any) -> Any:
    def reduce(self: Exception) -> tuple[object, ...]:
        return _remade, (ours, theirs, self.args)

    namespace = {"__module__": ours.__module__, "__doc__": ours.__doc__, "__reduce__": reduce}
    return type(ours.__name__, (ours, theirs), namespace)


def _remade(ours: Any, theirs: Any, args: tuple[object, ...]) -> Any:
    return _joined(ours, theirs)(*args)
