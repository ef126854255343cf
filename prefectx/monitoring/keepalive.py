"""Keepalive: a helper process that speaks for long tasks, and for a run whose process has died.

One helper for each process that runs tasks, started with the first of them. It is told over a
pipe what runs; a task that holds the interpreter cannot keep it from speaking. The end of the
pipe without a farewell, or another parent, says that the process is dead.
"""

from __future__ import annotations

import atexit
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, NamedTuple

_HELPER = Path(__file__).with_name("keepalive_helper.py")


class Api(NamedTuple):
    """What the helper needs to talk to an API as the run does.

    Attributes:
        url: its address.
        headers: the headers of each request, authentication among them.
        verify: whether the certificate of the server is checked.
        ca_file: the file of the certificates that it is checked against, None for the system's.
        outage: seconds that the server may be away.
        server_pid: the process of the embedded server that the run has started, None without one.
    """

    url: str
    headers: dict[str, str]
    verify: bool = True
    ca_file: str | None = None
    outage: float = 600.0
    server_pid: int | None = None


class Run(NamedTuple):
    """A run to watch.

    Attributes:
        kind: `task` or `flow`.
        id: its id at the API.
        name: its name.
        flow_run_id: the flow run that it belongs to, None for a task outside a flow.
        restarted: whether something else will start it again, or report its death.
    """

    kind: str
    id: str
    name: str
    flow_run_id: str | None
    restarted: bool = False


def begin(run: Run, api: Api, interval: float | None) -> None:
    """Have a run watched until `end`.

    Parameters:
        run: the run.
        api: where to report.
        interval: seconds between reports of a run that is not over; None: none are made.
    """
    _helper_for(api).tell("begin", run=run._asdict(), interval=interval, since=time.time())


def end(run: Run, api: Api) -> None:
    """Have a run watched no more."""
    _helper_for(api).tell("end", id=run.id)


@contextmanager
def watching(run: Run, api: Api, interval: float | None) -> Iterator[None]:
    """Have a run watched while the block goes on; the parameters are those of `begin`."""
    begin(run, api, interval)
    try:
        yield
    finally:
        end(run, api)


class Helper:
    """The helper process, as this process sees it.

    Parameters:
        api: where it reports.
    """

    def __init__(self, api: Api) -> None:
        self._lock = threading.Lock()
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(_HELPER)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            # A session of its own: Ctrl-C is for the run, the helper sees the run's end.
            start_new_session=True,
            text=True,
            encoding="utf-8",
        )
        # Secrets go through the pipe: arguments and variables of a process can be read by others.
        self.tell("api", parent=os.getpid(), **api._asdict())

    def tell(self, what: str, **details: Any) -> None:
        """Tell the helper something; one that has ended hears nothing, and no run suffers."""
        line = json.dumps({"what": what, **details}) + "\n"
        pipe: IO[str] | None = self._process.stdin
        try:
            with self._lock:
                if pipe is not None and not pipe.closed:
                    pipe.write(line)
                    pipe.flush()
        except BrokenPipeError:
            self._process.poll()

    def say_goodbye(self) -> None:
        """Tell the helper that all is well and that it may end."""
        self.tell("goodbye")
        with self._lock:
            if self._process.stdin is not None and not self._process.stdin.closed:
                self._process.stdin.close()
        # A helper that waits for a server that is away ends by itself.
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_ENDS_WITHIN)


_ENDS_WITHIN = 5.0
_helpers: dict[Api, Helper] = {}
_starting = threading.Lock()


def _helper_for(api: Api) -> Helper:
    key = api._replace(headers=_Frozen(api.headers))
    helper = _helpers.get(key)
    if helper is None:
        with _starting:
            helper = _helpers.get(key) or _helpers.setdefault(key, Helper(api))
    return helper


class _Frozen(dict[str, str]):
    """Headers that can be part of a key."""

    def __hash__(self) -> int:  # type: ignore[override]  # a dict has none
        return hash(frozenset(self.items()))


def stop() -> None:
    """End the helpers of this process: its runs are over."""
    while _helpers:
        _helpers.popitem()[1].say_goodbye()


def _forget() -> None:
    # A forked process shares the pipes of its parent: it must not speak into them.
    global _starting
    _starting = threading.Lock()
    _helpers.clear()


atexit.register(stop)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
