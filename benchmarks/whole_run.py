"""One contender's whole run of finished tasks: python -m benchmarks.whole_run NAME COUNT."""

from __future__ import annotations

import sys

from benchmarks import contenders


def stat_loop(count: int) -> None:
    contenders.floor([f"finished/{n}" for n in range(count)]).work(count)


def prefectx(count: int) -> None:
    from prefectx import flow, task

    skipped = task(target=contenders.FINISHED)(contenders.double)
    flow(name="whole run")(lambda: [skipped.submit(n) for n in range(count)])()


def joblib(count: int) -> None:
    from joblib import Memory

    cached = Memory("joblib", verbose=0).cache(contenders.double)
    for n in range(count):
        cached(n)


def diskcache(count: int) -> None:
    from diskcache import Cache

    cached = Cache("diskcache").memoize()(contenders.double)
    for n in range(count):
        cached(n)


def prefect(count: int) -> None:
    import prefect
    from prefect.cache_policies import INPUTS

    cached = prefect.task(cache_policy=INPUTS, persist_result=True)(contenders.double)
    prefect.flow(name="whole run")(lambda: [cached.submit(n) for n in range(count)])()


if __name__ == "__main__":
    globals()[sys.argv[1]](int(sys.argv[2]))
