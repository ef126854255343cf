"""What all calls of a flow run share, sent to each worker once."""

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
    """A context that the workers have got.

    Attributes:
        name: what they know it by.
        variables: the context variables of the thread that it was taken from.
        settings: the settings of prefectx in it.
        parts: what else it was made from; kept, as its key in the table is made of their ids.
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
        """Return the context that holds here; it is sent when first asked for."""
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
    """Serialize what Prefect's context has for all calls of the run."""
    with temporary_settings(_embedded_api()):
        prefect = serialize_context()
    if prefect["flow_run_context"]:
        prefect["flow_run_context"]["flow"] = _without_function(prefect["flow_run_context"]["flow"])
    return {name: prefect[name] for name in _OF_THE_RUN}


def _embedded_api() -> dict[str, str]:
    """Name the embedded server of this process, so that workers do not start their own."""
    if get_current_settings().api.url:
        return {}
    # Heavy, and needed only if Prefect has started a server by itself.
    from prefect.server.api.server import SubprocessASGIServer

    server = SubprocessASGIServer()
    return {"api.url": server.api_url} if server.running else {}


def _without_function(flow: Flow[..., object]) -> Flow[..., object]:
    """Return a flow that tells tasks its options, without its function and hooks.

    Pickled by value, as in a script, the function would take along all globals that it mentions.
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
    """Stand in for the function of a flow, which runs in another process."""
