"""Where submitted calls go: to the runner of the flow, of the program, or to none."""

from __future__ import annotations

import atexit
import importlib
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import cast

from prefectx import settings
from prefectx.engines.local.scheduler import Runner, Scheduler
from prefectx.settings import Options

_RUNNERS = {
    "threads": "prefectx.engines.local.threads",
    "processes": "prefectx.engines.local.processes",
    "dask": "prefectx.engines.dask.runner",
}


class Place:
    """Where the submitted calls of a flow run go; its runner is made when it is first needed.

    Parameters:
        options: the project's options.
        outer: the place of the flow around it, None if there is none.
        default: the type of the runner if the options name none.
        always: the type whatever the options name.
        make: makes the runner; None: it is made as the options say.
    """

    def __init__(
        self,
        options: Options,
        outer: Place | None,
        default: str = "inline",
        always: str | None = None,
        make: Callable[[], Runner] | None = None,
    ) -> None:
        self._make = make
        self._type: str = always or options.runner.type or (outer._type if outer else default)
        self.options = options
        self._outer = outer if outer is not None and outer._is_like(self) else None
        self._scheduler: Scheduler | None = None
        self._lock = threading.Lock()

    def _is_like(self, other: Place) -> bool:
        ours, theirs = self.options, other.options
        return (self._type, ours.runner, ours.dask) == (other._type, theirs.runner, theirs.dask)

    def scheduler(self) -> Scheduler | None:
        """Return what takes the calls, None if they run at once."""
        if self._type == "inline":
            return None
        with self._lock:
            if self._scheduler is None:
                outer = self._outer.scheduler() if self._outer is not None else None
                runner = self._make_runner() if outer is None else outer.runner
                self._scheduler = Scheduler(runner)
            return self._scheduler

    def _make_runner(self) -> Runner:
        if self._make is not None:
            return self._make()
        module = importlib.import_module(_RUNNERS[self._type])
        return cast(Runner, module.make_runner(self.options))

    def close(self, error: BaseException | None = None) -> None:
        """Wait for all calls, or after an error give up those that have not begun.

        Parameters:
            error: what the flow raised, None if it returned.
        """
        if self._scheduler is None:
            return
        try:
            if error is None:
                self._scheduler.finish()
        except BaseException as interrupted:
            error = interrupted
            raise
        finally:
            if error is not None:
                self._scheduler.abandon()
            if self._outer is None:
                self._scheduler.runner.close(_is_stop(error))
            elif error is not None and not _is_stop(error):
                self._scheduler.finish()


_here: ContextVar[Place | None] = ContextVar("prefectx_place", default=None)


class Program:
    """The place of calls that are submitted outside flows.

    Attributes:
        is_worker: whether this process runs the calls of another: what they submit runs at once.
        pid: the id of the process.
    """

    def __init__(self) -> None:
        self.is_worker = False
        self.pid = os.getpid()
        self._registered: set[str] = set()
        self._place: Place | None = None
        self._lock = threading.Lock()

    def place(self) -> Place:
        """Return the place by the settings in force."""
        options = settings.current().project
        with self._lock:
            if self._place is not None and self._place.options is options:
                return self._place
            wanted = Place(options, None)
            if self._place is None or not self._place._is_like(wanted):
                self.reset()
                if wanted.scheduler() is not None and wanted._type not in self._registered:
                    # After that of the pool's package, so that it comes before it.
                    _at_exit(self.reset)
                    self._registered.add(wanted._type)
                self._place = wanted
            return self._place

    def reset(self) -> None:
        """Wait for the calls, and end the workers."""
        if self._place is not None:
            self._place.close()
            self._place = None


# Before Python and loky end their pools, so that calls that wait for others still run.
_at_exit: Callable[[Callable[[], None]], object] = getattr(
    threading, "_register_atexit", atexit.register
)
PROGRAM = Program()


def scheduler() -> Scheduler | None:
    """Return what takes submitted calls here, None if they run at once."""
    if PROGRAM.is_worker or PROGRAM.pid != os.getpid():
        return None  # a forked process has none of the threads of its parent
    place = _here.get()
    if place is None:
        # A process that another has started for its calls starts no further ones.
        processes = sys.modules.get("multiprocessing.process")
        if processes is not None and processes.parent_process() is not None:
            return None
        place = PROGRAM.place()
    return place.scheduler()


@contextmanager
def running(default: str = "inline", make: Callable[[], Runner] | None = None) -> Iterator[None]:
    """Give the calls that are submitted in the block a runner, which ends with it.

    Parameters:
        default: the type of the runner if the options name none.
        make: makes the runner; None: it is made as the options say.
    """
    place = Place(settings.current().project, _here.get(), default, make=make)
    token = _here.set(place)
    try:
        yield
    except BaseException as error:
        place.close(error)
        raise
    else:
        place.close()
    finally:
        _here.reset(token)


@contextmanager
def at_once() -> Iterator[None]:
    """Run the calls that are submitted in the block at once, as on a worker."""
    token = _here.set(Place(settings.current().project, None, always="inline"))
    try:
        yield
    finally:
        _here.reset(token)


def _is_stop(error: BaseException | None) -> bool:
    """Tell whether the program is to end: what runs is stopped then, not finished."""
    return error is not None and not isinstance(error, Exception)
