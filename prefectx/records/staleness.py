"""Staleness: what an output was made from, compared with what it would be made from now; pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, NamedTuple

from prefectx.lazy_outputs import CHANGED
from prefectx.records.record import Argument, Input, Recipe, Record

Kind = Literal["arguments", "inputs", "files", "code", "packages", "edited"]
_SHOWN = 80


class Cause(NamedTuple):
    """Why an output is stale.

    Attributes:
        kind: the kind of cause, as the option `stale` names it.
        text: what happened, in words: `an input was made anew: working/clean/a`.
        subject: what changed: an argument, an input, a file, a symbol of the code, a package.
    """

    kind: Kind
    text: str
    subject: str = ""


Accepted = Mapping[str, Mapping[str, str]]
"""By symbol: fingerprints, and those that they were accepted to be equal to."""


def changes_of_recipe(
    record: Record,
    recipe: Recipe,
    symbols: Mapping[str, str | None],
    *,
    is_other_function: bool,
    accepted: Accepted,
) -> Iterator[Cause]:
    """Yield how a call differs from the one that made an output, in arguments and code.

    Parameters:
        record: the record of the output.
        recipe: what it would be made of now.
        symbols: the fingerprints of the code in the record.
        is_other_function: whether the function in the record is another one, which exists.
        accepted: changes of code that count as none.
    """
    if is_other_function:
        text = f"it was made by {record.function}, and {recipe.function} has the same target"
        yield Cause("arguments", text)
        return
    then, now = record.arguments, recipe.arguments
    for name in now:
        if name not in then:
            yield Cause("code", f"the parameter {name!r} is new", name)
            continue
        if _is_same(then[name], now[name]) is not False:
            continue
        change = f"{_shown(then[name])} is now {_shown(now[name])}"
        kind = _kind(then[name], now[name])
        if kind == "inputs":
            yield Cause("inputs", f"the argument {name!r} has other inputs", name)
        elif name in record.defaults and name in recipe.defaults:
            yield Cause("code", f"the default of {name!r} changed: {change}", name)
        elif kind == "plain":
            yield Cause("arguments", f"the argument {name!r} changed: {change}", name)
        else:
            yield Cause("code", f"the object {name!r} changed", name)
    for name in then.keys() - now.keys():
        yield Cause("code", f"the parameter {name!r} was removed", name)
    if record.code is not None and recipe.code is not None and record.code != recipe.code:
        yield from _changes_of_code(symbols, recipe, accepted)


def _changes_of_code(
    then: Mapping[str, str | None], recipe: Recipe, accepted: Accepted
) -> Iterator[Cause]:
    if not then:
        return  # which code it was is lost
    now = {**recipe.symbols, "": recipe.own}
    gone = {name: made for name, made in then.items() if name not in now}
    new = {name: made for name, made in now.items() if name not in then}
    # What was moved or renamed has the same fingerprint under another name.
    moved = set(gone.values()) & set(new.values())
    for name in sorted(now.keys() & then.keys()):
        if None not in (now[name], then[name]) and now[name] != then[name]:
            what = name or recipe.function.rpartition(":")[2]
            if not _is_accepted(accepted.get(name or recipe.function, {}), then[name], now[name]):
                yield Cause("code", f"the code of {what} changed", name)
    for name, made in sorted(new.items()):
        is_accepted = _is_accepted(accepted.get(name, {}), NOTHING, made)
        if made is not None and made not in moved and name and not is_accepted:
            yield Cause("code", f"the code refers to {name} now", name)
    for name, made in sorted(gone.items()):
        is_accepted = _is_accepted(accepted.get(name, {}), made, NOTHING)
        if made is not None and made not in moved and not is_accepted:
            yield Cause("code", f"the code refers to {name} no more", name)


NOTHING = "none"
"""Stands for the fingerprint of a symbol that is not there."""


def _is_accepted(known: Mapping[str, str], then: str | None, now: str | None) -> bool:
    """Tell whether two fingerprints were accepted to be equal, also step by step, either way."""
    waiting, seen = [then], {then}
    while waiting:
        one = waiting.pop()
        if one == now:
            return True
        equal = {new for old, new in known.items() if old == one}
        equal |= {old for old, new in known.items() if new == one}
        waiting += equal - seen
        seen |= equal
    return False


def changes_of_inputs(
    then: Mapping[str, Sequence[Input]], now: Mapping[str, Sequence[Input]]
) -> Iterator[Cause]:
    """Yield how the inputs differ: which, how many, their versions."""
    for name in now.keys() | then.keys():
        before = [tuple(each) for each in then.get(name, ())]
        after = [tuple(each) for each in now.get(name, ())]
        if [place for place, _ in before] != [place for place, _ in after]:
            if len(before) != len(after):
                yield Cause(
                    "inputs", f"{name!r} had {len(before)} inputs, and has {len(after)}", name
                )
            else:
                other = next(a for b, a in zip(before, after, strict=True) if a[0] != b[0])
                yield Cause("inputs", f"another input: {other[0]}", str(other[0]))
            continue
        for (place, old), (_, new) in zip(before, after, strict=True):
            if old is not None and new is not None and old != new:
                what = "is out of date" if new == CHANGED else "was made anew"
                yield Cause("inputs", f"an input {what}: {place}", str(place))


def _is_same(then: Argument, now: Argument) -> bool | None:
    if then is None or now is None:
        return None
    if isinstance(then, str) or isinstance(now, str):
        return then == now
    # Fingerprints of other schemes, and of other versions of a library, say nothing.
    if list(then[3:]) != list(now[3:]):
        return None if then[0] == now[0] else False
    return then[1] == now[1]


def _kind(then: Argument, now: Argument) -> str:
    kinds = {"plain" if isinstance(each, str) else str((each or [""])[0]) for each in (then, now)}
    if "inputs" in kinds:
        return "inputs"
    return "object" if "object" in kinds else "plain"


def _shown(argument: Argument) -> str:
    if not isinstance(argument, str):
        return str((argument or ["", "", ""])[2]) or "…"
    return argument if len(argument) <= _SHOWN else f"{argument[:_SHOWN]}…"
