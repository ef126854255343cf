"""Calls on their way to a worker, and what became of them on their way back."""

from __future__ import annotations

import asyncio
import io
import pickle
import traceback
from collections.abc import Callable
from typing import NamedTuple, cast

import cloudpickle

from prefectx import settings
from prefectx.calls import Call, Outcome
from prefectx.engines.local.futures import LocalFuture
from prefectx.engines.local.place import PROGRAM
from prefectx.engines.local.running import Inputs, failed, over
from prefectx.engines.local.termination import end_with_parent
from prefectx.errors import WorkerError
from prefectx.monitoring import logging as logs
from prefectx.settings import Settings


class Packer:
    """Packs calls; what all of them share is not sent with each.

    Parameters:
        given: the settings, which the workers have.
    """

    def __init__(self, given: Settings) -> None:
        self._given = given

    def pack(self, call: Call, inputs: Inputs) -> bytes:
        """Pack a call with the arguments of its function.

        Raises:
            WorkerError: if they cannot be sent; it names the task.
        """
        file = io.BytesIO()
        try:
            _Pickler(file, self._given).dump((call, inputs))
        except Exception as error:
            raise WorkerError(
                f"task {call.task.name!r}: the call cannot be sent to another process, as an"
                f" argument, or what the function refers to, cannot be pickled: {error}"
            ) from error
        return file.getvalue()


class _Pickler(cloudpickle.Pickler):  # type: ignore[misc]  # untyped
    def __init__(self, file: io.BytesIO, given: Settings) -> None:
        super().__init__(file, protocol=pickle.HIGHEST_PROTOCOL)
        self._given = given

    def persistent_id(self, value: object) -> object:
        return "settings" if value is self._given else None


class _Unpickler(pickle.Unpickler):
    def persistent_load(self, pid: object) -> object:
        return settings.current()


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
    call, (args, kwargs) = cast("tuple[Call, Inputs]", _Unpickler(io.BytesIO(content)).load())
    try:
        is_async = call.task.isasync
        run: Callable[..., object] = _run_async if is_async else call.run
        outcome = run(call, *args, **kwargs) if is_async else run(*args, **kwargs)
    except Exception as error:
        return _packed_failure(call, error)
    try:
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
    if not isinstance(found, Failure):
        return over(call, cast(Outcome, found))
    found.error.__cause__ = found.error.__cause__ or RemoteTraceback(found.trace)
    return failed(call, found.error)
