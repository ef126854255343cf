"""Sends the context that all calls of a flow run share, once to each worker."""

from __future__ import annotations

import contextvars
import copy
import sys
from collections.abc import Callable
from typing import NamedTuple, ParamSpec, TypeVar
from uuid import uuid4

from distributed import Client
from prefect.context import FlowRunContext, get_settings_context, serialize_context
from prefect.flows import Flow
from prefect.settings import get_current_settings, temporary_settings

from prefectx import settings
from prefectx.engines.dask.payload import Payload
from prefectx.engines.prefect_dask.worker import Context, PrefectRunPlugin
from prefectx.settings import Settings
from prefectx.tasks.decorated import Decorated

P = ParamSpec("P")
R = TypeVar("R")

_OF_THE_RUN = ("flow_run_context", "settings_context", "deployment_id", "deployment_parameters")


class Sent(NamedTuple):
    """A context that was sent to the workers.

    Attributes:
        name: the name of its plugin there.
        variables: the context variables of the thread from which it was taken.
        settings: its settings of prefectx.
        parts: its other parts; kept alive, as the table of contexts uses their ids as keys.
    """

    name: str
    variables: contextvars.Context
    settings: Settings
    parts: tuple[object, ...]

    def run(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Call a function in the context, in any thread."""
        return self.variables.copy().run(function, *args, **kwargs)


class RunContexts:
    """The contexts that were sent to the workers of one client.

    Parameters:
        client: the client.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self._sent: dict[tuple[int, ...], Sent] = {}

    def current(self) -> Sent:
        """Return the current context; the first use sends it."""
        chosen = settings.current()
        parts = (FlowRunContext.get(), get_settings_context().settings)
        key = tuple(map(id, (*parts, chosen)))
        if key not in self._sent:
            sent = Sent(f"prefectx-{uuid4().hex}", contextvars.copy_context(), chosen, parts)
            path = [path for path in sys.path if path]
            plugin = PrefectRunPlugin(sent.name, Payload(chosen), path, Payload(_context()))
            self._client.register_plugin(plugin, name=sent.name)
            self._sent[key] = sent
        return self._sent[key]

    def close(self) -> None:
        """Remove the contexts from the workers."""
        for sent in self._sent.values():
            self._client.unregister_worker_plugin(sent.name)


def _context() -> Context:
    """Serialize the parts of Prefect's context that all calls of the run share."""
    with temporary_settings(_embedded_api()):
        prefect = serialize_context()
    if prefect["flow_run_context"]:
        prefect["flow_run_context"]["flow"] = _without_function(prefect["flow_run_context"]["flow"])
    return {name: prefect[name] for name in _OF_THE_RUN}


def _embedded_api() -> dict[str, str]:
    """Return the URL of this process's embedded server, so that workers do not start another."""
    if get_current_settings().api.url:
        return {}
    # Slow to import, and needed only if Prefect itself has started a server.
    from prefect.server.api.server import SubprocessASGIServer

    server = SubprocessASGIServer()
    return {"api.url": server.api_url} if server.running else {}


def _without_function(flow: Flow[..., object]) -> Flow[..., object]:
    """Return a copy of a flow with its options, but without its function and hooks.

    A function of a script is pickled by value, with all globals that it uses.
    """
    light = copy.copy(flow)
    light.fn = light.__wrapped__ = _runs_elsewhere  # type: ignore[attr-defined]
    for hooks in [name for name in vars(light) if name.endswith("_hooks")]:
        setattr(light, hooks, [])
    if isinstance(light, Decorated):
        light.prefect_keywords = {
            name: value
            for name, value in light.prefect_keywords.items()
            if not name.startswith("on_")
        }
    return light


def _runs_elsewhere() -> None:
    """Replaces the function of a flow, which runs in another process."""
