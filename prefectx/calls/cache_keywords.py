"""What the cache keywords of Prefect's decorator mean in the caching modes."""

from __future__ import annotations

import datetime
import logging
import os
from collections.abc import Mapping

from prefectx.settings import Options

_log = logging.getLogger("prefectx.tasks")
_WITHOUT_MEANING = ("cache_key_fn", "result_storage_key")
_TRUE = frozenset({"1", "true", "t", "yes", "y", "on"})


def with_cache_keywords(
    options: Options, prefect_keywords: Mapping[str, object], task: str
) -> Options:
    """Return the options of a task, changed as the cache keywords of Prefect ask for.

    `cache_policy=NO_CACHE` keeps no output, or refreshes one whose target was chosen;
    `refresh_cache` is `refresh`, `cache_expiration` is `max_age`. Other policies and keys mean
    nothing, which is said once.

    Parameters:
        options: the task's options.
        prefect_keywords: the keywords of Prefect that its decorator was given.
        task: the name of the task, for the warning.
    """
    changes: dict[str, object] = {}
    policy = prefect_keywords.get("cache_policy")
    if policy is not None and type(policy).__name__ == "_None":
        is_chosen = options.sources["target"].layer != "default"
        changes |= {"refresh": True} if is_chosen else {"target": None}
    refresh = prefect_keywords.get("refresh_cache")
    if refresh is None:
        refresh = os.environ.get("PREFECT_TASKS_REFRESH_CACHE", "").lower() in _TRUE
    if refresh:
        changes["refresh"] = True
    expiration = prefect_keywords.get("cache_expiration")
    if isinstance(expiration, datetime.timedelta) and options.max_age is None:
        changes["max_age"] = expiration.total_seconds()
    others = [name for name in _WITHOUT_MEANING if prefect_keywords.get(name) is not None]
    if policy is not None and not changes.keys() & {"refresh", "target"}:
        others.append("cache_policy")
    if others:
        _log.warning(
            "Task %r: %s has no effect: a call is finished when its output exists, at the target"
            " %r",
            task,
            " and ".join(others),
            options.target,
        )
    return options.model_copy(update=changes) if changes else options
