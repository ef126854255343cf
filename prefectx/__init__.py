"""Plain functions, run as bare calls, as a cached script, on Prefect, or on Prefect and Dask.

Decorate functions with `@task` and `@flow`; a configuration file decides how they run, where each
output is kept and in what form. The public names are imported on first use.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from prefectx.arguments.marks import allow_failure, quote, unmapped
    from prefectx.arguments.references import load
    from prefectx.calls.one_at_a_time import current_target
    from prefectx.engines.prefect_dask import dask_runner
    from prefectx.errors import (
        ConfigError,
        CorruptItemError,
        MissingDependencyError,
        PrefectxError,
        SaveError,
        ServerError,
        StoreError,
        TargetError,
        UpstreamError,
        WorkerError,
    )
    from prefectx.formats import register_format
    from prefectx.item import Item, ItemInfo, Store
    from prefectx.run_context import context
    from prefectx.settings import override
    from prefectx.stores import Filestore, SqlStore
    from prefectx.tasks.flow import Flow, flow
    from prefectx.tasks.runtime import as_completed, get_run_logger, tags, wait
    from prefectx.tasks.task import Task, task

_HOMES = {
    "prefectx.arguments.marks": ("allow_failure", "quote", "unmapped"),
    "prefectx.calls.one_at_a_time": ("current_target",),
    "prefectx.engines.prefect_dask": ("dask_runner",),
    "prefectx.errors": (
        "ConfigError",
        "CorruptItemError",
        "MissingDependencyError",
        "PrefectxError",
        "SaveError",
        "ServerError",
        "StoreError",
        "TargetError",
        "UpstreamError",
        "WorkerError",
    ),
    "prefectx.tasks.flow": ("Flow", "flow"),
    "prefectx.formats": ("register_format",),
    "prefectx.item": ("Item", "ItemInfo", "Store"),
    "prefectx.arguments.references": ("load",),
    "prefectx.run_context": ("context",),
    "prefectx.tasks.runtime": ("as_completed", "get_run_logger", "tags", "wait"),
    "prefectx.settings": ("override",),
    "prefectx.stores": ("Filestore", "SqlStore"),
    "prefectx.tasks.task": ("Task", "task"),
}
_HOME = {name: module for module, names in _HOMES.items() for name in names}

__version__ = "0.1.0"
__all__ = [
    "ConfigError",
    "CorruptItemError",
    "Filestore",
    "Flow",
    "Item",
    "ItemInfo",
    "MissingDependencyError",
    "PrefectxError",
    "SaveError",
    "ServerError",
    "SqlStore",
    "Store",
    "StoreError",
    "TargetError",
    "Task",
    "UpstreamError",
    "WorkerError",
    "allow_failure",
    "as_completed",
    "context",
    "current_target",
    "dask_runner",
    "flow",
    "get_run_logger",
    "load",
    "override",
    "quote",
    "register_format",
    "tags",
    "task",
    "unmapped",
    "wait",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*globals(), *__all__]
