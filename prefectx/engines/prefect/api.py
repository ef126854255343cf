"""Which Prefect API the runs of this process talk to."""

from __future__ import annotations

import atexit
import functools
import inspect
import logging
import math
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
from prefect.client.orchestration import get_client
from prefect.logging.loggers import get_logger
from prefect.settings import get_current_settings, temporary_settings

from prefectx import settings
from prefectx.errors import ServerError
from prefectx.monitoring.logging import quiet
from prefectx.settings import Options

_ANSWER_WITHIN = 5.0
# What the user has chosen may be busy.
_CHOSEN_ANSWERS_WITHIN = 15.0
_START_WITHIN = 120

# The APIs that have answered once in this process.
_answering: set[str] = set()
# The server that this process has started.
_embedded_server: Any = None


@contextmanager
def prefect_api(options: Options) -> Iterator[None]:
    """Settle on an API for the runs in the block, and on what Prefect leaves too tight.

    Parameters:
        options: the project's options; `api_url` None leaves all to Prefect.

    Raises:
        ServerError: where the API that the user chose does not answer.
    """
    with temporary_settings(_roomier(options.keepalive.outage)):
        chosen = get_current_settings().api.url
        if chosen:
            _check(chosen)
        if chosen or not options.api_url:
            yield
            return
        with temporary_settings({"api.url": _find(options)}):
            yield


def _roomier(outage: float | None) -> dict[Any, Any]:
    """Return what the user has left unset and real machines need more of.

    Parameters:
        outage: seconds that the server may be away.
    """
    current = get_current_settings()
    wanted: dict[str, Any] = {}
    if "startup_timeout_seconds" not in current.server.ephemeral.model_fields_set:
        wanted["server.ephemeral.startup_timeout_seconds"] = _START_WITHIN
    if "max_retries" not in current.client.model_fields_set:
        wanted["client.max_retries"] = max(current.client.max_retries, _retries_for(outage or 0))
    return wanted


def _retries_for(seconds: float) -> int:
    # Prefect waits 2, 4, 8, ... seconds between attempts, give or take a fifth.
    return math.ceil(math.log2(seconds / 0.8 + 2)) - 1


def _find(options: Options) -> str:
    """Return the URL of the configured server where it answers, else of an embedded one."""
    url = options.api_url
    assert url is not None
    if url in _answering:
        return url
    if _is_prefect(url):
        _answering.add(url)
        _log().info("Using the Prefect server at %s", url)
        return url
    if options.sources["api_url"].layer != "default":
        raise ServerError(_no_answer(url, "api_url in the configuration"))
    return _embedded(url)


def _embedded(instead_of: str) -> str:
    # Heavy, and not needed where a server is there.
    from prefect.server.api.server import SubprocessASGIServer

    global _embedded_server
    _embedded_server = server = SubprocessASGIServer()
    if not server.running:
        _log().info("No Prefect server at %s: starting an embedded one", instead_of)
        # The announcement of the server is ours: one line, not three.
        with quiet(get_logger()), temporary_settings(_unobserved()):
            server.start()
        atexit.register(_stop, server)
    return server.api_url


def _unobserved() -> dict[Any, Any]:
    # A server for one run has nothing to report; without the internet it would log a traceback.
    chosen = get_current_settings().server.model_fields_set
    return {} if "analytics_enabled" in chosen else {"server.analytics_enabled": False}


def _stop(server: Any) -> None:
    with quiet(get_logger()):
        server.stop()


def embedded_server_pid(url: str) -> int | None:
    """Return the process of the embedded server at `url`, None where that is another server."""
    server = _embedded_server
    if server is None or server.api_url != url or server.server_process is None:
        return None
    return int(server.server_process.pid)


def _is_prefect(url: str) -> bool:
    try:
        answer = httpx.get(f"{url}/health", timeout=_ANSWER_WITHIN)
    except httpx.HTTPError:
        return False
    return answer.is_success and answer.json() is True


def _check(url: str) -> None:
    if url in _answering:
        return
    with temporary_settings({"client.max_retries": 0}):
        settings = {"timeout": httpx.Timeout(_CHOSEN_ANSWERS_WITHIN)}
        with get_client(httpx_settings=settings, sync_client=True) as client:
            problem = client.api_healthcheck()
    if problem is not None:
        raise ServerError(_no_answer(url, "PREFECT_API_URL", problem)) from problem
    _answering.add(url)


def _no_answer(url: str, chosen_by: str, problem: Exception | None = None) -> str:
    reason = f" ({type(problem).__name__}: {problem})" if problem else ""
    return (
        f"no Prefect API answers at {url}{reason}, which {chosen_by} names: start it, for instance"
        " with `prefect server start`, name another one, or unset it to use an embedded server"
    )


def _log() -> logging.Logger:
    return get_logger("prefectx")


def with_api(method: Callable[..., Any]) -> Callable[..., Any]:
    """Let a method of Prefect's that needs an API (`serve`, `deploy`, ...) have ours."""

    @functools.wraps(method)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        options = settings.current().project
        with prefect_api(options):
            result = method(*args, **kwargs)
        return _awaited(result, options) if inspect.isawaitable(result) else result

    return wrapped


async def _awaited(result: Awaitable[Any], options: Options) -> Any:
    with prefect_api(options):
        return await result
