"""The keywords of the decorators: which are prefectx's, which are Prefect's."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping
from typing import Any

from prefectx.settings import TASK_KEYS

OWN = TASK_KEYS
PREFECT_TASK = frozenset(
    {
        "name",
        "description",
        "tags",
        "version",
        "cache_policy",
        "cache_key_fn",
        "cache_expiration",
        "retries",
        "retry_delay_seconds",
        "retry_jitter_factor",
        "persist_result",
        "result_storage",
        "result_storage_key",
        "result_serializer",
        "cache_result_in_memory",
        "timeout_seconds",
        "log_prints",
        "refresh_cache",
        "on_completion",
        "on_failure",
        "on_running",
        "on_rollback",
        "on_commit",
        "retry_condition_fn",
        "viz_return_value",
        "asset_deps",
    }
)
PREFECT_FLOW = frozenset(
    {
        "name",
        "version",
        "flow_run_name",
        "retries",
        "retry_delay_seconds",
        "task_runner",
        "description",
        "timeout_seconds",
        "validate_parameters",
        "persist_result",
        "result_storage",
        "result_serializer",
        "cache_result_in_memory",
        "log_prints",
        "on_completion",
        "on_failure",
        "on_cancellation",
        "on_crashed",
        "on_running",
    }
)


def take_call_options(kwargs: dict[str, Any]) -> tuple[bool, Any]:
    """Take what a call is given besides the function's arguments out of its keywords.

    Returns:
        `return_state` and `wait_for`.
    """
    return kwargs.pop("return_state", False), kwargs.pop("wait_for", None)


def split_keywords(keywords: Mapping[str, Any], task: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Part the keywords of a task into prefectx's and Prefect's.

    Raises:
        TypeError: where one is neither's; it names the nearest.
    """
    check_keywords(keywords, OWN | PREFECT_TASK, f"task {task!r}")
    own = {name: value for name, value in keywords.items() if name in OWN}
    return own, {name: value for name, value in keywords.items() if name not in OWN}


def check_keywords(keywords: Mapping[str, Any], known: Collection[str], where: str) -> None:
    """Refuse keywords that are not known, also where no Prefect is there to refuse them.

    Raises:
        TypeError: it names the thing, the keyword, and the nearest known one.
    """
    for name in keywords:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise TypeError(f"{where} got an unknown option {name!r}{hint}")
