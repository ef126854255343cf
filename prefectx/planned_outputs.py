"""What is known of outputs while a plan is made: which will change, or are deleted by the flow."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn, Protocol, SupportsIndex

from prefectx.masking import mask_urls
from prefectx.scope import Scoped


class Output(Protocol):
    """The part of an item that plans need."""

    @property
    def location(self) -> str:
        """Its path, URL or key."""

    def __hash__(self) -> int: ...


_PACKAGE = str(Path(__file__).parent)


class PlanEndsError(BaseException):
    """The flow needs something that only a run can tell; no `except Exception` catches it."""


class PlannedOutputs:
    """The outputs that a flow run would change.

    Attributes:
        unsettled: outputs of calls that would run, or might: what they will hold is not known.
        saved: outputs that the flow itself saves.
        deleted: outputs that the flow itself deletes.
        versions: outputs of which an earlier version would be put back, and which.
        lazy: outputs that wait to be needed.
        others: the threads that ran before, and may run other calls.
        sees_all: whether finished calls are handed to the engine, too.
        is_uncertain: whether what is called now is needed only by a call that may not run.
    """

    def __init__(self) -> None:
        self.unsettled: set[Output] = set()
        self.saved: set[Output] = set()
        self.deleted: set[Output] = set()
        self.versions: dict[Output, str | None] = {}
        self.lazy: dict[Output, Any] = {}
        self.is_uncertain = False
        self.sees_all = False
        self.others = {thread.ident for thread in threading.enumerate()}

    @contextmanager
    def uncertain(self, is_uncertain: bool) -> Iterator[None]:
        """Take note in the block of calls that are needed only by one that may not run."""
        before, self.is_uncertain = self.is_uncertain, self.is_uncertain or is_uncertain
        try:
            yield
        finally:
            self.is_uncertain = before

    def is_unsettled(self, item: Output) -> bool:
        """Tell whether nobody knows what an output would hold."""
        return item in self.unsettled or item in self.saved

    def check(self, item: Output) -> None:
        """End the plan if the data of an output is needed that are not there yet."""
        if self.is_unsettled(item) or item in self.versions:
            where = mask_urls(item.location)
            raise PlanEndsError(f"it looks at the data of {where}, which would be made first")
        if item in self.deleted:
            raise PlanEndsError(f"it looks at {mask_urls(item.location)}, which it has deleted")

    def exists(self, item: Output) -> bool | None:
        """Tell whether an output would exist at this point; None: as it is on disk."""
        if self.is_unsettled(item) or item in self.versions:
            return True
        return False if item in self.deleted else None

    def save(self, item: Output) -> None:
        """Take note that the flow itself saves an output."""
        self.deleted.discard(item)
        self.saved.add(item)

    def delete(self, item: Output) -> None:
        """Take note that the flow itself deletes an output."""
        self.unsettled.discard(item)
        self.saved.discard(item)
        self.deleted.add(item)


PLANNED: Scoped[PlannedOutputs] = Scoped("prefectx_planned_outputs")


def planned() -> PlannedOutputs | None:
    """Return what is known of outputs while a plan is made, None if none is made.

    It counts for threads that are started meanwhile too, and not for those that run other calls.
    """
    here = PLANNED.here.get()
    if here is not None or PLANNED.everywhere is None:
        return here
    return None if threading.get_ident() in PLANNED.everywhere.others else PLANNED.everywhere


def planning() -> bool:
    """Tell whether the flow's code runs only to plan: no task is executed, nothing is written."""
    return planned() is not None


class PlannedData:
    """The result of a call that keeps nothing and was not made: any use of it ends the plan.

    Parameters:
        task: the name of the task.
    """

    def __init__(self, task: str) -> None:
        self._task = task

    def _ends(self, *_: object) -> NoReturn:
        raise PlanEndsError(f"it looks at the result of {self._task!r}, which keeps no output")

    def __getattr__(self, name: str) -> NoReturn:
        asked_by = sys._getframe(1).f_code.co_filename
        if name.startswith("__") or asked_by.startswith(_PACKAGE):
            raise AttributeError(name)  # it was asked only to see what kind of value this is
        self._ends()

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        raise TypeError(f"the result of {self._task!r} is not known while a plan is made")

    def __repr__(self) -> str:
        return f"<the result of {self._task!r}, not known while a plan is made>"


_OPERATORS = (
    "bool len iter next reversed contains getitem setitem delitem lt le gt ge int float complex "
    "index str format bytes call enter exit aiter anext await round neg pos abs invert add radd "
    "sub rsub mul rmul matmul rmatmul truediv rtruediv floordiv rfloordiv mod rmod divmod rdivmod "
    "pow rpow lshift rlshift rshift rrshift and rand or ror xor rxor fspath"
)
for _operator in _OPERATORS.split():
    setattr(PlannedData, f"__{_operator}__", PlannedData._ends)
