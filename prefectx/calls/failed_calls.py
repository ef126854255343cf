"""Records calls that failed, with their arguments, so that they can be run again by hand."""

from __future__ import annotations

import contextlib
import inspect
import io
import logging
import time
import traceback
from collections.abc import Mapping
from hashlib import blake2b
from pathlib import Path
from types import TracebackType
from typing import cast

import cloudpickle

from prefectx.arguments.marks import is_annotated
from prefectx.arguments.traversal import replace
from prefectx.calls.call import Call
from prefectx.calls.resolved_task import ResolvedTask
from prefectx.futures import Future, item_or
from prefectx.masking import is_secret, mask, mask_urls
from prefectx.monitoring.failures import shown
from prefectx.monitoring.hooks import HOOKS, ObservedCall, Subscriber
from prefectx.records import Failure, Records, bytes_store, records_in
from prefectx.run_context import current_values

_log = logging.getLogger("prefectx.records")
_LARGEST = 10_000_000
_LONGEST = 20_000
_PACKAGE = str(Path(__file__).parents[1])


class FailedCalls(Subscriber):
    """Keeps a record of each call that failed."""

    def call_failed(self, call: ObservedCall, error: BaseException) -> None:
        """Record a call that failed in this process; a cancelled one did not fail."""
        if not isinstance(error, Exception) or not call.mode.keeps or not call.options.records:
            return
        try:
            _record(cast(Call, call), error)
        except Exception as problem:  # a record is a convenience: the failure itself counts
            _log.warning("The failure of %r is not recorded: %s", call.task.name, problem)


HOOKS.subscribe(FailedCalls())


def _record(call: Call, error: Exception) -> None:
    records = _records(call)
    task, item, given = call.task, call.item, call.given
    name = "" if item is None else records.name_of(item.store, item.location)
    file = None
    with contextlib.suppress(TypeError):
        file = inspect.getsourcefile(inspect.unwrap(task.fn))
    content, reason = _packed(call, given)
    kept = blake2b(f"{task.name}\n{name}".encode(), digest_size=12).hexdigest() + ".pkl"
    if content is not None:
        records.kept.add_arguments(kept, content)
    records.add_failure(
        Failure(
            name, task.name, _function(call), file and str(Path(file).resolve()),
            {key: shown(key, value) for key, value in given.items()},
            mask(f"{type(error).__name__}: {error}")[:_LONGEST], _told(error),
            kept if content is not None else "", reason, round(time.time(), 3),
        )
    )  # fmt: skip


def _records(call: Call) -> Records:
    if call.lineage is not None:
        return call.lineage.records
    root = call.options.root
    store = bytes_store(call.item.store if call.item else None) if "://" in root else None
    return records_in(root, store)


def _function(call: Call) -> str:
    if call.lineage is not None:
        return call.lineage.origin.function
    here = call._resolved
    if isinstance(here, ResolvedTask):
        return here.callee.function
    return f"{call.task.fn.__module__}:{getattr(call.task.fn, '__qualname__', call.task.name)}"


def _told(error: Exception) -> str:
    """Return the traceback as Python prints it, from the function's own frame on."""
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename.startswith(_PACKAGE):
        trace = trace.tb_next
    text = "".join(traceback.format_exception(type(error), error, _or_all(trace, error)))
    return mask(text if len(text) <= _LONGEST else f"{text[:2000]}\n...\n{text[-_LONGEST:]}")


def _or_all(trace: TracebackType | None, error: Exception) -> TracebackType | None:
    return error.__traceback__ if trace is None else trace


class _TooLargeError(Exception):
    pass


class _Bounded(io.BytesIO):
    def write(self, content: object) -> int:
        if self.tell() + len(memoryview(cast(bytes, content))) > _LARGEST:
            raise _TooLargeError
        return super().write(cast(bytes, content))


def _packed(call: Call, given: Mapping[str, object]) -> tuple[bytes | None, str]:
    """Return the arguments, pickled, or why they are not kept."""
    if not call.options.allow_pickle:
        return None, "allow_pickle = false"
    secret = next((name for name, value in given.items() if _holds_secret(name, value)), None)
    if secret is not None:
        return None, f"the argument {secret!r} is secret"
    content = _Bounded()
    try:
        arguments = {name: replace(value, _without_future) for name, value in given.items()}
        cloudpickle.dump((arguments, dict(current_values())), content)
    except _TooLargeError:
        return None, "the arguments are larger than 10 MB"
    except Exception as error:
        return None, f"the arguments cannot be pickled: {error}"
    return content.getvalue(), ""


def _without_future(value: object) -> object:
    if is_annotated(value):
        return replace(value.unwrap(), _without_future)
    if isinstance(value, Future):
        item = item_or(value)
        return value.result(raise_on_failure=False) if item is value else item
    return value


def _holds_secret(name: str, value: object) -> bool:
    if is_secret(name):
        return True
    found = []

    def look(part: object) -> object:
        is_url = isinstance(part, str) and mask_urls(part) != part
        if is_url or hasattr(part, "get_secret_value"):
            found.append(part)
        return part

    replace(value, look)
    look(value)
    return bool(found)
