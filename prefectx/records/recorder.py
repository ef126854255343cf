"""Keeps the record of an output: before the output is in its place, where that is possible."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext

from prefectx.arguments.signature import Arguments
from prefectx.item import WRITTEN, Item, Written
from prefectx.masking import mask_urls
from prefectx.records.earlier import keep_version
from prefectx.records.lineage import Lineage
from prefectx.records.outputs import read_version, state_of
from prefectx.records.record import Record, Sources
from prefectx.versions import is_same_state

_log = logging.getLogger("prefectx.records")
_KEPT = 8


def recording(
    lineage: Lineage | None,
    item: Item[object],
    sources: Sources | None,
    arguments: Arguments,
    seconds: float,
) -> AbstractContextManager[None]:
    """Return a context in which an output is saved, and its record kept.

    Parameters:
        lineage: what it is made from, None if nothing is recorded.
        item: the output.
        sources: the inputs and files, as they were before the function ran.
        arguments: the arguments of the call by name, with items or futures among them.
        seconds: how long the function ran.
    """
    if lineage is None or sources is None:
        return nullcontext()
    return Recorder(lineage, item, sources, arguments, seconds)


class Recorder:
    """Keeps the record of one output.

    Parameters:
        lineage: what it is made from.
        item: the output.
        sources: the inputs and files, as they were before the function ran.
        arguments: the arguments of the call by name, with items or futures among them.
        seconds: how long the function ran.
    """

    def __init__(
        self,
        lineage: Lineage,
        item: Item[object],
        sources: Sources,
        arguments: Arguments,
        seconds: float,
    ) -> None:
        self._lineage = lineage
        self._item = item
        self._sources = sources
        self._arguments = arguments
        self._seconds = seconds
        self._before: Record | None = None
        self._written: Written | None = None
        self._is_kept = False

    def __call__(self, written: Written) -> None:
        """Take what the store has written; keep the record if it is not to change any more."""
        self._written = written
        if written.mtime is not None:
            self._keep(written.version, written.size, written.mtime)

    def __enter__(self) -> None:
        records, item = self._lineage.records, self._item
        if records.newest(item.store, item.location) is not None and state_of(item) is None:
            self._before = records.find(item)[0]  # it was made before, and is missing
        self._token = WRITTEN.set(self)

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        WRITTEN.reset(self._token)
        if error is None:
            self.complete()
            if self._is_kept and self._lineage.origin.keep:
                keep_version(self._lineage, self._item)

    def _same_as(self, version: str | None) -> Sequence[str]:
        """Return the versions that were made from just the same before, and are different."""
        before = self._before
        if before is None or before.version in (None, version) or version is None:
            return ()
        if not self._lineage.is_same(before, self._arguments):
            return ()
        _log.warning(
            "Task %r: %s is not reproducible: it was missing, and came out different from the same"
            " arguments, inputs and code",
            before.task,
            mask_urls(self._item.location),
        )
        if not self._lineage.origin.is_lazy:
            return ()  # it was not to be missing: what was made from the other one is stale
        others = (str(before.version), *before.same_as)
        return [other for other in others if other != version][:_KEPT]

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
        for file, kept in unchanged.items():
            if lineage.files[file] in lineage.origin.texts and kept is not None:
                records.kept.add_text(lineage.files[file], kept)
        name = records.name_of(item.store, item.location)
        records.add(
            Record(
                name, recipe.task, recipe.function, version, size, mtime, recipe.arguments,
                recipe.defaults, self._sources.inputs, unchanged, recipe.code,
                lineage.origin.versions, round(time.time(), 3), round(self._seconds, 4),
                temporary=lineage.origin.is_temporary, same_as=self._same_as(version),
            )
        )  # fmt: skip
        item.stands_for(version, (size, mtime))
