"""A large array in and out, beside the libraries' own writers: python -m benchmarks.payloads.

For other sizes and formats there is benchmarks/large_payloads.py.
"""

from __future__ import annotations

import json
import tempfile

from benchmarks.large_payloads import alone, array, loading, saving

MEGABYTES = 100
_CONTENDERS = (
    ("numpy.save", ".npy"),
    ("prefectx", ".npy"),
    ("prefectx mmap", ".npy"),
    ("pickle", ".pkl"),
    ("prefectx", ".pkl"),
)


def main() -> None:
    """Print, by contender, seconds and megabytes beyond the array, saving and loading."""
    figures: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, suffix in _CONTENDERS:
            arguments = (name, f"{folder}/a{suffix}", array, MEGABYTES, 3)
            figures[f"{name}, {suffix}"] = [*alone(saving, *arguments), *alone(loading, *arguments)]
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
