"""`--pdb`: a debugger where a call fails."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from prefectx.monitoring.hooks import HOOKS, ObservedCall, Subscriber

_PACKAGE = str(Path(__file__).parents[1])


class _Debugging(Subscriber):
    def __init__(self) -> None:
        self._seen: BaseException | None = None

    def call_failed(self, call: ObservedCall, error: BaseException) -> None:
        if isinstance(error, Exception) and error is not self._seen:
            self._seen = error  # through an outer call it passes once more
            post_mortem(error)


@contextmanager
def debugging() -> Iterator[None]:
    """Start a debugger in the block wherever a call fails."""
    hook = _Debugging()
    HOOKS.subscribe(hook)
    try:
        yield
    finally:
        HOOKS.unsubscribe(hook)


def post_mortem(error: BaseException) -> None:
    """Start a debugger in the frame of the user's code in which an exception was raised."""
    import pdb  # noqa: T100  # asked for

    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename.startswith(_PACKAGE):
        if trace.tb_next is None:
            break
        trace = trace.tb_next
    print("".join(traceback.format_exception(type(error), error, trace)), file=sys.stderr)
    pdb.post_mortem(trace)
