"""Twenty calls of 600 MB on two workers of 1 GB: as Dask does it, and with `dask.memory`.

    python benchmarks/dask_needs.py

Needs a Prefect server (PREFECT_API_URL), else an embedded one is started. Each worker has two
threads: without `dask.memory`, Dask runs two calls at a time on each.
"""

import tempfile
import time
from collections import Counter
from pathlib import Path

import prefect
from prefect_dask import DaskTaskRunner

import prefectx

CALLS = 20
PATIENCE = 150
"""Seconds to wait: plain prefect-dask may wait for ever for workers that do not come back."""

CLUSTER = {"n_workers": 2, "threads_per_worker": 2, "memory_limit": "1GB"}


def eat(n, calls):
    """Hold 600 MB for a while; note that it was executed."""
    with (Path(calls) / "executed").open("a") as file:
        file.write(f"{n}\n")
    held = []
    for _ in range(30):
        held.append(bytearray(20_000_000))
        time.sleep(0.02)
    return n


@prefect.flow(task_runner=DaskTaskRunner(cluster_kwargs=CLUSTER | {"dashboard_address": ":0"}))
def stock(folder):
    futures = [prefect.task(eat).submit(n, folder) for n in range(CALLS)]
    return finished(futures)


our_task = prefectx.task(target="eaten/{n}.json")(eat)


@prefectx.flow
def ours(folder):
    return finished([our_task.submit(n, folder) for n in range(CALLS)])


def finished(futures):
    count = 0
    deadline = time.monotonic() + PATIENCE
    for future in futures:
        try:
            future.result(timeout=max(1, deadline - time.monotonic()))
            count += 1
        except Exception as error:  # the count is the result
            print(f"  lost: {type(error).__name__}: {str(error)[:150]}")
    return count


def report(name, flow):
    with tempfile.TemporaryDirectory() as folder, prefectx.override(root=folder):
        begun = time.perf_counter()
        done = flow(folder)
        seconds = time.perf_counter() - begun
        executed = Counter((Path(folder) / "executed").read_text().split())
    print(f"{name:32} {done:3} of {CALLS} done, {executed.total()} executions, {seconds:5.0f} s")


def main():
    report("prefect-dask", stock)
    dask = {"workers": 2, "threads_per_worker": 2, "memory_limit": "1GB"}
    with prefectx.override(runner={"type": "dask"}, dask=dask):
        report("prefectx", ours)
        with prefectx.override(tasks={"eat": {"dask": {"memory": "600MB"}}}):
            report('prefectx, dask.memory = "600MB"', ours)


if __name__ == "__main__":
    main()
