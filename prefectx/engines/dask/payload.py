"""Values sent to and from workers as bytes, which are unpickled only when they are used."""

from __future__ import annotations

import io
import pickle
from collections.abc import Callable
from typing import Generic, TypeVar, cast

import cloudpickle
from dask.sizeof import sizeof

T = TypeVar("T")
Replace = Callable[[object], object]


class Payload(Generic[T]):
    """A value that Dask transports as bytes, without unpickling it.

    To unpickle it may import the user's modules, and these may need the settings of the run, which
    are in force only when the value is used.

    Parameters:
        value: anything that can be pickled.
    """

    __slots__ = ("_packed", "_value")

    def __init__(self, value: T) -> None:
        self._value = value
        self._packed: bytes | None = None

    def open(self) -> T:
        """Return the value and keep it instead of the bytes."""
        self._value = self.peek()
        self._packed = None
        return self._value

    def peek(self) -> T:
        """Return the value, but keep the bytes, which may be much smaller."""
        return self._value if self._packed is None else cast(T, pickle.loads(self._packed))

    def __sizeof__(self) -> int:
        # Dask uses this to decide when a worker spills data to disk.
        return int(sizeof(self._value)) if self._packed is None else len(self._packed)

    def __reduce__(self) -> tuple[Callable[[bytes], Payload[object]], tuple[bytes]]:
        packed = self._packed
        return _arrived, (cloudpickle.dumps(self._value) if packed is None else packed,)


def pack(value: object, stand_in: Replace) -> bytes:
    """Pickle a value.

    Parameters:
        value: what to pickle.
        stand_in: returns what to send instead of an object, None for the object itself.
    """
    file = io.BytesIO()
    _Packer(file, stand_in).dump(value)
    return file.getvalue()


def unpack(packed: bytes, restore: Replace) -> object:
    """Undo `pack`.

    Parameters:
        packed: the bytes.
        restore: makes an object from what was sent instead of it.
    """
    return _Unpacker(io.BytesIO(packed), restore).load()


class _Packer(cloudpickle.Pickler):  # type: ignore[misc]  # untyped
    def __init__(self, file: io.BytesIO, stand_in: Replace) -> None:
        super().__init__(file, protocol=pickle.HIGHEST_PROTOCOL)
        self._stand_in = stand_in

    def persistent_id(self, value: object) -> object:
        return self._stand_in(value)


class _Unpacker(pickle.Unpickler):
    def __init__(self, file: io.BytesIO, restore: Replace) -> None:
        super().__init__(file)
        self._restore = restore

    def persistent_load(self, pid: object) -> object:
        return self._restore(pid)


def _arrived(packed: bytes) -> Payload[object]:
    payload: Payload[object] = Payload(None)
    payload._packed = packed
    return payload
