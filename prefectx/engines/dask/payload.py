"""Values sent to and from workers as bytes, which are unpickled only when they are used."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Generic, TypeVar, cast

import cloudpickle
from dask.sizeof import sizeof

T = TypeVar("T")


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


def _arrived(packed: bytes) -> Payload[object]:
    payload: Payload[object] = Payload(None)
    payload._packed = packed
    return payload
