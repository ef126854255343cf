"""A flow run on Dask: its cluster, its client, and the cleanup at its end."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Generic, TypeVar
from uuid import uuid4

import dask
import distributed
from dask.base import annotate

from prefectx.engines.dask import upstream
from prefectx.engines.dask.clusters import Found, client_arguments, report_path, running_cluster
from prefectx.engines.dask.local_cluster import restored_environment, worker_environment
from prefectx.engines.dask.resources import Capacity, Needs
from prefectx.engines.dask.scheduling import ANNOTATION, Annotation, RunSchedulerPlugin
from prefectx.errors import WorkerError
from prefectx.monitoring import memory
from prefectx.monitoring.logging import quiet
from prefectx.settings import Dask, Options

C = TypeVar("C", bound=distributed.Client)
R = TypeVar("R")

_PATIENCE = 300.0
_LOG = "distributed.admin.low-level-log-length"
_SENT_KEPT = 50


class Session(Generic[C]):
    """The connection of one flow run to a cluster.

    Parameters:
        client: a client of the cluster.
        cluster: the cluster, None if only its address is known.

    Attributes:
        client: the client.
        cluster: the cluster, None if only its address is known.
        name: the name of the run's plugin on the scheduler.
    """

    def __init__(self, client: C, cluster: object) -> None:
        self.client = client
        self.cluster = cluster
        self.name = f"prefectx-{uuid4().hex}"
        self._capacity = Capacity(client, cluster)

    def place(self, needs: Needs) -> Needs:
        """Check that some worker can run a call; replace the names of its workers by addresses.

        Raises:
            ConfigError: if it needs more than any worker has, or a worker that does not exist.
        """
        placed = self._capacity.placed(needs)
        self._capacity.check(placed)
        return placed

    def submit(
        self, needs: Needs, function: Callable[..., R], *args: object
    ) -> distributed.Future[R]:
        """Send a call to the scheduler.

        Parameters:
            needs: its needs, as `place` returned them.
            function: the function for the worker to call.
            args: its arguments; Dask waits for those that are its futures.
        """
        annotation = Annotation(run=self.name, retries=needs.retries)
        with annotate(**{ANNOTATION: annotation}):
            return self.client.submit(
                function,
                *args,
                key=f"{needs.task}-{uuid4()}",
                pure=False,
                resources=dict(needs.resources) or None,
                priority=needs.priority,
                workers=needs.workers,
            )


@contextmanager
def session(
    options: Options, make_client: Callable[..., C], log: logging.Logger
) -> Iterator[Session[C]]:
    """Connect to the cluster of `[dask]`, and undo all of it at the end of the block.

    Parameters:
        options: the project's options.
        make_client: the class of the client.
        log: the logger for which cluster is used.

    Raises:
        ConfigError: if keys of `[dask]` exclude each other.
        MissingDependencyError: if a package is missing, or this version of Dask lacks something.
        WorkerError: if no scheduler answers at the address.
    """
    upstream.check()
    given, report = options.dask, report_path(options.dask)
    with ExitStack() as stack:
        # Dask logs each connection and process, which is too much for the log of a flow.
        stack.enter_context(quiet(logging.getLogger("distributed")))
        stack.enter_context(restored_environment(worker_environment(options)))
        # For debugging, Dask keeps the last thousand batches of calls that it has sent.
        with dask.config.set({_LOG: min(dask.config.get(_LOG), _SENT_KEPT)}):
            found = stack.enter_context(running_cluster(options, log))
            stack.enter_context(client := _client(make_client, found, given))
        if report:
            # Dask writes the report with the current client.
            stack.enter_context(distributed.Client.as_current(client))
            stack.enter_context(distributed.performance_report(report))
        if found.is_ours and client.dashboard_link:
            log.info("Dask's dashboard: %s", client.dashboard_link)
        if given.trim:
            stack.callback(memory.give_back)
            stack.callback(_if_connected, client, client.run_on_scheduler, memory.give_back)
        opened = Session(client, found.cluster)
        # In our own cluster no new workers come when all are gone; in others they may.
        patience = _PATIENCE if found.is_ours else None
        plugin = RunSchedulerPlugin(opened.name, given.allowed_failures, patience)
        client.register_plugin(plugin, name=opened.name)
        stack.callback(_if_connected, client, client.unregister_scheduler_plugin, opened.name)
        yield opened


def _client(make_client: Callable[..., C], found: Found, given: Dask) -> C:
    try:
        return make_client(found.address or found.cluster, **client_arguments(given))
    except OSError as error:
        if found.address is None:
            raise
        raise WorkerError(
            f"no Dask scheduler answers at {found.address}: start it, or correct address in [dask]"
            f" ({error})"
        ) from error


def is_connected(client: distributed.Client) -> bool:
    """Tell whether a client has its scheduler: one that has died answers nothing."""
    return bool(client.status == "running")


def _if_connected(
    client: distributed.Client, function: Callable[..., object], *args: object
) -> None:
    if is_connected(client):
        function(*args)
