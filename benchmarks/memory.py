"""Memory held per finished call, in bytes: python -m benchmarks.memory."""

from __future__ import annotations

import gc
import json
import tracemalloc
from collections.abc import Callable

from benchmarks.contenders import FINISHED, double, finish
from prefectx import task
from prefectx.calls import target_owners

CALLS = 10_000


def held(work: Callable[[], object]) -> float:
    """Return what is allocated after the calls and was not before."""
    target_owners().clear()
    gc.collect()
    tracemalloc.start()
    kept = work()
    gc.collect()
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    del kept
    return size / CALLS


def main() -> None:
    finish(CALLS)
    figures = {}
    for mode in ("cache", "prefect.skiptask"):
        skipped = task(target=FINISHED, mode=mode)(double)
        skipped(0)

        def called(skipped=skipped) -> None:
            for n in range(CALLS):
                skipped(n)

        def submitted(skipped=skipped) -> object:
            return [skipped.submit(n) for n in range(CALLS)]

        figures[f"prefectx {mode}, called"] = held(called)
        figures[f"prefectx {mode}, submitted, the futures kept"] = held(submitted)
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
