"""Lazy calls: one whose output is missing runs when something that runs needs it.

In one file, as the futures of lazy calls and what starts them refer to each other.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from contextvars import copy_context
from functools import partial
from typing import Any, cast

from prefectx.arguments.marks import is_annotated, is_marked, quote
from prefectx.arguments.traversal import replace
from prefectx.calls.call import Call
from prefectx.calls.decision import Decision, Refuse, Skip, Wait, decide
from prefectx.calls.facts import look
from prefectx.futures import Future, LocalState, State, item_of, item_or, listed
from prefectx.item import Item
from prefectx.lazy_outputs import CHANGED, lazy_output, lazy_outputs
from prefectx.monitoring.progress import current
from prefectx.monitoring.summary import RunSummary
from prefectx.planned_outputs import planned

WaitFor = Any
HandOn = Callable[[Call, Decision, WaitFor], Future[object]]


_UNASKED = "not asked yet"


class LazyFuture(Future[object]):
    """A call that runs when it is needed: when its result is asked for, or a consumer runs.

    Parameters:
        call: the call.
        wait_for: futures to wait for first.
        hand_on: hands the call to its engine.

    Attributes:
        run: the summary of the flow run that made the call, None outside one.
    """

    __slots__ = (
        "__weakref__",
        "_callbacks",
        "_context",
        "_hand_on",
        "_lock",
        "_real",
        "_version",
        "_waiting",
        "call",
        "item",
        "run",
        "wait_for",
    )  # fmt: skip

    def __init__(self, call: Call, wait_for: WaitFor, hand_on: HandOn) -> None:
        self.call = call
        self.item = call.item
        self.wait_for = wait_for
        self.run: RunSummary | None = current()
        self._hand_on = hand_on
        self._real: Future[object] | None = None
        self._callbacks: list[Callable[[Future[object]], object]] = []
        self._context = copy_context()
        self._lock = threading.RLock()
        self._waiting = lazy_outputs()
        self._version: str | None = _UNASKED

    @property
    def state(self) -> State[object]:  # type: ignore[override]  # made on access
        """The state of the call: pending until it is needed."""
        return LocalState("PENDING", "Pending", None) if self._real is None else self._real.state

    @property
    def _final_state(self) -> State[object] | None:
        # Prefect's own `wait` looks here.
        return self.state if self.state.is_final() else None

    @property
    def version(self) -> str | None:
        """The version that the output would have; see `LazyOutput`.

        None as long as an input is being made: nobody knows what it will be.
        """
        waiting = [self] if self._version is _UNASKED else []
        while waiting:  # as in `start`: first those of its inputs
            last = waiting[-1]
            below = [each for each in last._lazy_inputs() if each._version is _UNASKED]
            if any(map(_is_open, last.call.inputs)) or any(each.is_started for each in below):
                return None
            if below and last._version is _UNASKED:
                waiting += below
            else:
                last._version = _version(last.call)
                waiting.pop()
        return self._version

    def is_changed(self) -> bool:
        """Tell whether the output would be another one; waits for what decides that."""
        self.settle()
        return self.version == CHANGED

    def settle(self) -> None:
        """Wait for the inputs that are being made, so that the version is known."""
        waiting, seen = [self], {self}
        while waiting:
            lazy = waiting.pop()
            for future in lazy.call.inputs:
                if _is_open(future):
                    future.wait()
            for below in lazy._lazy_inputs():
                if below.is_started:
                    below.wait()
                elif below not in seen:
                    seen.add(below)
                    waiting.append(below)

    def _lazy_inputs(self) -> list[LazyFuture]:
        return [] if self.call.is_plain else _lazy_in(self.call.arguments.values())

    @property
    def is_started(self) -> bool:
        """Whether something has needed it."""
        return self._real is not None

    def start(self) -> Future[object]:
        """Have the call run unless it has begun, and before it the lazy calls that it needs."""
        waiting = [self]
        while waiting:  # no recursion: chains may be long
            needed = waiting[-1]._needed()
            if needed:
                waiting += needed
            else:
                waiting.pop()._begin()
        assert self._real is not None
        return self._real

    def _needed(self) -> list[LazyFuture]:
        """Return the lazy inputs to make first; if it may still be finished, only what decides."""
        if self._real is not None:
            return []
        inputs = _lazy_inputs(self)
        if not inputs or planned() is not None or self.item is None or not self.item.exists():
            return inputs
        changed = [each for each in inputs if each.is_changed()]
        if not changed:
            decision = _with_inputs_over(self.call, decide(look([self.call])[0]))
            return [] if isinstance(decision, Skip) else inputs
        return changed

    def make(self) -> None:
        """Have the call run, and wait until it is over.

        Raises:
            Exception: what the call raised.
        """
        self.result()

    def result(self, timeout: float | None = None, raise_on_failure: bool = True) -> object:
        """Have the call run, and return what it returned; see `Future.result`."""
        return self.start().result(timeout, raise_on_failure)

    def wait(self, timeout: float | None = None) -> None:
        """Have the call run, and wait until it is over, `timeout` seconds at most."""
        self.start().wait(timeout)

    def add_done_callback(self, fn: Callable[[Future[object]], object]) -> None:
        """Call `fn` with this future when the call is over; this alone does not make it run."""
        with self._lock:
            if self._real is None:
                self._callbacks.append(fn)
                return
        self._real.add_done_callback(partial(_tell, fn, self))

    def _begin(self) -> None:
        with self._lock:
            if self._real is not None:
                return
            is_elsewhere = current() is not self.run
            run = self._context.copy().run if is_elsewhere and self.run is not None else _here
            self._real = run(self._handed_on)
            self._real.add_done_callback(self._forget)
            for fn in self._callbacks:
                self._real.add_done_callback(partial(_tell, fn, self))

    def _handed_on(self) -> Future[object]:
        return self._hand_on(self.call, decide(look([self.call])[0]), self.wait_for)

    def _forget(self, _: Future[object]) -> None:
        if self.item is not None:
            self._waiting.pop(self.item, None)

    def __reduce__(self) -> tuple[Any, ...]:
        return cast("tuple[Any, ...]", self.start().__reduce__())

    def __repr__(self) -> str:
        return f"Future({self.state.name}, item={self.item!r})"


def _tell(
    fn: Callable[[Future[object]], object], future: Future[object], _: Future[object]
) -> None:
    fn(future)


def _here(function: Callable[[], Future[object]]) -> Future[object]:
    return function()


def lazy_call(call: Call, wait_for: WaitFor, hand_on: HandOn) -> LazyFuture:
    """Return the future of a call that runs when it is needed; the same call has the same one.

    Parameters:
        call: the call.
        wait_for: futures to wait for first.
        hand_on: hands the call to its engine.
    """
    known = lazy_output(call.item)
    if isinstance(known, LazyFuture):
        return known
    made = LazyFuture(call, wait_for, hand_on)
    if call.item is not None:
        lazy_outputs()[call.item] = made
    return made


def with_inputs(call: Call, decision: Decision, wait_for: WaitFor) -> tuple[Decision, WaitFor]:
    """Have the lazy inputs of a call that runs made; it takes their futures instead.

    Parameters:
        call: the call.
        decision: if it is skipped its inputs are not needed: it takes their items.
        wait_for: futures to wait for first.

    Returns:
        The decision, made anew if inputs had to be over for it, and what to wait for instead.
    """
    others = () if wait_for is None else listed(wait_for)
    if not lazy_outputs() and not any(isinstance(f, LazyFuture) for f in (*call.inputs, *others)):
        return decision, wait_for
    decision = _with_inputs_over(call, decision)
    settled = item_or if isinstance(decision, Skip) else _started
    if not call.is_plain and _lazy_in(call.arguments.values()):
        plan = planned()
        with plan.uncertain(isinstance(decision, Wait)) if plan is not None else nullcontext():
            arguments = {name: _replaced(v, settled) for name, v in call.arguments.items()}
        call.arguments = call.given = arguments
        call.inputs = tuple(f for f in map(settled, call.inputs) if isinstance(f, Future))
    if wait_for is None or not _lazy_in(listed(wait_for)):
        return decision, wait_for
    if isinstance(decision, Skip):
        return decision, [future for future in listed(wait_for) if not _lazy_in([future])]
    return decision, [_started(future) for future in listed(wait_for)]


def _with_inputs_over(call: Call, decision: Decision) -> Decision:
    """Decide once more if what is open decides whether lazy inputs are needed at all.

    Waits for the open inputs if others are lazy and unchanged: these run only if the call does.

    Parameters:
        call: the call.
        decision: the decision so far.
    """
    if not isinstance(decision, Wait) or call.item is None or planned() is not None:
        return decision
    lazy = _lazy_in(call.arguments.values())
    open_ones = [each for each in lazy if each.is_started or each.is_changed()]
    if len(open_ones) == len(lazy) or not call.item.exists():
        return decision
    for future in (*decision.inputs, *(each.start() for each in open_ones)):
        future.wait()
    again = decide(look([call])[0])
    return decision if isinstance(again, Refuse) else again


def with_lazy_started(value: object) -> object:
    """Have the lazy calls in a value run, such as what a flow returns; return their futures."""
    return _replaced(value, _started) if lazy_outputs() else value


def _is_open(future: Future[object]) -> bool:
    """Tell whether a call that is no lazy one, or one that has begun, is not over."""
    if isinstance(future, LazyFuture) and not future.is_started:
        return False
    return not future.state.is_final()


def _lazy_inputs(future: LazyFuture) -> list[LazyFuture]:
    """Return the lazy calls that a call needs and that have not begun."""
    found = [] if future.call.is_plain else _lazy_in(future.call.arguments.values())
    if future.wait_for is not None:
        found += _lazy_in(listed(future.wait_for))
    return [lazy for lazy in found if not lazy.is_started]


def _lazy_in(values: Iterable[object]) -> list[LazyFuture]:
    found: list[LazyFuture] = []

    def look_at(value: object) -> object:
        if is_annotated(value):
            if not is_marked(value, quote):
                replace(value.unwrap(), look_at)
            return None
        lazy = _lazy_of(value)
        if lazy is not None:
            found.append(lazy)
        return value

    replace(list(values), look_at)
    return found


def _lazy_of(value: object) -> LazyFuture | None:
    """Return the lazy call that a future or item stands for and that is not over."""
    if isinstance(value, LazyFuture):
        return value
    if isinstance(value, (Item, Future)):
        lazy = lazy_output(item_of(value))
        return lazy if isinstance(lazy, LazyFuture) else None
    return None


def _replaced(value: object, settled: Callable[[object], object]) -> object:
    """Replace lazy calls in a nested value."""

    def settle(part: object) -> object:
        if is_annotated(part):
            return part if is_marked(part, quote) else part.rewrap(replace(part.unwrap(), settle))
        return settled(part) if _lazy_of(part) is not None else part

    return replace(value, settle)


def _started(part: object) -> object:
    """Return the future of a lazy call, which runs from now on; other values as they are."""
    lazy = _lazy_of(part)
    return part if lazy is None else lazy.start()


def _version(call: Call) -> str | None:
    """Return the version that a missing output would have; CHANGED if anything has changed."""
    lineage = call.recall()
    if lineage is None or call.item is None or not lineage.recorded:
        return None
    if call.item.exists():
        return CHANGED  # it runs again though it is there: it is stale, or a refresh was asked for
    return CHANGED if lineage.would_change(call.given) else lineage.recorded[0].version
