"""Calls on their way to a worker, and what became of them on their way back."""

from __future__ import annotations

import asyncio
import io
import pickle
import traceback
from collections.abc import Callable
from enum import Enum
from functools import partial
from typing import Any, NamedTuple, cast

import cloudpickle

from prefectx import settings
from prefectx.arguments.traversal import are_atoms
from prefectx.calls import Call, Outcome, Payload
from prefectx.engines.local.futures import LocalFuture
from prefectx.engines.local.place import PROGRAM
from prefectx.engines.local.running import Inputs, failed, over
from prefectx.engines.local.termination import end_with_parent
from prefectx.errors import WorkerError
from prefectx.item import Item, Store
from prefectx.monitoring import logging as logs
from prefectx.settings import Settings


class Packer:
    """Packs calls. What the calls of a task have in common is packed once.

    Parameters:
        given: the settings, which the workers have.
    """

    def __init__(self, given: Settings) -> None:
        self._given = given
        self._heads: dict[object, tuple[Head, bytes]] = {}

    def pack(self, call: Call, inputs: Inputs) -> bytes:
        """Pack a call with the arguments of its function.

        Raises:
            WorkerError: if they cannot be sent; it names the task.
        """
        try:
            head, packed = self._head(call)
            location = None if call.item is None else call.item.location
            is_plain = call.is_plain and not inputs[1] and are_atoms(inputs[0])
            body = pickle.dumps if is_plain else partial(_dumps, {id(head.store): "store"})
            return pickle.dumps((packed, body((location, inputs))))
        except Exception as error:
            raise WorkerError(
                f"task {call.task.name!r}: the call cannot be sent to another process, as an"
                f" argument, or what the function refers to, cannot be pickled: {error}"
            ) from error

    def _head(self, call: Call) -> tuple[Head, bytes]:
        payload = call.payload
        store = None if call.item is None else call.item.store
        objects = (payload.task, payload.options, payload.settings, store)
        # Identities, as values that are equal may differ: 1 and True. The payload keeps them alive.
        values = tuple((name, id(value)) for name, value in payload.context.items())
        key = (tuple(map(id, objects)), payload.quoted, values)
        known = self._heads.get(key)
        if known is None:
            head = Head(payload, store)
            known = head, _dumps({id(self._given): "settings"}, head)
            if len(self._heads) >= _KEPT:
                self._heads.clear()
            self._heads[key] = known
        return known


class Head(NamedTuple):
    """What the calls of a task have in common.

    Attributes:
        payload: what else the call takes along.
        store: where its output is kept, None if it is not kept.
    """

    payload: Payload
    store: Store | None


_KEPT = 256
_HEADS: dict[bytes, Head] = {}


def _dumps(known: dict[int, str], value: object) -> bytes:
    """Pickle a value; for the known objects in it, by their ids, their names are sent."""
    file = io.BytesIO()
    pickler = cloudpickle.Pickler(file, protocol=pickle.HIGHEST_PROTOCOL)
    pickler.persistent_id = lambda part: known.get(id(part))
    pickler.dump(value)
    return file.getvalue()


def _loads(known: dict[str, object], content: bytes) -> Any:
    unpickler = pickle.Unpickler(io.BytesIO(content))
    unpickler.persistent_load = known.__getitem__  # type: ignore[method-assign]
    return unpickler.load()


def _unpacked(content: bytes) -> tuple[Call, Inputs]:
    packed, body = pickle.loads(content)
    head = _HEADS.get(packed)
    if head is None:
        head = _loads({"settings": settings.current()}, packed)
        if len(_HEADS) >= _KEPT:
            _HEADS.clear()
        _HEADS[packed] = head
    location, inputs = _loads({"store": head.store}, body)
    item: Item[object] | None = None if head.store is None else Item(head.store, location)
    return Call.arrived(head.payload, item), inputs


class _StandIn(Enum):
    """Stands for what the sender of a call has."""

    ITEM = "the item of the call"


class Failure(NamedTuple):
    """What a call raised on a worker.

    Attributes:
        error: the exception.
        trace: its traceback there, as text.
    """

    error: BaseException
    trace: str


class RemoteTraceback(Exception):  # noqa: N818  # no error: the text of one
    """The traceback of an exception in another process, as the cause of it here."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._text = text

    def __str__(self) -> str:
        return f'\n"""\n{self._text}"""'


def enter_worker(content: bytes) -> None:
    """Prepare a process that runs calls of another.

    Parameters:
        content: the settings there, pickled.
    """
    PROGRAM.is_worker = True
    end_with_parent()
    with settings.use(Settings(None, settings.current().folder)):
        given = cast(Settings, pickle.loads(content))
    settings.STATE.here.set(given)
    settings.STATE.everywhere = given
    logs.set_up(given.project.logging)


def run_packed(content: bytes) -> bytes:
    """Run a call on a worker; return what became of it, packed."""
    call, (args, kwargs) = _unpacked(content)
    try:
        is_async = call.task.isasync
        run: Callable[..., Outcome] = _run_async if is_async else call.run
        outcome = run(call, *args, **kwargs) if is_async else run(*args, **kwargs)
    except Exception as error:
        return _packed_failure(call, error)
    try:
        if outcome.value is call.item and outcome.state is None:
            return pickle.dumps(outcome._replace(value=_StandIn.ITEM))
        return cast(bytes, cloudpickle.dumps(outcome))
    except Exception as error:
        unsendable = WorkerError(
            f"task {call.task.name!r}: what it returned cannot be sent to the flow, as it cannot be"
            f" pickled: {error}; give the task a target, so that only the place of it is sent"
        )
        return cast(bytes, cloudpickle.dumps(Failure(unsendable, traceback.format_exc())))


def _run_async(call: Call, *args: object, **kwargs: object) -> Outcome:
    return asyncio.run(call.run_async(*args, **kwargs))


def _packed_failure(call: Call, error: Exception) -> bytes:
    trace = "".join(traceback.format_exception(error))
    try:
        content = cast(bytes, cloudpickle.dumps(Failure(error, trace)))
        pickle.loads(content)  # an exception may be picklable but not come back
    except Exception:
        other = WorkerError(f"task {call.task.name!r}: {type(error).__name__}: {error}")
        content = cast(bytes, cloudpickle.dumps(Failure(other, trace)))
    return content


def ended(call: Call, content: bytes) -> LocalFuture:
    """Return the future of a call that a worker has run.

    Parameters:
        call: the call.
        content: what `run_packed` returned.
    """
    found = pickle.loads(content)
    if isinstance(found, Outcome):
        return over(
            call, found._replace(value=call.item) if found.value is _StandIn.ITEM else found
        )
    found.error.__cause__ = found.error.__cause__ or RemoteTraceback(found.trace)
    return failed(call, found.error)
