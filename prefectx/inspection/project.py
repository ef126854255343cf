"""The outputs of a project: the folders with records, and outputs by where people say they are."""

from __future__ import annotations

import difflib
import os
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import Path

from prefectx import settings
from prefectx.errors import PrefectxError, StoreError
from prefectx.inspection.errors import NoOutputError
from prefectx.inspection.output import Output
from prefectx.inspection.tasks import Tasks
from prefectx.item import Item, Store
from prefectx.masking import mask_urls
from prefectx.records import FOLDER, Failure, Record, Records, bytes_store, records_in
from prefectx.settings import Settings
from prefectx.stores import Filestore, make_store
from prefectx.targets.template import compile_template

_REPR = re.compile(r"""^Item\((['"])(.*)\1\)$""")
_GLOB = re.compile(r"[*?\[]")
_NEAR = 200_000


class Project:
    """The outputs that the records of a project know.

    Attributes:
        root: the folder or URL that relative targets lie under.
        tasks: the tasks that made them.
    """

    def __init__(self) -> None:
        current = settings.current()
        self.root = current.project.root
        self.tasks = Tasks()
        self._stores = _stores(current)
        self._folders = _folders(current)
        self._consumers: dict[str, list[Output]] | None = None

    def records(self) -> Iterator[Records]:
        """Yield the records of each folder that has some."""
        for folder in self._folders:
            store = bytes_store(None) if "://" in folder else None
            yield records_in(folder, store)

    def all(self, task: str | None = None) -> Iterator[Output]:
        """Yield the outputs, or those of one task, sorted by location within each folder."""
        for records in self.records():
            for record in records.all():
                if task is None or record.task == task:
                    yield self._output(record, records)

    def failures(self, task: str | None = None) -> list[tuple[Failure, Records]]:
        """Return the calls that failed the last time, the latest first."""
        found = [
            (failure, records)
            for records in self.records()
            for failure in records.failures()
            if task is None or failure.task == task
        ]
        return sorted(found, key=lambda pair: pair[0].made, reverse=True)

    def named(self, text: str) -> list[Output]:
        """Return the outputs at a location, or of a task.

        Parameters:
            text: a path relative to the working directory or the root, an absolute one, a URL, a
                pattern (`working/clean/*`), the repr of an item, or the name of a task.

        Raises:
            NoOutputError: nothing is known of such an output; it names those with a similar name.
        """
        found = self.at(text)
        if not found:
            found = list(self.all(text))
        if not found:
            raise NoOutputError(self._nothing(text))
        return found

    def at(self, text: str) -> list[Output]:
        """Return the outputs at a location; see `named`."""
        match = _REPR.match(text.strip())
        places = self._places(match[2] if match else text)
        if _GLOB.search(text):
            found = [
                output
                for output in self.all()
                if any(fnmatchcase(output.item.location, place) for place in places)
            ]
            if found:
                return found
        for records in self.records():
            for place in places:
                item: Item[object] = Item(Filestore(), place)
                recorded = records.find(item)
                if recorded:
                    return [self._output(recorded[0], records)]
        if not match and self._stores:
            return [output for output in self.all() if output.location == text][:1]
        return []

    def consumers(self) -> Mapping[str, list[Output]]:
        """Return the outputs that were made from each input, by the input's name in records."""
        if self._consumers is None:
            self._consumers = defaultdict(list)
            for output in self.all():
                for place in output.inputs:
                    self._consumers[place].append(output)
        return self._consumers

    def shown(self, location: str) -> str:
        """Return a location as people read it: relative to the root if it lies there."""
        return mask_urls(location.removeprefix(f"{self.root.rstrip('/')}/"))

    def item_of(self, name: str, folder: str, task: str | None = None) -> Item[object]:
        """Return the item of an output by its name in records.

        Parameters:
            name: the name.
            folder: the folder of the records.
            task: unused by files; the store of others is found by its name.
        """
        for begin, store in self._stores.items():
            if name.startswith(begin):
                return Item(store, name.removeprefix(begin))
        is_absolute = name.startswith("/") or "://" in name
        return Item(Filestore(), name if is_absolute else f"{folder.rstrip('/')}/{name}")

    def _output(self, record: Record, records: Records) -> Output:
        return Output(self, records, record)

    def _places(self, text: str) -> list[str]:
        if "://" in text:
            return [text]
        here = os.path.abspath(text)  # noqa: PTH100  # of a URL or a path
        is_folder = "/" if text.endswith("/") else ""
        below = f"{self.root.rstrip('/')}/{text}"
        return list(dict.fromkeys([here + is_folder, below]))

    def _nothing(self, text: str) -> str:
        known: set[str] = set()
        for output in self.all():
            known |= {output.location, output.record.task}
            if len(known) > _NEAR:
                break
        if not known:
            return f"no records are in {mask_urls(self.root)}/{FOLDER}: nothing was made there yet"
        near = difflib.get_close_matches(text, known, n=1, cutoff=0.6)
        advice = f"; did you mean {near[0]}?" if near else ""
        path = next((p for p in self._places(text) if Path(p).exists()), None)
        what = "was not made by a task, or has no record" if path else "is no known output or task"
        return f"{text} {what}{advice} (prefectx ls shows all)"


def _folders(current: Settings) -> list[str]:
    """Return the folders that may hold records: the root, and those of tasks with other places."""
    found = [current.project.root]
    for name in current.names_of_tasks:
        options = current.options(name)
        found.append(options.root)
        if options.target and str(options.target).startswith("/"):
            prefix = compile_template(str(options.target)).prefix
            found.append(prefix.rpartition("/")[0])
    return list(dict.fromkeys(found))


def _stores(current: Settings) -> dict[str, Store]:
    """Return the stores that are no files, by what the names of their outputs begin with."""
    found: dict[str, Store] = {}
    for name in current.stores:
        try:
            store = make_store(name, current.stores)
        except (PrefectxError, StoreError):
            continue  # whoever uses it hears why it cannot be made
        if not isinstance(store, Filestore):
            found[f"{type(store).__name__}:{getattr(store, 'database', '')}:"] = store
    return found
