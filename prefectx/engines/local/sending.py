"""Calls on their way to a worker, and what became of them on their way back."""

from __future__ import annotations

import asyncio
import pickle
import traceback
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple, cast
from uuid import uuid4

import cloudpickle

from prefectx import settings
from prefectx.arguments.traversal import are_atoms
from prefectx.calls import Call, Outcome, Payload, TaskDefinition
from prefectx.engines.local.futures import LocalFuture
from prefectx.engines.local.place import PROGRAM
from prefectx.engines.local.running import Inputs, failed, over
from prefectx.engines.local.termination import end_with_parent
from prefectx.engines.packing import pack, unpack
from prefectx.errors import WorkerError
from prefectx.item import Item, OutputState, Store
from prefectx.monitoring import logging as logs
from prefectx.records import Lineage, Origin
from prefectx.settings import Settings
from prefectx.tasks.decorated import Decorated


class Head(NamedTuple):
    """What many calls have in common.

    Attributes:
        payload: what a call takes along, without the task.
        store: where the output is kept, None if it is not kept.
        origin: what the outputs are made from, None if nothing is recorded.
    """

    payload: Payload
    store: Store | None
    origin: Origin | None


class Packer:
    """Packs calls. What calls have in common, and what cannot change, is packed once.

    Parameters:
        given: the settings, which the workers have.
    """

    def __init__(self, given: Settings) -> None:
        self._given = given
        # Workers may serve several packers, each with its own settings.
        self._id = uuid4().bytes
        self._heads: dict[object, tuple[Head, bytes]] = {}
        self._tasks: dict[TaskDefinition, bytes] = {}

    def pack(self, call: Call, inputs: Inputs) -> bytes:
        """Pack a call with the arguments of its function.

        Raises:
            WorkerError: if they cannot be sent; it names the task.
        """
        try:
            head, packed = self._head(call)
            location = None if call.item is None else call.item.location
            is_plain = call.is_plain and not inputs[1] and are_atoms(inputs[0])
            body = pickle.dumps if is_plain else partial(_packed, {id(head.store): "store"})
            task = self._task(call.task)
            lineage = None if call.lineage is None else tuple(call.lineage)[1:]
            return pickle.dumps((self._id, packed, task, body((location, inputs, lineage))))
        except Exception as error:
            raise WorkerError(
                f"task {call.task.name!r}: the call cannot be sent to another process, as an"
                f" argument, or what the function refers to, cannot be pickled: {error}"
            ) from error

    def _head(self, call: Call) -> tuple[Head, bytes]:
        payload = call.payload._replace(task=cast(TaskDefinition, None), lineage=None)
        origin = None if call.lineage is None else call.lineage.origin
        store = None if call.item is None else call.item.store
        values = payload.context.values()
        # Identities, as values that are equal may differ: 1 and True. The heads keep them alive.
        objects = (payload.options, payload.settings, store, origin, *values)
        key = (tuple(map(id, objects)), payload.quoted, tuple(payload.context))
        known = self._heads.get(key)
        if known is None:
            head = Head(payload, store, origin)
            known = head, _packed({id(self._given): "settings"}, head)
            if are_atoms(values) and type(store).__module__.startswith(("prefectx.", "builtins")):
                _keep(self._heads, key, known)
        return known

    def _task(self, task: TaskDefinition) -> bytes:
        known = self._tasks.get(task)
        if known is None:
            known = cast(bytes, cloudpickle.dumps(task))
            # A function that is sent by value takes along what it refers to, which may change.
            if isinstance(task, Decorated) and task.is_named:
                _keep(self._tasks, task, known)
        return known


_KEPT = 256
_UNPACKED: dict[tuple[bytes, bytes], Any] = {}


def _keep(known: dict[Any, Any], key: object, value: object) -> None:
    if len(known) >= _KEPT:
        known.clear()
    known[key] = value


def _packed(known: Mapping[int, str], value: object) -> bytes:
    """Pickle a value; instead of the known objects in it, by their ids, their names are sent."""
    return pack(value, lambda part: known.get(id(part)))


def _unpacked(content: bytes) -> tuple[Call, Inputs]:
    packer, *shared, body = pickle.loads(content)
    opened = []
    for part in shared:
        value = _UNPACKED.get((packer, part))
        if value is None:
            value = unpack(part, lambda _: settings.current())
            _keep(_UNPACKED, (packer, part), value)
        opened.append(value)
    head, task = cast(tuple[Head, TaskDefinition], opened)
    location, inputs, rest = cast(tuple[str, Inputs, Any], unpack(body, lambda _: head.store))
    item: Item[object] | None = None if head.store is None else Item(head.store, location)
    lineage = None if head.origin is None else Lineage(head.origin, *rest)
    return Call.arrived(head.payload._replace(task=task, lineage=lineage), item), inputs


class _SameItem(NamedTuple):
    """Stands for the item of the call, which its sender has, and the version that it has now."""

    version: str | None
    state: OutputState | None


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
        self.trace = text

    def __str__(self) -> str:
        return f'\n"""\n{self.trace}"""'


def enter_worker(content: bytes, parent: int) -> None:
    """Prepare a process that runs calls of another.

    Parameters:
        content: the settings there, pickled.
        parent: its process id.
    """
    PROGRAM.is_worker = True
    end_with_parent(parent)
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
        if call.item is not None and outcome.value is call.item and outcome.state is None:
            return pickle.dumps(
                outcome._replace(value=_SameItem(call.item.version, call.item.state))
            )
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
    told = traceback.TracebackException.from_exception(error)
    told.__notes__ = []  # they arrive with the exception
    trace = "".join(told.format())
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
    try:
        found = pickle.loads(content)
    except Exception as error:
        unreadable = WorkerError(
            f"task {call.task.name!r}: what its worker has sent cannot be read here:"
            f" {type(error).__name__}: {error}"
        )
        unreadable.__cause__ = error
        return failed(call, unreadable)
    if isinstance(found, Outcome) and isinstance(found.value, _SameItem):
        assert call.item is not None
        call.item.stands_for(found.value.version, found.value.state)
        found = found._replace(value=call.item)
    if isinstance(found, Outcome):
        return over(call, found)
    found.error.__cause__ = found.error.__cause__ or RemoteTraceback(found.trace)
    return failed(call, found.error)
