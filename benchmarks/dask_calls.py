"""Memory that client and scheduler use for a flow of many small calls.

    python -m benchmarks.dask_calls [calls]

The Prefect server, the scheduler, two workers and the client are separate processes; each figure is
the resident memory of one of them. The second flow shows how much memory of the first is used
again. Needs Linux; takes 100 ms a call and more.
"""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from socket import socket

from prefect.settings import temporary_settings

import prefectx
from benchmarks.server import server
from prefectx import flow, task

CALLS = 10_000
BEGUN = time.monotonic()

# Client and scheduler. Not a parameter of the flow, as those are sent to the workers.
processes = [os.getpid()]


@task(target="small/{n}.json")
def small(n):
    return n


@flow
def many(first, calls):
    small.submit(-1 - first).result()
    note("before")
    futures = [small.submit(n) for n in range(first, first + calls)]
    note("all submitted")
    for future in futures:
        future.wait()
    note("all over, futures kept")
    del future, futures
    note("all over, futures dropped")


def note(moment: str) -> None:
    gc.collect()
    now, highest = ([resident(pid, field) for pid in processes] for field in ("VmRSS", "VmHWM"))
    figures = " ".join(f"{size:9.1f} {most:8.1f}" for size, most in zip(now, highest, strict=True))
    print(f"{time.monotonic() - BEGUN:8.0f} {figures}  {moment}", flush=True)


def resident(pid: int, field: str) -> float:
    (line,) = [
        line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if field in line
    ]
    return int(line.split()[1]) * 1024 / 1e6


@contextmanager
def running(*arguments: str) -> Iterator[int]:
    """Run `dask ...` for the length of a block, and give its process."""
    process = subprocess.Popen(
        [sys.executable, "-m", "dask", *arguments],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process.pid
    finally:
        process.terminate()
        process.wait(30)


def free_port() -> int:
    with closing(socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def main(calls: int) -> None:
    port = str(free_port())
    address = f"tcp://127.0.0.1:{port}"
    scheduler = ["scheduler", "--host", "127.0.0.1", "--port", port, "--no-dashboard"]
    workers = ["worker", address, "--nworkers", "2", "--nthreads", "1", "--no-dashboard"]
    with ExitStack() as stack:
        root = stack.enter_context(tempfile.TemporaryDirectory())
        url = stack.enter_context(server())
        stack.enter_context(temporary_settings({"api.url": url}))
        processes.append(stack.enter_context(running(*scheduler)))
        stack.enter_context(running(*workers))
        stack.enter_context(
            prefectx.override(root=root, runner={"type": "dask"}, dask={"address": address})
        )
        print(f"{'':8} client MB  highest scheduler  highest")
        for first in (0, calls):
            many(first, calls)
            note("after the flow\n")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else CALLS)
