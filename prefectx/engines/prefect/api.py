"""Chooses the Prefect API for the runs of this process."""

from __future__ import annotations

import atexit
import functools
import inspect
import logging
import math
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, ParamSpec, TypeVar, cast

import httpx
from prefect.client.orchestration import get_client
from prefect.logging.loggers import get_logger
from prefect.settings import get_current_settings, temporary_settings

from prefectx import settings
from prefectx.engines.prefect import upstream
from prefectx.errors import ServerError
from prefectx.monitoring.logging import quiet
from prefectx.settings import Options

if TYPE_CHECKING:
    from prefect.server.api.server import SubprocessASGIServer

P = ParamSpec("P")
R = TypeVar("R")

_ANSWER_WITHIN = 5.0
# Longer for a server that the user has chosen: it may be busy.
_CHOSEN_ANSWERS_WITHIN = 15.0
_START_WITHIN = 120


class Servers:
    """The Prefect servers that this process knows.

    Attributes:
        answering: the URLs of servers that have answered once.
        embedded: the server that this process has started, None without one.
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget all servers; an embedded one runs until the program ends."""
        self.answering: set[str] = set()
        self.embedded: SubprocessASGIServer | None = None


SERVERS = Servers()


@contextmanager
def prefect_api(options: Options) -> Iterator[None]:
    """Choose the API for the runs in the block, and raise limits of Prefect that are too low.

    Parameters:
        options: the project's options; with `api_url` None, Prefect chooses the API.

    Raises:
        ServerError: if the API that the user chose does not answer.
        MissingDependencyError: if the version of Prefect lacks something.
    """
    upstream.check()
    with temporary_settings(_raised_limits(options.keepalive.outage)):
        chosen = get_current_settings().api.url
        if chosen:
            _check(chosen)
        if chosen or not options.api_url:
            yield
            return
        with temporary_settings({"api.url": _find(options.api_url, options)}):
            yield


def with_api(method: Callable[P, R]) -> Callable[P, R]:
    """Run a method of Prefect that needs an API (`serve`, `deploy`, ...) with the chosen one."""

    @functools.wraps(method)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        options = settings.current().project
        with prefect_api(options):
            result = method(*args, **kwargs)
        return cast(R, _awaited(result, options)) if inspect.isawaitable(result) else result

    return wrapped


def embedded_server_pid(url: str) -> int | None:
    """Return the process id of the embedded server, None if `url` is that of another server."""
    server = SERVERS.embedded
    if server is None or server.api_url != url or server.server_process is None:
        return None
    return server.server_process.pid


def _raised_limits(outage: float | None) -> dict[str, int]:
    """Return higher values for those limits that the user has not set.

    Parameters:
        outage: seconds that the server may be away.
    """
    current = get_current_settings()
    wanted: dict[str, int] = {}
    if "startup_timeout_seconds" not in current.server.ephemeral.model_fields_set:
        wanted["server.ephemeral.startup_timeout_seconds"] = _START_WITHIN
    if "max_retries" not in current.client.model_fields_set:
        # Prefect waits 2, 4, 8, ... seconds between attempts, plus or minus a fifth.
        attempts = math.ceil(math.log2((outage or 0) / 0.8 + 2)) - 1
        wanted["client.max_retries"] = max(current.client.max_retries, attempts)
    return wanted


def _check(url: str) -> None:
    """Raise a ServerError if the API that the user has chosen does not answer."""
    if url in SERVERS.answering:
        return
    timeout = {"timeout": httpx.Timeout(_CHOSEN_ANSWERS_WITHIN)}
    with (
        temporary_settings({"client.max_retries": 0}),
        get_client(httpx_settings=timeout, sync_client=True) as client,
    ):
        problem = client.api_healthcheck()
    if problem is not None:
        reason = f" ({type(problem).__name__}: {problem})"
        raise ServerError(_no_answer(url + reason, "PREFECT_API_URL")) from problem
    SERVERS.answering.add(url)


def _find(url: str, options: Options) -> str:
    """Return the configured URL if a server answers there, else that of the embedded server."""
    if url in SERVERS.answering:
        return url
    try:
        answer = httpx.get(f"{url}/health", timeout=_ANSWER_WITHIN)
        answers = answer.is_success and answer.json() is True
    except httpx.HTTPError:
        answers = False
    if answers:
        SERVERS.answering.add(url)
        _log().info("Using the Prefect server at %s", url)
        return url
    if options.sources["api_url"].layer != "default":
        raise ServerError(_no_answer(url, "api_url in the configuration"))
    return _start_embedded(url)


def _start_embedded(instead_of: str) -> str:
    # Slow to import, and not needed if there is a server.
    from prefect.server.api.server import SubprocessASGIServer

    SERVERS.embedded = server = SubprocessASGIServer()
    if not server.running:
        _log().info("No Prefect server at %s: starting an embedded one", instead_of)
        # Without the internet the analytics would log a traceback.
        chosen = "analytics_enabled" in get_current_settings().server.model_fields_set
        unobserved: dict[str, bool] = {} if chosen else {"server.analytics_enabled": False}
        # The line above replaces the three of Prefect.
        with quiet(get_logger()), temporary_settings(unobserved):
            server.start()
        atexit.register(_stop, server)
    return server.api_url


def _stop(server: SubprocessASGIServer) -> None:
    with quiet(get_logger()):
        server.stop()


def _no_answer(url: str, chosen_by: str) -> str:
    return (
        f"no Prefect API answers at {url}, which {chosen_by} names: start it, for instance"
        " with `prefect server start`, name another one, or unset it to use an embedded server"
    )


def _log() -> logging.Logger:
    return get_logger("prefectx")


async def _awaited(result: Awaitable[R], options: Options) -> R:
    with prefect_api(options):
        return await result
