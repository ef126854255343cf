"""Prefect's own `get_run_logger`, in runs that have no Prefect.

Prefect's function knows only runs of Prefect and fails in others. Programs hold it by
`from prefect import get_run_logger`, perhaps since before prefectx was imported, so that replacing
the name in Prefect's module would not reach them: the function itself gets another body. Prefect
may also be imported later than this, or never: it is prepared when it is imported.
"""

from __future__ import annotations

import importlib.util
import logging
import sys
import types
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec

from prefectx import settings
from prefectx.modes import get_mode

_MODULE = "prefect.logging.loggers"

RunLogger = logging.Logger | logging.LoggerAdapter[logging.Logger]


def prepare(ours: Callable[[], RunLogger]) -> None:
    """Let Prefect's function return our logger in the modes in which no Prefect runs.

    Parameters:
        ours: returns the logger.
    """
    if _MODULE in sys.modules:
        _prepare(sys.modules[_MODULE], ours)
    else:
        sys.meta_path.insert(0, _Importer(ours))


def _prepare(module: types.ModuleType, ours: Callable[[], RunLogger]) -> None:
    function = module.get_run_logger
    stock = types.FunctionType(
        function.__code__, function.__globals__, function.__name__, function.__defaults__
    )
    stock.__kwdefaults__ = function.__kwdefaults__

    def get_run_logger(*args: object, **kwargs: object) -> RunLogger:
        try:
            found: RunLogger = stock(*args, **kwargs)
        except RuntimeError:
            if get_mode(settings.current().project.mode).is_prefect:
                raise
            return ours()
        return found

    # The new body finds this function in the namespace of its module.
    module._prefectx_get_run_logger = get_run_logger  # type: ignore[attr-defined]
    function.__code__ = _body.__code__


def _body(*args: object, **kwargs: object) -> object:
    return _prefectx_get_run_logger(*args, **kwargs)  # type: ignore[name-defined] # noqa: F821


class _Importer:
    """Prepares Prefect's module when it is imported."""

    def __init__(self, ours: Callable[[], RunLogger]) -> None:
        self._ours = ours

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: types.ModuleType | None = None
    ) -> ModuleSpec | None:
        """Find Prefect's module by the other importers, and take over its execution."""
        if name != _MODULE or self not in sys.meta_path:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        if spec is None or spec.loader is None:
            return spec
        execute = spec.loader.exec_module

        def exec_module(module: types.ModuleType) -> None:
            execute(module)
            _prepare(module, self._ours)

        spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec
