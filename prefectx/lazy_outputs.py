"""Outputs of lazy calls that are not made yet: whoever reads one has it made first."""

from __future__ import annotations

from typing import Protocol

from prefectx.planned_outputs import Output, planned

CHANGED = "changed"
"""Stands for the version of an output that would be made from something else than the last time."""


class LazyOutput(Protocol):
    """An output that is made when it is needed."""

    @property
    def version(self) -> str | None:
        """The version that it would have.

        That of its record if nothing has changed, CHANGED if something has, None if nobody knows.
        """

    def is_changed(self) -> bool:
        """Tell whether it would be made from something else; waits for what decides that."""

    @property
    def is_started(self) -> bool:
        """Whether something has needed it, and it is being made."""

    def make(self) -> None:
        """Have it made, and wait until it is.

        Raises:
            Exception: its call failed.
        """


_EVERYWHERE: dict[Output, LazyOutput] = {}


def lazy_outputs() -> dict[Output, LazyOutput]:
    """Return the outputs that wait to be needed; a plan has its own."""
    plan = planned()
    return _EVERYWHERE if plan is None else plan.lazy


def lazy_output(item: Output | None) -> LazyOutput | None:
    """Return the lazy output at an item, None if it does not wait to be needed."""
    found = lazy_outputs()
    return found.get(item) if found and item is not None else None


def reset() -> None:
    """Forget all of them."""
    _EVERYWHERE.clear()
