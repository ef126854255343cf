"""Blocking code and event loops."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


def is_in_loop() -> bool:
    """Tell whether this thread has a running event loop."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def outside_loop(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Call a function; in a separate thread if this one has a running event loop."""
    if not is_in_loop():
        return function(*args, **kwargs)
    with ThreadPoolExecutor(1) as pool:
        here = contextvars.copy_context()
        return pool.submit(lambda: here.run(function, *args, **kwargs)).result()
