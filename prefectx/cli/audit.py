"""`--audit`: files that tasks read and that are neither arguments nor named by `files`."""

from __future__ import annotations

import os
import sys
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from prefectx import settings
from prefectx.calls import Call
from prefectx.cli.output import errors
from prefectx.monitoring.hooks import HOOKS, RUNNING, ObservedCall, Subscriber
from prefectx.records import FOLDER

_SHOWN = 5


class Audit(Subscriber):
    """Takes note of the files that calls open to read.

    Parameters:
        folder: the project's folder: only files in it count.
    """

    def __init__(self, folder: str) -> None:
        self._folder = folder.rstrip(os.sep) + os.sep
        self._opened: dict[str, set[str]] = defaultdict(set)
        self._counting: dict[str, set[str]] = defaultdict(set)
        self._here = threading.local()
        self.is_on = True

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Take note of one event of Python's audit hooks."""
        if event != "open" or not self.is_on or getattr(self._here, "busy", False):
            return
        path, mode, flags = (*arguments, None, None)[:3]
        call = RUNNING.get()
        if call is None or not isinstance(path, (str, bytes, os.PathLike)):
            return
        is_written = isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR)
        if is_written or (isinstance(mode, str) and set(mode) & set("wax+")):
            return
        self._here.busy = True
        try:
            where = os.path.abspath(os.fsdecode(path))  # noqa: PTH100
            if where.startswith(self._folder) and not _is_code(where):
                self._opened[call.task.name].add(where)
        finally:
            self._here.busy = False

    def after_call(self, call: ObservedCall) -> None:
        """Take note of the files and inputs that count for a call."""
        known = self._counting[call.task.name]
        if call.item is not None:
            known.add(call.item.location)
        if isinstance(call, Call) and call.lineage is not None:
            known.update(call.lineage.files.values())
            inputs = call.lineage.inputs(call.given)
            records = call.lineage.records
            for places in inputs.values():
                known.update(os.path.join(records.folder, str(p)) for p, _ in places)  # noqa: PTH118

    def found(self) -> dict[str, list[str]]:
        """Return the files by task, relative to the project's folder."""
        named = {
            task: sorted(
                path.removeprefix(self._folder)
                for path in paths
                if not any(_is_at(path, known) for known in self._counting[task])
            )
            for task, paths in self._opened.items()
        }
        return {task: paths for task, paths in named.items() if paths}


def _is_at(path: str, known: str) -> bool:
    return path == known or path.startswith(known.rstrip("/") + "/")


def _is_code(path: str) -> bool:
    parts = Path(path).parts
    hidden = {FOLDER, "site-packages", "__pycache__", ".git"} & set(parts)
    return bool(hidden) or path.endswith((".py", ".pyc", ".so", "prefectx.toml", ".tmp"))


@contextmanager
def auditing() -> Iterator[None]:
    """Watch in the block which files calls read, and tell at its end which do not count."""
    audit = Audit(str(settings.current().folder))
    sys.addaudithook(audit)  # it cannot be removed again
    HOOKS.subscribe(audit)
    try:
        yield
    finally:
        audit.is_on = False
        HOOKS.unsubscribe(audit)
        _tell(audit.found())


def _tell(found: dict[str, list[str]]) -> None:
    if not found:
        errors().print("Audit: all files that tasks read count for staleness.")
        return
    for task, paths in found.items():
        shown = ", ".join(f'"{path}"' for path in paths[:_SHOWN])
        left = len(paths) - _SHOWN
        more = f"  # and {left:,} more" if left > 0 else ""
        errors().print(
            f"Audit: {task} read {len(paths):,} file{'s' * (len(paths) > 1)} that do not count for"
            f" staleness. Give them as pathlib.Path arguments, or add to prefectx.toml:\n"
            f"[tasks.{task}]\nfiles = [{shown}]{more}",
            markup=False, soft_wrap=True,
        )  # fmt: skip
