"""Loggers, locks and connections: what a function works with, not what it works on."""

from __future__ import annotations

import functools
import logging
import socket
import threading

from prefectx.arguments.identity.names import defining_module

_CONNECTIONS = frozenset(
    {
        "aiohttp.ClientSession",
        "botocore.BaseClient",
        "httpx.AsyncClient",
        "httpx.Client",
        "redis.Redis",
        "requests.Session",
        "sqlalchemy.AsyncConnection",
        "sqlalchemy.AsyncEngine",
        "sqlalchemy.AsyncSession",
        "sqlalchemy.Connection",
        "sqlalchemy.Engine",
        "sqlalchemy.Session",
    }
)


_MEANS = (
    logging.Logger,
    logging.LoggerAdapter,
    socket.socket,
    type(threading.Lock()),
    type(threading.RLock()),
    threading.Condition,
    threading.Semaphore,
    threading.Event,
    threading.Barrier,
)


def is_means(value: object) -> bool:
    """Tell whether a value is a logger, a lock, or a connection to a database or another host."""
    return _are_means(type(value))  # type: ignore[arg-type]  # mypy: a type might have no hash


@functools.lru_cache(maxsize=4096)
def _are_means(kind: type) -> bool:
    if issubclass(kind, _MEANS):
        return True
    # What Python's database modules have in common.
    if all(callable(getattr(kind, name, None)) for name in ("cursor", "commit", "close")):
        return True
    names = {f"{defining_module(base).partition('.')[0]}.{base.__name__}" for base in kind.__mro__}
    return not _CONNECTIONS.isdisjoint(names)
