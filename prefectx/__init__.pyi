# The public names of prefectx, and where each is defined: what is not here is not public.

from . import settings
from .arguments.fingerprint import register_identity
from .arguments.marks import allow_failure, quote, unmapped
from .arguments.references import load
from .calls.own_output import current_target
from .engines.prefect_dask import dask_runner
from .errors import (
    ConfigError,
    CorruptItemError,
    MissingDependencyError,
    PrefectxError,
    SaveError,
    ServerError,
    StaleError,
    StoreError,
    TargetError,
    UpstreamError,
    WorkerError,
)
from .formats import register_format
from .futures import Future, FutureList
from .inspection import outputs, why
from .item import Item, ItemInfo, Store
from .planned_outputs import planning
from .plans import Plan, plan
from .run_context import context
from .settings import override
from .stores import Filestore, SqlStore
from .tasks.flow import Flow, flow
from .tasks.runtime import as_completed, get_run_logger, tags, wait
from .tasks.task import Task, task

__version__: str
__all__ = [
    "ConfigError",
    "CorruptItemError",
    "Filestore",
    "Flow",
    "Future",
    "FutureList",
    "Item",
    "ItemInfo",
    "MissingDependencyError",
    "Plan",
    "PrefectxError",
    "SaveError",
    "ServerError",
    "SqlStore",
    "StaleError",
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
    "outputs",
    "override",
    "plan",
    "planning",
    "quote",
    "register_format",
    "register_identity",
    "settings",
    "tags",
    "task",
    "unmapped",
    "wait",
    "why",
]
