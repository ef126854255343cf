"""Prefect's keywords for how a function is tried, where Prefect does not run it.

These are `retries` and what belongs to them, `timeout_seconds` and `log_prints`. What only they
need is imported where it is used: most tasks have none of them, and it costs milliseconds.
"""

from __future__ import annotations

import asyncio
import builtins
import functools
import inspect
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Protocol, cast

from prefectx.event_loops import outside_loop
from prefectx.futures import LocalState, State

_log = logging.getLogger("prefectx.runs")

_ACTING = frozenset({"retries", "timeout_seconds", "log_prints"})


class Tried(Protocol):
    """The part of a task or flow that matters here."""

    name: str
    fn: Callable[..., Any]
    isasync: bool
    isgenerator: bool

    @property
    def prefect_keywords(self) -> Mapping[str, object]:
        """The keywords of Prefect that the decorator was given."""


def function_of(tried: Tried, kind: str = "task") -> Callable[..., Any]:
    """Return the function as it is to be called without Prefect.

    Parameters:
        tried: the task or flow.
        kind: what it is, for the log.

    Returns:
        The function itself if no keyword asks for more. Otherwise one that tries it again after a
        failure, stops it after a time, and logs what it prints; of a generator a function that
        returns a list.
    """
    if not any(tried.prefect_keywords.get(name) for name in _ACTING):
        return tried.fn
    return _Attempts(tried, kind).call_async if tried.isasync else _Attempts(tried, kind).call


class _Attempts:
    def __init__(self, tried: Tried, kind: str) -> None:
        keywords = tried.prefect_keywords
        self._tried = tried
        self._what = f"{kind} {tried.name!r}"
        self._retries = int(cast(int, keywords.get("retries") or 0))
        self._delays = _delays(keywords.get("retry_delay_seconds"), self._retries)
        self._jitter = float(cast(float, keywords.get("retry_jitter_factor") or 0))
        self._condition = keywords.get("retry_condition_fn")
        self._seconds = cast("float | None", keywords.get("timeout_seconds"))
        self._logs_prints = bool(keywords.get("log_prints"))

    def call(self, *args: object, **kwargs: object) -> object:
        from tenacity import Retrying

        return Retrying(**self._policy())(self._once, *args, **kwargs)

    async def call_async(self, *args: object, **kwargs: object) -> object:
        from tenacity import AsyncRetrying

        return await AsyncRetrying(**self._policy())(self._once_async, *args, **kwargs)

    def _once(self, *args: object, **kwargs: object) -> object:
        from prefectx.calls.time_limit import time_limit

        with _printing(self._logs_prints), time_limit(self._seconds, self._what):
            data = self._tried.fn(*args, **kwargs)
            return list(data) if self._tried.isgenerator else data

    async def _once_async(self, *args: object, **kwargs: object) -> object:
        with _printing(self._logs_prints):
            try:
                async with asyncio.timeout(self._seconds):
                    result = self._tried.fn(*args, **kwargs)
                    return [x async for x in result] if self._tried.isgenerator else await result
            except TimeoutError as error:
                if isinstance(error.__cause__, asyncio.CancelledError):
                    raise TimeoutError(f"{self._what} took longer than {self._seconds} s") from None
                raise

    def _policy(self) -> dict[str, Any]:
        from tenacity import retry_if_exception, retry_if_result, stop_after_attempt

        return {
            "stop": stop_after_attempt(self._retries + 1),
            "wait": self._pause,
            "retry": retry_if_exception(self._is_worth_it) | retry_if_result(self._is_failed),
            "before_sleep": self._tell,
            "retry_error_callback": lambda attempts: attempts.outcome.result(),
        }

    def _pause(self, attempts: Any) -> float:
        import random

        delay: float = self._delays[min(attempts.attempt_number, len(self._delays)) - 1]
        return float(delay * (1 + random.uniform(0, self._jitter)))

    def _is_worth_it(self, error: BaseException) -> bool:
        if not isinstance(error, Exception):
            return False
        return self._meets_condition(LocalState("FAILED", "Failed", error))

    def _is_failed(self, value: object) -> bool:
        return isinstance(value, State) and value.is_failed() and self._meets_condition(value)

    def _meets_condition(self, state: State[Any]) -> bool:
        if not callable(self._condition):
            return True
        answer = self._condition(self._tried, None, state)
        if inspect.isawaitable(answer):
            answer = outside_loop(asyncio.run, _awaited(answer))
        return bool(answer)

    def _tell(self, attempts: Any) -> None:
        outcome = attempts.outcome
        error = outcome.exception() or outcome.result()
        _log.info(
            "%s failed with %s: %s; attempt %d of %d in %.3g s",
            self._what.capitalize(),
            type(error).__name__,
            error,
            attempts.attempt_number + 1,
            self._retries + 1,
            attempts.next_action.sleep,
        )


async def _awaited(answer: Any) -> Any:
    return await answer


def _delays(given: object, retries: int) -> Sequence[float]:
    """Return the seconds before each retry; the last counts for all that follow."""
    if callable(given):
        given = given(retries)
    if isinstance(given, (list, tuple)):
        return [float(delay) for delay in given] or [0.0]
    return [float(cast(float, given or 0))]


_logs_prints: ContextVar[bool] = ContextVar("prefectx_log_prints", default=False)


@contextmanager
def _printing(is_logged: bool) -> Iterator[None]:
    """Log what is printed in the block."""
    if not is_logged:
        yield
        return
    _patch_print()
    token = _logs_prints.set(True)
    try:
        yield
    finally:
        _logs_prints.reset(token)


@functools.cache
def _patch_print() -> None:
    original = builtins.print

    def print_or_log(*values: object, sep: str | None = " ", **options: Any) -> None:
        if _logs_prints.get() and options.get("file") is None:
            text = (" " if sep is None else sep).join(map(str, values))
            _log.info("%s", text, stacklevel=2)
        else:
            original(*values, sep=sep, **options)

    builtins.print = functools.update_wrapper(print_or_log, original)
