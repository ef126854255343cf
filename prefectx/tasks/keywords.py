"""The keywords of the decorators: those of prefectx, and those of Prefect."""

from __future__ import annotations

import datetime
import difflib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Literal, TypedDict

from prefectx import settings
from prefectx.errors import ConfigError
from prefectx.item import Store
from prefectx.settings import Keywords, Place, Problem

StaleWord = Literal["ignore", "warn", "rerun", "error"]
Hooks = Sequence[Callable[..., object]] | None


class OwnTaskKeywords(TypedDict, total=False):
    """The keywords of prefectx; docs/configuration.md describes them."""

    mode: str
    root: object
    target: str | Literal[False] | None
    store: Store | type[Store] | str
    format: str | None
    save: bool
    refresh: bool
    max_age: str | float | None
    stale: StaleWord | Mapping[str, StaleWord]
    records: bool
    lazy: bool
    temporary: bool
    keep: int
    files: Sequence[str]
    hash_limit: str | int | None
    code: Sequence[str]
    shared: bool
    ignore: Sequence[str]
    fsync: bool
    lock: bool
    on_corrupt: Literal["error", "rerun"]
    allow_pickle: bool
    task_run_name: str | Callable[[], str] | None
    context: Mapping[str, object]
    keepalive: Mapping[str, object]
    dask: Mapping[str, object]


class PrefectTaskKeywords(TypedDict, total=False):
    """The keywords of Prefect's own `@task`."""

    name: str | None
    description: str | None
    tags: Iterable[str] | None
    version: str | None
    cache_policy: object
    cache_key_fn: Callable[..., str | None] | None
    cache_expiration: datetime.timedelta | None
    retries: int | None
    retry_delay_seconds: float | list[float] | Callable[[int], list[float]] | None
    retry_jitter_factor: float | None
    persist_result: bool | None
    result_storage: object
    result_storage_key: str | None
    result_serializer: object
    cache_result_in_memory: bool
    timeout_seconds: float | None
    log_prints: bool | None
    refresh_cache: bool | None
    on_completion: Hooks
    on_failure: Hooks
    on_running: Hooks
    on_rollback: Hooks
    on_commit: Hooks
    retry_condition_fn: Callable[..., bool] | None
    viz_return_value: object
    asset_deps: Sequence[object] | None


class TaskKeywords(OwnTaskKeywords, PrefectTaskKeywords, total=False):
    """All keywords of `@task` and of a task's `with_options`."""


class FlowKeywords(TypedDict, total=False):
    """The keywords of Prefect's own `@flow`."""

    name: str | None
    version: str | None
    flow_run_name: str | Callable[[], str] | None
    retries: int | None
    retry_delay_seconds: float | None
    task_runner: object
    description: str | None
    timeout_seconds: float | None
    validate_parameters: bool
    persist_result: bool | None
    result_storage: object
    result_serializer: object
    cache_result_in_memory: bool
    log_prints: bool | None
    on_completion: Hooks
    on_failure: Hooks
    on_cancellation: Hooks
    on_crashed: Hooks
    on_running: Hooks


OWN = frozenset(OwnTaskKeywords.__annotations__)
PREFECT_TASK = frozenset(PrefectTaskKeywords.__annotations__)
PREFECT_FLOW = frozenset(FlowKeywords.__annotations__)


_MISTAKES: ContextVar[list[Problem] | None] = ContextVar("prefectx_mistakes", default=None)


@contextmanager
def collecting_mistakes(mistakes: list[Problem]) -> Iterator[None]:
    """Collect the mistakes of decorators inside the block, instead of raising the first."""
    token = _MISTAKES.set(mistakes)
    try:
        yield
    finally:
        _MISTAKES.reset(token)


def _tell(error: TypeError | ConfigError, problems: Iterable[Problem]) -> None:
    """Raise an error, or collect its problems."""
    collected = _MISTAKES.get()
    if collected is None:
        raise error
    collected.extend(problems)


def checked_keywords(
    keywords: Mapping[str, object], function: str, place: Place | None
) -> tuple[Keywords, dict[str, object], str]:
    """Split and check the keywords of a new task.

    Parameters:
        keywords: all keywords.
        function: the function's name.
        place: where the keywords are written.

    Returns:
        Those of prefectx, none if some are wrong and mistakes are collected; those of Prefect; and
        the mode of the task.

    Raises:
        TypeError: if a keyword belongs to neither.
        ConfigError: if the configuration is wrong.
    """
    try:
        own, prefect = split_keywords(keywords, function, place)
        name = str(prefect.get("name") or function)
        try:
            options = settings.current().options(name, own)
        except ConfigError as error:
            _tell(error, error.problems)
            own, options = Keywords(), settings.current().options(name)
    except (TypeError, ConfigError) as error:
        raise error.with_traceback(None) from None  # the frames of prefectx explain nothing
    return own, prefect, options.mode


def split_keywords(
    keywords: Mapping[str, object], task: str, place: Place | None
) -> tuple[Keywords, dict[str, object]]:
    """Split the keywords of a task into those of prefectx and those of Prefect.

    Parameters:
        keywords: all keywords.
        task: the task's name.
        place: where they are written.

    Raises:
        TypeError: if a keyword belongs to neither; it names the most similar one.
    """
    check_keywords(keywords, OWN | PREFECT_TASK, f"task {task!r}", place)
    own = {name: value for name, value in keywords.items() if name in OWN}
    prefect = {name: value for name, value in keywords.items() if name in PREFECT_TASK}
    return Keywords.at(place, own), prefect


def check_keywords(
    keywords: Iterable[str], known: Collection[str], where: str, place: Place | None
) -> None:
    """Check for unknown keywords, in every mode.

    Raises:
        TypeError: it names the line, the task or flow, the keyword, and the most similar known one.
    """
    problems = []
    for name in keywords:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            message = f"{where} got an unknown option {name!r}{hint}"
            problems.append(Problem(place or Place(""), "", message))
    if problems:
        _tell(TypeError("\n".join(map(str, problems))), problems)
