"""Pickle: any Python object. Reading one runs code that the file names."""

from __future__ import annotations

import pickle
from typing import BinaryIO

from prefectx.formats.base import Format

# Protocol 5 writes large buffers straight to the file, without a copy in memory.
_PROTOCOL = 5


def _dump(data: object, stream: BinaryIO) -> None:
    pickle.dump(data, stream, protocol=_PROTOCOL)


def _load(stream: BinaryIO) -> object:
    return pickle.load(stream)


PICKLE = Format(".pkl", _dump, _load, runs_code=True)
