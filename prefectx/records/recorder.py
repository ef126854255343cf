"""Keeps the record of an output: before the output is in its place, where that is possible."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager, nullcontext

from prefectx.item import WRITTEN, Item, Written
from prefectx.records.earlier import keep_version
from prefectx.records.lineage import Lineage
from prefectx.records.outputs import read_version, state_of
from prefectx.records.record import Record, Sources
from prefectx.versions import is_same_state


def recording(
    lineage: Lineage | None, item: Item[object], sources: Sources | None, seconds: float
) -> AbstractContextManager[None]:
    """Return a context in which an output is saved, and its record kept.

    Parameters:
        lineage: what it is made from, None if nothing is recorded.
        item: the output.
        sources: the inputs and files, as they were before the function ran.
        seconds: how long the function ran.
    """
    if lineage is None or sources is None:
        return nullcontext()
    return Recorder(lineage, item, sources, seconds)


class Recorder:
    """Keeps the record of one output.

    Parameters:
        lineage: what it is made from.
        item: the output.
        sources: the inputs and files, as they were before the function ran.
        seconds: how long the function ran.
    """

    def __init__(
        self, lineage: Lineage, item: Item[object], sources: Sources, seconds: float
    ) -> None:
        self._lineage = lineage
        self._item = item
        self._sources = sources
        self._seconds = seconds
        self._written: Written | None = None
        self._is_kept = False

    def __call__(self, written: Written) -> None:
        """Take what the store has written; keep the record if it is not to change any more."""
        self._written = written
        if written.mtime is not None:
            self._keep(written.version, written.size, written.mtime)

    def __enter__(self) -> None:
        self._token = WRITTEN.set(self)

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        WRITTEN.reset(self._token)
        if error is None:
            self.complete()
            if self._is_kept and self._lineage.origin.keep:
                keep_version(self._lineage, self._item)

    def complete(self) -> None:
        """Keep the record, of what is saved, unless that was done before."""
        if self._is_kept:
            return
        state = state_of(self._item)
        if state is None:
            return  # the function has saved nothing
        written = self._written
        self._keep(read_version(self._item) if written is None else written.version, *state)

    def _keep(self, version: str | None, size: int | None, mtime: int | None) -> None:
        self._is_kept = True
        lineage, recipe = self._lineage, self._lineage.recipe
        unchanged = {
            name: before
            if is_same_state(lineage.files[name], before)
            else [None, None, None]  # it was written meanwhile: nobody knows what was read
            for name, before in self._sources.files.items()
        }
        records, item = lineage.records, self._item
        name = records.name_of(item.store, item.location)
        records.add(
            Record(
                name, recipe.task, recipe.function, version, size, mtime, recipe.arguments,
                recipe.defaults, self._sources.inputs, unchanged, recipe.code,
                lineage.origin.versions, round(time.time(), 3), round(self._seconds, 4),
            )
        )  # fmt: skip
        item.stands_for(version, (size, mtime))
