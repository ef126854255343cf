"""Calls on Prefect's threads, finished and run, beside Prefect's own.

python -m benchmarks.prefect_calls; with PREFECT_API_URL on that server, else on an embedded one.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from typing import Any

import prefect
from prefect.cache_policies import INPUTS
from prefect.futures import wait

from benchmarks.contenders import double, finish, floor, ours
from benchmarks.harness import Contender, Result, measure, show
from benchmarks.prefect_names import CACHED, STOCK
from prefectx import flow, task

CALLS = 20
ROUNDS = 5

# Numbers that no earlier run has used, as its outputs may still exist.
_fresh = itertools.count(time.time_ns())


def finished() -> Iterator[Contender]:
    stock = prefect.task(cache_policy=INPUTS, persist_result=True)(double)
    sent = task(target="finished/{n}", mode="prefect.cachetask")(double)
    yield floor(finish(CALLS))
    yield once("Prefect, cached, called", lambda count: [stock(n) for n in range(count)])
    yield once(CACHED, submitted(stock, range))
    yield once("prefectx prefect.cachetask, submitted", submitted(sent, range))
    yield from ours("prefect.skiptask")


def runs() -> Iterator[Contender]:
    kept = prefect.task(cache_policy=INPUTS, persist_result=True)(double)
    yield once(STOCK, submitted(prefect.task(double), fresh))
    yield once("Prefect, a run that keeps its result", submitted(kept, fresh))
    for mode in ("prefect", "prefect.cachetask", "prefect.skiptask"):
        run = task(target=f"{mode}/{{n}}", mode=mode)(double)
        yield once(f"prefectx {mode}, a run", submitted(run, fresh))


def once(name: str, work: Callable[[int], object]) -> Contender:
    """Return a contender that makes its calls once a round, as the server falls behind anyway."""
    return Contender(name, work, limit=CALLS)


def submitted(task: Any, numbers: Callable[[int], Any]) -> Callable[[int], object]:
    return lambda count: wait([task.submit(n) for n in numbers(count)])


def fresh(count: int) -> Any:
    return itertools.islice(_fresh, count)


@flow(log_prints=False)
def calls() -> list[Result]:
    return [*measure(finished(), CALLS, ROUNDS), *measure(runs(), CALLS, ROUNDS)]


if __name__ == "__main__":
    show(calls())
