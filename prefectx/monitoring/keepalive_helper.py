"""The helper process of keepalive. It imports only the standard library, to start quickly.

It reads lines of JSON from its standard input: the address of the API, the runs that begin and
end, and the goodbye. See keepalive.py. The file is long because it is one program that imports no
other module of prefectx.
"""

from __future__ import annotations

import json
import os
import select
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from datetime import UTC, datetime
from typing import TypedDict, cast

_TICK = 0.5
_ANSWER_WITHIN = 4.0
_PAUSE = 2.0
_LOOK = 10.0
_FINAL = ("COMPLETED", "FAILED", "CRASHED", "CANCELLED")
_INFO, _WARNING = 20, 30


Json = dict[str, object]


class Run(TypedDict):
    """A run, as keepalive.py describes it."""

    kind: str
    id: str
    name: str
    flow_run_id: str | None
    restarted: bool


class Api:
    """A client of Prefect's API that needs only the standard library.

    Parameters:
        url: its address.
        headers: the headers of each request.
        verify: whether to check the server's certificate.
        ca_file: certificates to check it against, None for those of the system.
        outage: seconds that the server may be away.
    """

    def __init__(
        self, url: str, headers: dict[str, str], verify: bool, ca_file: str | None, outage: float
    ) -> None:
        self.url = url
        self.headers = {"Content-Type": "application/json", **headers}
        self.outage = outage
        self.tls = _tls(verify, ca_file) if url.startswith("https") else None

    def ask(self, path: str, body: object = None) -> Json:
        """Send a request, a POST if it has a body, else a GET; return the answer."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, self.headers)
        with urllib.request.urlopen(request, timeout=_ANSWER_WITHIN, context=self.tls) as answer:
            text = answer.read()
        return cast(Json, json.loads(text or "{}"))

    def post(self, path: str, body: object) -> Json:
        """Send a POST request, with a token if the server requires one."""
        try:
            return self.ask(path, body)
        except urllib.error.HTTPError as error:
            if error.code != 403 or b"CSRF" not in error.read():
                raise
        client = str(uuid.uuid4())
        token = str(self.ask(f"/csrf-token?client={client}")["token"])
        self.headers |= {"Prefect-Csrf-Client": client, "Prefect-Csrf-Token": token}
        return self.ask(path, body)


class Watched:
    """A run that is not over.

    Parameters:
        run: the run.
        interval: seconds between reports, None for no reports.
        since: when it began, in seconds since the epoch.
    """

    def __init__(self, run: Run, interval: float | None, since: float) -> None:
        self.run = run
        self.interval = interval
        self.since = since
        self.next = since + interval if interval else float("inf")

    def is_due(self, now: float) -> bool:
        """Tell whether a report is due; if so, schedule the next one."""
        if now < self.next or self.interval is None:
            return False
        self.next += self.interval * (1 + (now - self.next) // self.interval)
        return True

    def line(self, message: str, level: int = _INFO) -> Json:
        """Return a line of the run's log in the form of the API."""
        is_task = self.run["kind"] == "task"
        return {
            "name": "prefectx.keepalive",
            "level": level,
            "message": message,
            "timestamp": datetime.now(UTC).isoformat(),
            "flow_run_id": self.run["flow_run_id"],
            "task_run_id": self.run["id"] if is_task else None,
        }


class Helper:
    """Watches the runs of its parent process."""

    def __init__(self) -> None:
        self.api: Api | None = None
        self.parent = os.getppid()
        self.server_pid: int | None = None
        self.runs: dict[str, Watched] = {}
        self.unsent: list[Json] = []
        self.warned: list[Watched] = []
        self.away_since = 0.0
        self.retry_at = 0.0
        self.look_at = time.time() + _LOOK
        self.missed = False

    def serve(self) -> None:
        """Watch until the goodbye, or until the parent is dead."""
        buffered = b""
        while True:
            ready, _, _ = select.select([0], [], [], _TICK)
            if ready:
                chunk = os.read(0, 65536)
                if not chunk:
                    return self.bury()
                *lines, buffered = (buffered + chunk).split(b"\n")
                if not all(map(self.hear, lines)):
                    return self.leave()
            if os.getppid() != self.parent:
                return self.bury()
            self.report()

    def hear(self, line: bytes) -> bool:
        """Handle a message of the parent; return False if it is the goodbye."""
        told = json.loads(line)
        what = told.pop("what")
        if what == "api":
            self.parent, self.server_pid = told.pop("parent"), told.pop("server_pid")
            self.api = Api(**told)
        elif what == "begin":
            self.runs[told["run"]["id"]] = Watched(**told)
        elif what == "end":
            self.runs.pop(told["id"], None)
        return bool(what != "goodbye")

    def report(self) -> None:
        """Report each run that is due as still running."""
        now = time.time()
        for watched in self.runs.values():
            if watched.is_due(now):
                elapsed = in_words(now - watched.since)
                message = f"Still running after {elapsed}, memory {memory(self.parent)}"
                show(watched, message)
                self.unsent.append(watched.line(message))
        self.send()
        if now >= self.look_at and self.flows():
            self.look()

    def flows(self) -> list[Watched]:
        """Return the flow runs; a worker has none."""
        return [watched for watched in self.runs.values() if watched.run["kind"] == "flow"]

    def look(self) -> None:
        """Check that the server answers, as short tasks send no reports that would show it."""
        self.look_at = time.time() + (_PAUSE if self.warned else _LOOK)
        try:
            if self.api is not None:
                self.api.ask("/health")
        except OSError as error:
            # A busy server may miss one request.
            if self.missed:
                self.say_away(error)
            self.missed = True
        else:
            self.missed = False
            self.say_back()

    def send(self) -> None:
        """Send the log lines; keep them if the server is away."""
        if not self.unsent or time.time() < self.retry_at or self.api is None:
            return
        try:
            self.api.post("/logs/", self.unsent)
        except OSError as error:  # HTTPError and URLError are subclasses
            self.retry_at = time.time() + _PAUSE
            self.say_away(error)
        else:
            self.unsent = []
            self.say_back()

    def say_away(self, error: OSError) -> None:
        """Warn once that the server does not answer."""
        if not self.warned:
            self.away_since = time.time()
            self.warned = self.flows() or list(self.runs.values())
            self.warn(f"Prefect's server does not answer ({error}); logs and states are kept")

    def say_back(self) -> None:
        """Tell the runs that were warned that the server answers again."""
        if self.warned:
            away = in_words(time.time() - self.away_since)
            self.warn(f"Prefect's server answers again after {away}")
            self.warned = []
            self.send()

    def warn(self, message: str) -> None:
        """Log a warning in the runs of `warned`."""
        for watched in self.warned:
            show(watched, message, "WARNING")
            self.unsent.append(watched.line(message, _WARNING))

    def leave(self) -> None:
        """Try once to send what is left: the parent ends normally and waits for this process."""
        self.retry_at = 0.0
        self.send()

    def bury(self) -> None:
        """After the death of the parent, mark the runs Crashed that nothing else restarts."""
        deadline = time.time() + (self.api.outage if self.api else 0)
        dead = [w for w in self.runs.values() if not w.run["restarted"]]
        # Tasks first: people look at a flow run as soon as its state is final.
        dead.sort(key=lambda watched: watched.run["kind"] == "flow")
        while dead and time.time() < deadline:
            try:
                self.mark(dead[0])
                del dead[0]
            except OSError:
                time.sleep(_PAUSE)
        if self.server_pid is not None:
            end(self.server_pid)

    def mark(self, watched: Watched) -> None:
        """Mark a run Crashed, unless its state is final or the server does not know it."""
        assert self.api is not None
        path = f"/{watched.run['kind']}_runs/{watched.run['id']}"
        try:
            state = cast(Json, self.api.ask(path).get("state") or {})
        except urllib.error.HTTPError as error:
            if error.code == 404:
                return
            raise
        if state.get("type") in _FINAL:
            return
        message = f"The process of the run ({self.parent}) has died without a word."
        crashed = {"type": "CRASHED", "name": "Crashed", "message": message}
        self.api.post(f"{path}/set_state", {"state": crashed, "force": True})
        show(watched, message, "ERROR")


def _tls(verify: bool, ca_file: str | None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=ca_file)
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def show(watched: Watched, message: str, level: str = "INFO") -> None:
    """Write a line to standard error in the form of a run's log."""
    run = watched.run
    clock = time.strftime("%H:%M:%S")
    kind = run["kind"].capitalize()
    print(
        f"{clock} | {level:<7} | keepalive | {kind} run {run['name']!r} - {message}",
        file=sys.stderr,
        flush=True,
    )


def memory(pid: int) -> str:
    """Return the resident memory of a process: `1.23 GB`, `45 MB`."""
    try:
        with open(f"/proc/{pid}/statm", encoding="ascii") as statm:  # noqa: PTH123  # bare Python
            size = int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        shown = subprocess.run(
            ["ps", "-o", "rss=", "-p", str(pid)], capture_output=True, text=True, check=False
        )
        size = int(shown.stdout.strip() or 0) * 1024
    return f"{size / 1e9:.2f} GB" if size >= 1e9 else f"{size / 1e6:.0f} MB"


def in_words(seconds: float) -> str:
    """Format a duration: `45 s`, `3 min 20 s`, `2 h 5 min`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def end(pid: int) -> None:
    """Stop the embedded server that the dead parent has left behind."""
    try:
        os.kill(pid, 15)
    except ProcessLookupError:
        return


if __name__ == "__main__":
    Helper().serve()
