"""Bytes between the flow's process and the workers, opened only where they are used."""

from __future__ import annotations

import io
import pickle
from collections.abc import Callable
from typing import Any, cast

import cloudpickle
from dask.sizeof import sizeof
from prefect.client.schemas.objects import State
from prefect.results import ResultRecord  # type: ignore[attr-defined]  # not in its __all__

Stand = Callable[[Any], Any]


class Parcel:
    """A value that travels as bytes: Dask, which passes it on, does not open it.

    What is in it may need the user's modules, and these the settings of the run, which hold only
    where the value is used.

    Parameters:
        value: anything that can be pickled.
    """

    __slots__ = ("_packed", "_value")

    def __init__(self, value: Any) -> None:
        self._value = value
        self._packed: bytes | None = None

    def open(self) -> Any:
        """Return the value."""
        packed = self._packed
        if packed is not None:
            self._value = pickle.loads(packed)
            self._packed = None
        return self._value

    def peek(self) -> Any:
        """Return the value without keeping it: as bytes it may take much less."""
        return self._value if self._packed is None else pickle.loads(self._packed)

    def __sizeof__(self) -> int:
        # Dask asks this to know what a worker holds, and so when to spill.
        return _size(self._value) if self._packed is None else len(self._packed)

    def __reduce__(self) -> tuple[Any, ...]:
        packed = self._packed
        return _sealed, (cloudpickle.dumps(self._value) if packed is None else packed,)


def pack(value: Any, stand_in: Stand) -> bytes:
    """Pickle a value.

    Parameters:
        value: what to pickle.
        stand_in: tells for each object what travels in its place; None: the object itself.
    """
    file = io.BytesIO()
    _Packer(file, stand_in).dump(value)
    return file.getvalue()


def unpack(packed: bytes, restore: Stand) -> Any:
    """Undo `pack`.

    Parameters:
        packed: the bytes.
        restore: makes an object from what travelled in its place.
    """
    return _Unpacker(io.BytesIO(packed), restore).load()


class _Packer(cloudpickle.Pickler):  # type: ignore[misc]  # untyped
    def __init__(self, file: io.BytesIO, stand_in: Stand) -> None:
        super().__init__(file, protocol=pickle.HIGHEST_PROTOCOL)
        self._stand_in = stand_in

    def persistent_id(self, value: Any) -> Any:
        return self._stand_in(value)


class _Unpacker(pickle.Unpickler):
    def __init__(self, file: io.BytesIO, restore: Stand) -> None:
        super().__init__(file)
        self._restore = restore

    def persistent_load(self, pid: Any) -> Any:
        return self._restore(pid)


def _sealed(packed: bytes) -> Parcel:
    parcel = Parcel(None)
    parcel._packed = packed
    return parcel


def _size(value: Any) -> int:
    # Dask takes a state for the 80 bytes of the object, whatever its data.
    if isinstance(value, State):
        return _size(value.data)
    return cast(int, sizeof(value.result if isinstance(value, ResultRecord) else value))
