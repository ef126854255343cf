"""Pickles with stand-ins: what the other side has is not sent, only which object it is."""

from __future__ import annotations

import io
import pickle
from collections.abc import Callable

import cloudpickle

Replace = Callable[[object], object]


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
