"""The cost of submitting a call to Dask, with plain prefect-dask and with prefectx.

    python benchmarks/dask_submit.py [calls]

Needs a Prefect server (PREFECT_API_URL), else an embedded one is started. Both runs have two
worker processes and the same trivial task; the cluster's start is not counted.
"""

import sys
import tempfile
import time

import prefect
from prefect_dask import DaskTaskRunner

import prefectx


def trivial(n):
    return n


stock_task = prefect.task(trivial)
our_task = prefectx.task(trivial)


def measured(submit, calls):
    """Submit calls and wait for them: CPU of the client and wall time, in ms a call."""
    submit(-1).result()
    cpu, wall = time.process_time(), time.perf_counter()
    futures = [submit(n) for n in range(calls)]
    submitted = time.process_time() - cpu, time.perf_counter() - wall
    for future in futures:
        future.wait()
    total = time.process_time() - cpu, time.perf_counter() - wall
    return [1000 * seconds / calls for seconds in (*submitted, *total)]


@prefect.flow(
    task_runner=DaskTaskRunner(
        cluster_kwargs={"n_workers": 2, "threads_per_worker": 1, "dashboard_address": None}
    )
)
def stock(calls):
    return measured(stock_task.submit, calls)


@prefectx.flow
def ours(calls):
    return measured(our_task.submit, calls)


def main(calls):
    figures = {"prefect-dask": stock(calls)}
    with (
        tempfile.TemporaryDirectory() as root,
        prefectx.override(root=root, runner={"type": "dask"}, dask={"workers": 2}),
    ):
        figures["prefectx"] = ours(calls)
        figures["prefectx, finished"] = ours(calls)
    print(f"{'ms a call':20} submit CPU  submit wall  until over CPU  until over wall")
    for name, row in figures.items():
        print(f"{name:20} {row[0]:10.2f} {row[1]:12.2f} {row[2]:15.2f} {row[3]:16.2f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200)
