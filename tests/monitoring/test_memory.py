"""When memory is given back: the rule, on numbers."""

import pytest

from prefectx.monitoring.memory import Trimmer


class Process:
    """A process that is as large as it is told, and small after it has given back."""

    def __init__(self) -> None:
        self.size = 100
        self.kept = 0
        self.released = 0

    def release(self) -> None:
        self.released += 1
        self.size -= self.kept
        self.kept = 0

    def grow(self, freed: int = 0, used: int = 0) -> None:
        self.size += freed + used
        self.kept += freed


@pytest.fixture
def process() -> Process:
    return Process()


@pytest.fixture
def trimmer(process: Process) -> Trimmer:
    return Trimmer(lambda: process.size, process.release, growth=64)


def test_small_tasks_cost_no_trimming(process, trimmer):
    """Nothing is done before the process has grown by enough."""
    for _ in range(3):
        trimmer.begin()
        process.grow(freed=10)
        trimmer.end()
    assert process.released == 0


def test_growth_is_given_back(process, trimmer):
    """The task that takes the process over the threshold pays for all before it."""
    for _ in range(7):
        trimmer.begin()
        process.grow(freed=10)
        trimmer.end()
    assert process.released == 1
    assert process.size == 100


def test_what_is_in_use_is_the_new_measure(process, trimmer):
    """Memory that stays in use is not looked for again after each task."""
    trimmer.begin()
    process.grow(used=500)
    trimmer.end()
    for _ in range(3):
        trimmer.begin()
        trimmer.end()
    assert process.released == 1


def test_what_others_held_is_given_back_when_they_end(process, trimmer):
    """A trim while another task holds its data is made good when no task runs."""
    trimmer.begin()
    trimmer.begin()
    process.grow(used=500)
    trimmer.end()
    assert process.size == 600
    process.kept = 500
    trimmer.end()
    assert process.size == 100
