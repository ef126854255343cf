"""Calls that run side by side: `cache` mode on a runner against the bare pool, both with a save.

python -m benchmarks.runners [--short]
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import prefectx
from benchmarks.contenders import double
from benchmarks.harness import Contender, Result, measure, show
from benchmarks.running import fresh_numbers, saved
from prefectx import task

WORKERS = 2
POOLS = {"threads": "ThreadPoolExecutor", "processes": "loky", "dask": "Client.submit"}


def ours(runner: str) -> Contender:
    """Return calls on a runner that has its workers already."""
    target = f"{runner}/{{n}}"
    mapped = task(target=target, mode="cache", fsync=False)(double).map
    chosen = {"type": runner, "max_workers": WORKERS}

    def work(count: int) -> None:
        with prefectx.override(runner=chosen, dask={"workers": WORKERS, "threads_per_worker": 1}):
            mapped(fresh_numbers(count)).wait()

    return Contender(f"prefectx cache, {runner}", work)


def bare(runner: str, submit: Callable[..., Any], wait: Callable[[list[Any]], object]) -> Contender:
    """Return the same calls on a pool that has its workers already."""
    save = saved(f"bare-{runner}", fsync=False)

    def work(count: int) -> None:
        wait([submit(save, n) for n in fresh_numbers(count)])

    return Contender(f"{POOLS[runner]}, atomic pickle save", work)


def _results(futures: Iterable[Future[object]]) -> list[object]:
    return [future.result() for future in futures]


def main() -> None:
    from distributed import Client, LocalCluster
    from loky import ProcessPoolExecutor

    is_short = "--short" in sys.argv
    count, rounds = (300, 5) if is_short else (1000, 7)
    found: list[Result] = []
    with ThreadPoolExecutor(WORKERS) as threads:
        pair = [bare("threads", threads.submit, _results), ours("threads")]
        found += measure(pair, count, rounds)
    with ProcessPoolExecutor(WORKERS) as processes:
        pair = [bare("processes", processes.submit, _results), ours("processes")]
        found += measure(pair, count, rounds)
    with (
        LocalCluster(WORKERS, threads_per_worker=1, dashboard_address=None) as cluster,
        Client(cluster, set_as_default=False) as client,
    ):
        submit = lambda function, n: client.submit(function, n, pure=False)  # noqa: E731
        found += measure([bare("dask", submit, client.gather), ours("dask")], count, rounds)
    show(found)


if __name__ == "__main__":
    main()
