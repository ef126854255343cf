"""A finished call: called, submitted and mapped, at 100 to 100,000 calls, beside the peers.

python -m benchmarks.finished [--short]; in full inside a flow run, so it needs a Prefect API.
"""

from __future__ import annotations

import itertools
import sys

from benchmarks.contenders import finish, floor, ours, peers
from benchmarks.harness import Contender, Result, measure, show
from prefectx import flow

COUNTS = {100: 9, 1000: 9, 10_000: 7, 100_000: 3}
SHORT = {100: 9, 1000: 9, 10_000: 5}


def measured(contenders: list[Contender], counts: dict[int, int]) -> list[Result]:
    return list(itertools.chain(*(measure(contenders, count, counts[count]) for count in counts)))


def main() -> None:
    is_short = "--short" in sys.argv
    counts = SHORT if is_short else COUNTS
    paths = finish(max(counts))
    rivals = list(itertools.islice(peers(), 1)) if is_short else list(peers())
    contenders = [floor(paths), *ours("cache"), *ours("prefect.skiptask"), *rivals]
    # The default mode: what skips in a flow run also counts there.
    run = measured if is_short else flow(name="finished calls")(measured)
    show(run(contenders, counts))


if __name__ == "__main__":
    main()
