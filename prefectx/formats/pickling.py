"""Pickle: any Python object. Reading one runs code that the file names."""

from __future__ import annotations

import functools
import pickle

from prefectx.formats.base import Format

# Protocol 5 writes large buffers straight to the file, without a copy in memory.
_PROTOCOL = 5


PICKLE = Format(
    ".pkl", functools.partial(pickle.dump, protocol=_PROTOCOL), pickle.load, runs_code=True
)
