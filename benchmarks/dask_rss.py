"""Memory that processes hold after many calls: with and without trimming, by value and by item.

    python benchmarks/dask_rss.py [calls]

Needs a Prefect server (PREFECT_API_URL), else an embedded one is started. Each figure comes from
a new process, in MB of resident memory.
"""

import multiprocessing
import sys
import tempfile

import psutil

import prefectx
from prefectx import flow, task

CALLS = int(sys.argv[1]) if len(sys.argv) > 1 else 200
DEPLOYMENTS = {
    "Dask, worker processes": ({"type": "dask"}, {"workers": 1}),
    "Dask, threads": ({"type": "dask"}, {"workers": 1, "processes": False}),
    "Prefect, threads": ({"type": "threads", "max_workers": 2}, {}),
    "Prefect, process pool": ({"type": "processes", "max_workers": 1}, {}),
}


@task(target="churn/{n}.txt")
def churn(n):
    """Make 100 MB of small objects, and free all but a few."""
    held = [bytes(600) for _ in range(160_000)]
    kept = held[:: len(held) // 4]
    del held
    return str(len(kept))


@task(target="blocks/{n}.bin")
def block(n):
    return bytes(5_000_000)


@task(target=None)
def size():
    return psutil.Process().memory_info().rss / 1e6


@flow
def churned():
    futures = [churn.submit(n) for n in range(CALLS)]
    for future in futures:
        future.wait()
    return max(future.result() for future in [size.submit() for _ in range(2)])


@flow
def passed_on():
    futures = [block.submit(n) for n in range(CALLS)]
    results = [future.result() for future in futures]
    workers = [child.memory_info().rss / 1e6 for child in psutil.Process().children(recursive=True)]
    return len(results), psutil.Process().memory_info().rss / 1e6, sum(workers)


def run(flow_name, settings, answer):
    with tempfile.TemporaryDirectory() as root, prefectx.override(root=root, **settings):
        answer.put(globals()[flow_name]())


def fresh(flow_name, **settings):
    """Run a flow in a new process and return what it returns."""
    answer = multiprocessing.Queue()
    process = multiprocessing.Process(target=run, args=(flow_name, settings, answer))
    process.start()
    found = answer.get()
    process.join()
    return found


def main():
    print(f"resident MB after {CALLS} calls {'no trim':>10} {'trim':>8}")
    for name, (runner, dask) in DEPLOYMENTS.items():
        sizes = [
            fresh("churned", runner=runner, dask={**dask, "trim": trim}) for trim in (False, True)
        ]
        print(f"{name:30} {sizes[0]:8.0f} {sizes[1]:8.0f}", flush=True)
    print(f"\n{CALLS} results of 5 MB, all asked for      client and scheduler  workers")
    for name, mode in (("by value", "prefect"), ("by item", "prefect.skiptask")):
        _, client, workers = fresh(
            "passed_on", mode=mode, runner={"type": "dask"}, dask={"workers": 2}
        )
        print(f"{name:44} {client:14.0f} {workers:8.0f}", flush=True)


if __name__ == "__main__":
    multiprocessing.set_start_method("spawn")
    sys.exit(main())
