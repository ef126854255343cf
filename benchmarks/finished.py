"""A finished call: called, submitted and mapped, at 100 to 100,000 calls, beside the peers.

python -m benchmarks.finished [--short]; in full inside a flow run, so it needs a Prefect API.
"""

from __future__ import annotations

import itertools
import sys

from benchmarks.contenders import finish, floor, ours, peers, recorded
from benchmarks.harness import Contender, Result, measure, show
from prefectx import flow

COUNTS = {100: 9, 1000: 9, 10_000: 7, 100_000: 3}
SHORT = {100: 9, 1000: 9, 10_000: 5}


def measured(rivals: list[Contender], counts: dict[int, int]) -> list[Result]:
    return list(itertools.chain(*(_beside(rivals, count, counts[count]) for count in counts)))


def _beside(rivals: list[Contender], count: int, rounds: int) -> list[Result]:
    # A separate folder for each count, as the time to list a folder depends on its size.
    target = f"finished-{count}/{{n}}"
    own = [*ours("cache", target), *ours("prefect.skiptask", target)]
    own += recorded(count, f"recorded-{count}/{{n}}")
    return measure([floor(finish(count, target)), *own, *rivals], count, rounds)


def main() -> None:
    is_short = "--short" in sys.argv
    rivals = list(itertools.islice(peers(), 1)) if is_short else list(peers())
    # In the default mode a flow run also counts the calls that it skips.
    run = measured if is_short else flow(name="finished calls")(measured)
    show(run(rivals, SHORT if is_short else COUNTS))


if __name__ == "__main__":
    main()
