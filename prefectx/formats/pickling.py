"""Pickle: any Python object. Reading one runs code that the file names."""

from __future__ import annotations

import functools
import logging
import pickle
from typing import BinaryIO

from prefectx.formats.base import Format, type_name
from prefectx.imports import require

# Protocol 5 writes large buffers straight to the file, without a copy in memory.
_PROTOCOL = 5


class _ByValue:
    """Pickles with cloudpickle what pickle cannot, and says so once in the log."""

    def __init__(self) -> None:
        self.said = False

    def __call__(self, data: object, stream: BinaryIO) -> None:
        require("cloudpickle", "for lambdas and local classes").dump(data, stream, _PROTOCOL)
        if not self.said:
            self.said = True
            logging.getLogger("prefectx.stores").info(
                "%s holds functions or classes that pickle cannot find by name: they are pickled "
                "by value, with cloudpickle. Such a file may not load in another version of Python",
                type_name(data),
            )


PICKLE = Format(
    ".pkl",
    functools.partial(pickle.dump, protocol=_PROTOCOL),
    pickle.load,
    runs_code=True,
    fallback=_ByValue(),
)
