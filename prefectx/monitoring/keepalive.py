"""Keepalive: a helper process reports long tasks, and marks runs Crashed if their process died.

Each process that runs tasks starts one helper, with its first task, and tells it over a pipe what
is running. As it is a process, it also reports tasks that hold the interpreter. If the pipe ends
without a goodbye, or the helper gets another parent, the process is dead.
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
from typing import IO, NamedTuple

_HELPER = Path(__file__).with_name("keepalive_helper.py")
_ENDS_WITHIN = 5.0


class Api(NamedTuple):
    """How the helper reaches the API of a run.

    Attributes:
        url: its address.
        headers: the headers of each request, including authentication.
        verify: whether to check the server's certificate.
        ca_file: certificates to check it against, None for those of the system.
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
        flow_run_id: its flow run, None for a task outside a flow.
        restarted: whether something else restarts it or reports its death.
    """

    kind: str
    id: str
    name: str
    flow_run_id: str | None
    restarted: bool = False


def begin(run: Run, api: Api, interval: float | None) -> None:
    """Watch a run until `end`.

    Parameters:
        run: the run.
        api: the API to report to.
        interval: seconds between reports while it runs, None for no reports.
    """
    HELPERS.get(api).tell("begin", run=run._asdict(), interval=interval, since=time.time())


def end(run: Run, api: Api) -> None:
    """Stop watching a run."""
    HELPERS.get(api).tell("end", id=run.id)


@contextmanager
def watching(run: Run, api: Api, interval: float | None) -> Iterator[None]:
    """Watch a run during the block; the parameters are those of `begin`."""
    begin(run, api, interval)
    try:
        yield
    finally:
        end(run, api)


class Helper:
    """A connection to a helper process.

    Parameters:
        api: the API that it reports to.
    """

    def __init__(self, api: Api) -> None:
        self._lock = threading.Lock()
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(_HELPER)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            # Ctrl-C must reach the run only; the helper notices when the run ends.
            start_new_session=True,
            text=True,
            encoding="utf-8",
        )
        # Through the pipe: other users can read the arguments and variables of a process.
        self.tell("api", parent=os.getpid(), **api._asdict())

    def tell(self, what: str, **details: object) -> None:
        """Send a message to the helper; if it has ended, nothing happens."""
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
        """Tell the helper to end: nothing is wrong."""
        self.tell("goodbye")
        with self._lock:
            if self._process.stdin is not None and not self._process.stdin.closed:
                self._process.stdin.close()
        # If the server is away, the helper waits for it, and ends later.
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_ENDS_WITHIN)


class Helpers:
    """The helpers of this process, one for each API."""

    def __init__(self) -> None:
        self._by_api: dict[str, Helper] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._by_api)

    def get(self, api: Api) -> Helper:
        """Return the helper of an API; the first call starts it."""
        key = repr(api)
        helper = self._by_api.get(key)
        if helper is None:
            with self._lock:
                helper = self._by_api.get(key) or self._by_api.setdefault(key, Helper(api))
        return helper

    def reset(self) -> None:
        """End all helpers: the runs of this process are over."""
        while self._by_api:
            self._by_api.popitem()[1].say_goodbye()

    def forget(self) -> None:
        """Leave the helpers to the parent: a forked process must not write into its pipes."""
        self._by_api.clear()
        self._lock = threading.Lock()


HELPERS = Helpers()
atexit.register(HELPERS.reset)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=HELPERS.forget)
