"""Failures of calls: which call it was, as a note on the exception, and the user's frames only."""

from __future__ import annotations

import contextlib
import copyreg
import reprlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, cast

from prefectx.arguments.signature import Signature
from prefectx.errors import PrefectxError
from prefectx.futures import item_or
from prefectx.masking import is_secret, mask, mask_urls, masked
from prefectx.monitoring.hooks import HOOKS, ObservedCall, Subscriber

_PACKAGE = str(Path(__file__).parents[1]) + "/"
_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = 80
_LONGEST = 200
_BEGIN = "This was the call "


def in_words(name: str, arguments: Mapping[str, object]) -> str:
    """Return a call as people read it, without secrets: `clean(path='a.csv', year=3)`.

    Parameters:
        name: the name of the task.
        arguments: its arguments by name.
    """
    given = ", ".join(f"{key}={shown(key, value)}" for key, value in arguments.items())
    return f"{name}({given if len(given) <= _LONGEST else f'{given[:_LONGEST]}…'})"


def shown(name: str, value: object) -> str:
    """Return an argument in short form; *** if it is secret."""
    if is_secret(name):
        return "***"
    try:
        return mask(_SHORT.repr(masked(item_or(value))))
    except Exception:  # what somebody's repr raises must not hide the failure
        return f"<{type(value).__name__}>"


def note(error: BaseException, name: str, arguments: Mapping[str, object], target: str) -> None:
    """Note on an exception in which call it was raised, unless that is noted already.

    Parameters:
        error: the exception.
        name: the name of the task.
        arguments: the arguments of the call by name.
        target: the location of the output, empty if none is kept.
    """
    if isinstance(error, PrefectxError) or not isinstance(error, Exception):
        return  # its message says it, or nothing has failed
    known = cast("list[Any]", getattr(error, "__notes__", []))
    if any(str(each).startswith(_BEGIN) for each in known):
        return
    of = f" of {mask_urls(target)}" if target else ""
    error.add_note(f"{_BEGIN}{in_words(name, arguments)}{of}")


class Called(Protocol):
    """The part of a task that is needed to tell of a call."""

    name: str

    @property
    def signature(self) -> Signature:
        """What binds arguments to the function's parameters."""


def tell(
    error: Exception, task: Called, args: tuple[object, ...], kwargs: Mapping[str, object]
) -> None:
    """Note on an exception that leaves a call which call it was; leave out prefectx's frames.

    Parameters:
        error: the exception.
        task: the task that was called.
        args: its positional arguments.
        kwargs: those by name.
    """
    if not isinstance(error, PrefectxError):
        with contextlib.suppress(TypeError):
            note(error, task.name, task.signature.bind(args, dict(kwargs)), "")
    trim(error)


def make_portable(error: BaseException) -> None:
    """Let an exception reach other processes as itself, whatever its constructor takes.

    Pickle calls the constructor with `error.args`, which fails for `def __init__(self, a, b)`.
    """
    kind = type(error)
    is_plain = kind.__reduce__ is BaseException.__reduce__ and "__reduce_ex__" not in vars(kind)
    if is_plain and hasattr(kind.__init__, "__code__") and kind not in copyreg.dispatch_table:
        copyreg.pickle(kind, _reduced)


def _reduced(error: BaseException) -> tuple[Any, ...]:
    return _rebuilt, (type(error), error.args, dict(vars(error)))


def _rebuilt(kind: type[BaseException], args: tuple[Any, ...], values: dict[str, Any]) -> Any:
    made = kind.__new__(kind)
    made.args = args
    vars(made).update(values)
    return made


class FailureNotes(Subscriber):
    """Notes on each exception that leaves a call which call it was."""

    def call_failed(self, call: ObservedCall, error: BaseException) -> None:
        """Note it, and leave prefectx's frames out of the traceback."""
        target = "" if call.item is None else call.item.location
        root = f"{str(call.options.root).rstrip('/')}/"
        given = getattr(call, "given", None) or getattr(call, "arguments", {})
        note(error, call.task.name, given, target.removeprefix(root))
        make_portable(error)
        trim(error)


HOOKS.subscribe(FailureNotes())


def trim(error: BaseException) -> BaseException:
    """Leave prefectx's frames out of the traceback of an exception and of its causes.

    Those of the user, of other libraries, and the last one if there are no others, stay.

    Returns:
        The exception.
    """
    seen: set[int] = set()
    part: BaseException | None = error
    while part is not None and id(part) not in seen:
        seen.add(id(part))
        if not _is_fault(part):
            part.__traceback__ = _without_ours(part.__traceback__)
        cause = part.__cause__
        if cause is not None and _is_internal(cause):
            part.__cause__ = cause.__cause__  # its message is part of ours
        part = part.__cause__
    return error


def _is_fault(error: BaseException) -> bool:
    """Tell whether an exception was raised in prefectx and is not its own: all frames matter."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    is_ours = trace is not None and trace.tb_frame.f_code.co_filename.startswith(_PACKAGE)
    is_own = type(error).__module__.startswith("prefectx.")
    is_from_elsewhere = hasattr(error.__cause__, "trace")  # from another process, with its own
    return is_ours and not is_own and not is_from_elsewhere


def _is_internal(error: BaseException) -> bool:
    is_ours = type(error).__module__.startswith("prefectx.") and not hasattr(error, "trace")
    return is_ours and _without_ours(error.__traceback__) is None


def _without_ours(trace: TracebackType | None) -> TracebackType | None:
    frames: list[TracebackType] = []
    while trace is not None:
        if not trace.tb_frame.f_code.co_filename.startswith(_PACKAGE):
            frames.append(trace)
        trace = trace.tb_next
    return _linked(frames)


def _linked(frames: Iterable[TracebackType]) -> TracebackType | None:
    linked: TracebackType | None = None
    for frame in reversed(list(frames)):
        linked = TracebackType(linked, frame.tb_frame, frame.tb_lasti, frame.tb_lineno)
    return linked
