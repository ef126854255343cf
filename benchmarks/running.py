"""A call that runs: `function` mode against the plain function, `cache` mode against a save.

python -m benchmarks.running [--short]
"""

from __future__ import annotations

import itertools
import os
import pickle
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks.contenders import double
from benchmarks.harness import Contender, measure, show
from prefectx import task

BARE = "bare function"
SAVED = "bare function, atomic pickle save"

# New arguments for each call, so that none is finished.
_fresh = itertools.count()


def fresh_numbers(count: int) -> list[int]:
    """Return numbers that were no arguments before."""
    return list(itertools.islice(_fresh, count))


def loop(call: Callable[[int], object]) -> Callable[[int], object]:
    def work(count: int) -> None:
        for n in range(count):
            call(n)

    return work


def fresh(call: Callable[[int], object]) -> Callable[[int], object]:
    def work(count: int) -> None:
        for n in fresh_numbers(count):
            call(n)

    return work


def saved(folder: str, *, fsync: bool) -> Callable[[int], object]:
    """Return the function with an atomic save, as one writes it by hand."""
    Path(folder).mkdir()

    def call(n: int) -> int:
        result = double(n)
        temporary = f"{folder}/.{n}.tmp"
        with Path(temporary).open("wb") as stream:
            pickle.dump(result, stream)
            if fsync:
                os.fsync(stream.fileno())
        os.replace(temporary, f"{folder}/{n}")  # noqa: PTH105
        return result

    return call


def bare() -> Iterator[Contender]:
    plain = task(mode="function")(double)
    yield Contender(BARE, loop(double))
    yield Contender("prefectx function, called", loop(plain))
    yield Contender("prefectx function, submitted", loop(plain.submit))


def synced() -> Iterator[Contender]:
    yield Contender(f"{SAVED}, fsync", fresh(saved("bare-synced", fsync=True)))
    yield Contender("prefectx cache, fsync", fresh(_cached("synced/{n}", fsync=True)))


def unsynced() -> Iterator[Contender]:
    yield Contender(SAVED, fresh(saved("bare", fsync=False)))
    yield Contender("prefectx cache", fresh(_cached("unsynced/{n}", fsync=False)))


def peers() -> Iterator[Contender]:
    from cachier import cachier
    from diskcache import Cache
    from joblib import Memory

    yield Contender("joblib.Memory", fresh(Memory("joblib", verbose=0).cache(double)))
    yield Contender("diskcache", fresh(Cache("diskcache").memoize()(double)))
    yield Contender("cachier", fresh(cachier(cache_dir="cachier", separate_files=True)(double)))


def _cached(target: str, *, fsync: bool) -> Any:
    return task(target=target, mode="cache", fsync=fsync)(double)


def main() -> None:
    is_short = "--short" in sys.argv
    rounds = 7 if is_short else 15
    rivals = () if is_short else peers()
    show(
        [
            *measure(bare(), 10_000, rounds),
            *measure(synced(), 50, rounds),
            *measure([*unsynced(), *rivals], 200, rounds),
        ]
    )


if __name__ == "__main__":
    main()
