"""Functions that are defined again interactively: the newest version replaces the older ones."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FunctionType
from typing import Any

from prefectx.arguments.fingerprint import fingerprint
from prefectx.futures import Future
from prefectx.item import Item


class Redefinitions:
    """The outputs of interactively defined functions, and which version of the function had them.

    The outputs that an older version had in this process are made anew.
    """

    def __init__(self) -> None:
        self._versions: dict[Item[object], bytes] = {}

    def is_outdated(self, item: Item[object], version: bytes | None) -> bool:
        """Tell whether an older version of a function had this output.

        Parameters:
            item: the output.
            version: a fingerprint of the function; None: it is not defined interactively.
        """
        return version is not None and self._versions.setdefault(item, version) != version

    def renew(self, item: Item[object] | None, version: bytes | None) -> None:
        """Take note that this version has made the output."""
        if item is not None and version is not None:
            self._versions[item] = version

    def renew_after(self, future: Future[object], version: bytes | None) -> None:
        """Take note, when a submitted call has returned, that this version has made its output."""
        if version is not None:
            future.add_done_callback(
                lambda done: self.renew(done.item, version) if done.state.is_completed() else None
            )

    @contextmanager
    def unchanged(self) -> Iterator[None]:
        """Forget with the end of the block what is noted in it."""
        before = dict(self._versions)
        try:
            yield
        finally:
            self._versions = before

    def clear(self) -> None:
        """Forget the versions."""
        self._versions.clear()


REDEFINITIONS = Redefinitions()


def interactive_version(fn: Callable[..., Any]) -> bytes | None:
    """Return a fingerprint of a function that is defined by name in a notebook or at a prompt."""
    # Python's prompt, IPython and its kernels set ps1.
    if not isinstance(fn, FunctionType) or not hasattr(sys, "ps1"):
        return None
    if fn.__module__ != "__main__" or "<" in fn.__qualname__:
        return None
    return fingerprint((fn.__code__, fn.__defaults__, fn.__kwdefaults__))
