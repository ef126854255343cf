"""Lets a flow run wait while Prefect's server is away, `keepalive.outage` seconds at most.

Prefect's own retries do not suit: their pauses double, so a run may sleep long after the server is
back, and they start again with each request, so a process without a server takes long to end.
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
    """Measures how long a flow run has been without its server.

    Parameters:
        longest: seconds that the server may be away.
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
            self.cover()  # connections opened since
        if time.monotonic() - self._since > self._longest:
            for service in _services():
                client = vars(service).get("_client")
                if isinstance(client, PrefectEventsClient):
                    # Else Prefect tries for some seconds per event before the process ends.
                    client._reconnection_attempts = 0
            raise ServerError(
                f"Prefect's server has been away for longer than keepalive.outage"
                f" ({self._longest:.0f} s): {error}"
            ) from error

    def cover(self) -> None:
        """Make the connections of this process wait for the server."""
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
            # Prefect sends the events that it could not send, such as states of task runs,
            # with the next event.
            run = f"prefect.flow-run.{self._flow_run_id}"
            emit_event("prefectx.server.back", {"prefect.resource.id": run})


def outlast(longest: float | None, flow_run_id: UUID) -> None:
    """Make the requests of the current flow run wait for the server.

    Parameters:
        longest: seconds that the server may be away; None: only Prefect's own retries.
        flow_run_id: the flow run.
    """
    if longest:
        Outage(longest, flow_run_id).cover()


def _clients() -> Iterator[httpx.Client | httpx.AsyncClient]:
    """Yield the connections of Prefect's engine and of its log and event workers."""
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


class _Transport(httpx.BaseTransport):
    """Sends requests, and repeats those that do not reach the server."""

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
    """`_Transport` for an event loop."""

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
