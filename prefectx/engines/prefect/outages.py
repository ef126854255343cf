"""Prefect's server is away: a flow run waits for it, for `keepalive.outage` at most.

Prefect doubles its pauses, so it may sleep as long again when the server is back; and it begins
anew with each request, so a process whose server has gone takes long to end.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from uuid import UUID

import anyio
import httpx
from prefect.client.orchestration import PrefectClient
from prefect.context import AsyncClientContext, SyncClientContext
from prefect.events import emit_event
from prefect.events.clients import PrefectEventsClient
from prefect.events.worker import EventsWorker

from prefectx.errors import ServerError

_PAUSE = 2.0
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout)


class Outage:
    """How long the server has been away from a flow run.

    Parameters:
        longest: seconds that it may be.
        flow_run_id: the flow run.
    """

    def __init__(self, longest: float, flow_run_id: UUID) -> None:
        self._longest = longest
        self._flow_run_id = flow_run_id
        self._since: float | None = None

    def goes_on(self, error: Exception) -> None:
        """Note that the server does not answer.

        Raises:
            ServerError: if it has been away for too long.
        """
        if self._since is None:
            self._since = time.monotonic()
            self.cover()  # what has been started meanwhile
        if time.monotonic() - self._since > self._longest:
            _give_up_events()
            raise ServerError(
                f"Prefect's server has been away for longer than keepalive.outage"
                f" ({self._longest:.0f} s): {error}"
            ) from error

    def cover(self) -> None:
        """Let the connections of this process wait for the server."""
        for client in _clients():
            if isinstance(client._transport, (_Transport, _AsyncTransport)):
                continue
            if isinstance(client, httpx.Client):
                client._transport = _Transport(client._transport, self)
            else:
                client._transport = _AsyncTransport(client._transport, self)

    def is_over(self) -> None:
        """Note that the server answers."""
        if self._since is not None:
            self._since = None
            # Prefect keeps events that it could not send, the states of task runs among them,
            # and sends them with the next one.
            run = f"prefect.flow-run.{self._flow_run_id}"
            emit_event("prefectx.server.back", {"prefect.resource.id": run})


def outlast(longest: float | None, flow_run_id: UUID) -> None:
    """Let the requests of the flow run that goes on here wait for the server.

    Parameters:
        longest: seconds that it may be away; None leaves all to Prefect.
        flow_run_id: the flow run.
    """
    if longest:
        Outage(longest, flow_run_id).cover()


def _clients() -> Iterator[httpx.Client | httpx.AsyncClient]:
    """Yield the connections of the engine, and of what sends log lines and events."""
    for context in (SyncClientContext.get(), AsyncClientContext.get()):
        if context is not None:
            yield context.client._client
    for service in _services():
        for client in (vars(service).get("_client"), vars(service).get("_orchestration_client")):
            if isinstance(client, PrefectClient):
                yield client._client


def _services() -> list[object]:
    # All of Prefect's services are in one table.
    services = EventsWorker._instances  # type: ignore[misc]  # typed by its class
    return list(services.values())


def _give_up_events() -> None:
    # Each would be tried for some seconds before the process ends.
    for service in _services():
        client = vars(service).get("_client")
        if isinstance(client, PrefectEventsClient):
            client._reconnection_attempts = 0


class _Transport(httpx.BaseTransport):
    """Sends requests; those that do not reach the server are sent again."""

    def __init__(self, inner: httpx.BaseTransport, outage: Outage) -> None:
        self._inner = inner
        self._outage = outage

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        while True:
            try:
                response = self._inner.handle_request(request)
            except _NOT_SENT as error:
                self._outage.goes_on(error)
                time.sleep(_PAUSE)
            else:
                self._outage.is_over()
                return response

    def close(self) -> None:
        self._inner.close()


class _AsyncTransport(httpx.AsyncBaseTransport):
    """Does what `_Transport` does in an event loop."""

    def __init__(self, inner: httpx.AsyncBaseTransport, outage: Outage) -> None:
        self._inner = inner
        self._outage = outage

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        while True:
            try:
                response = await self._inner.handle_async_request(request)
            except _NOT_SENT as error:
                self._outage.goes_on(error)
                await anyio.sleep(_PAUSE)
            else:
                self._outage.is_over()
                return response

    async def aclose(self) -> None:
        await self._inner.aclose()
