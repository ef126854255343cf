"""Detects different calls that share a target: the second would get the first one's output."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NamedTuple

from prefectx.errors import TargetError
from prefectx.item import Item, Store
from prefectx.targets.template import Template

Values = tuple[object, ...]
# The called function and its arguments: scalars as they are, of others a fingerprint in a tuple.
# Where equality does not tell scalars apart (`1`, `True` and `1.0`), their repr stands behind.
Owner = tuple["Callee", Values] | tuple["Callee", Values, str]

# Types whose values equal values of other types.
AMBIGUOUS = frozenset({float, bool, complex})


class Callee(NamedTuple):
    """A called function.

    Attributes:
        function: where it is defined, `package.module:function`.
        task: the name of its task.
        code: stands for the function if its name does not identify it, else None.
        names: the names of its parameters.
    """

    function: str
    task: str
    code: object
    names: tuple[str, ...]


def owner_of(callee: Callee, values: Values) -> Owner:
    """Return what stands for a call: equal owners are the same call."""
    if AMBIGUOUS.isdisjoint(map(type, values)):
        return callee, values
    return callee, values, repr(values)


class TargetOwners:
    """The targets of one flow run; outside flows, of the process.

    A target belongs to the first call that fills it. It is free again when its output is gone
    and no run of that call is under way.
    """

    def __init__(self) -> None:
        self._owners: dict[Store, dict[str, Owner]] = {}

    def of_store(self, store: Store) -> dict[str, Owner]:
        """Return whom the targets in a store belong to, by their locations."""
        return self._owners.setdefault(store, {})

    def claim(self, item: Item[object], owner: Owner, template: Template, *, is_busy: bool) -> None:
        """Claim a target for a call.

        Parameters:
            item: the target.
            owner: the call.
            template: the target's template, for the error.
            is_busy: whether a call that fills the target is about to run, or runs.

        Raises:
            TargetError: if the target belongs to a different call.
        """
        owners = self.of_store(item.store)
        first = owners.setdefault(item.location, owner)
        # NaN is not equal to itself, but the same argument.
        if first is owner or first == owner or repr(first) == repr(owner):
            return
        if is_busy or item.exists():
            raise TargetError(_collision(item, first, owner, template))
        owners[item.location] = owner

    def clear(self) -> None:
        """Forget whom the targets belong to."""
        self._owners.clear()


PROCESS = TargetOwners()
_current: ContextVar[TargetOwners] = ContextVar("prefectx_target_owners", default=PROCESS)
# On the path of every call: no function around it.
target_owners = _current.get
"""Return the targets of the flow run that goes on here, outside flows those of the process."""


@contextmanager
def owners_of_run() -> Iterator[None]:
    """Remember in the block the targets of one flow run, and forget them with its end.

    A flow that is called in another's run belongs to that run.
    """
    if _current.get() is not PROCESS:
        yield
        return
    _current.set(TargetOwners())
    try:
        yield
    finally:
        # Not a token: the two ends of an async fixture run in different contexts.
        _current.set(PROCESS)


def _collision(item: Item[object], first: Owner, second: Owner, template: Template) -> str:
    wrong = (
        f"two different calls fill the same target {item.location!r}:"
        f" {_shown(first)} and {_shown(second)}"
    )
    if first[0] != second[0]:
        functions = f"{first[0].function} and {second[0].function}"
        if first[0].function == second[0].function:
            functions += " (which have one name, and differ in code, defaults or closure)"
        return (
            f"{wrong}, of the functions {functions}; give one of them another target, or name the"
            " tasks: @task(name=...) with {name} in the target"
        )
    before = dict(zip(first[0].names, map(repr, first[1]), strict=True))
    now = dict(zip(second[0].names, map(repr, second[1]), strict=True))
    different = [name for name in now if before.get(name) != now[name]]
    lacking = ", ".join(f"{{{name}}}" for name in different) or "an argument"
    return (
        f"{wrong}; its template {template.text!r} lacks {lacking}: add it, or set shared = true"
        " if you want one output for both"
    )


def _shown(owner: Owner) -> str:
    callee, values = owner[:2]
    shown = (
        f"{name}={'…' if isinstance(value, tuple) else repr(value)[:60]}"
        for name, value in zip(callee.names, values, strict=True)
    )
    return f"{callee.function.rpartition(':')[2]}({', '.join(shown)})"
