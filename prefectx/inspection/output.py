"""One output, as its record and its store tell of it."""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Literal

from prefectx.inspection.staleness import staleness_of
from prefectx.item import Item, OutputState
from prefectx.records import Argument, Record, Records, Stale, read_version, state_of

if TYPE_CHECKING:
    from prefectx.inspection.project import Project

Status = Literal["finished", "stale", "edited", "missing"]
_PATH = re.compile(r"^Path\('(?:folder \d|[^']*)', '(.*)'\)$")
OWN_FIELDS = ("base", "name", "task")
_STEPS = ("stem", "name", "suffix", "parent")


class Output:
    """One output.

    Parameters:
        project: the project.
        records: the records that tell of it.
        record: its newest record.
    """

    def __init__(self, project: Project, records: Records, record: Record) -> None:
        self.project = project
        self.records = records
        self.record = record

    @functools.cached_property
    def item(self) -> Item[object]:
        """The item of the output."""
        return self.project.item_of(self.record.location, self.records.folder, self.record.task)

    @property
    def location(self) -> str:
        """Its location, relative to the root if it lies there."""
        return self.project.shown(self.item.location)

    @property
    def task(self) -> str:
        """The name of the task that made it."""
        return self.record.task

    @functools.cached_property
    def state(self) -> OutputState | None:
        """Size and time of what is there now, None if nothing is."""
        return state_of(self.item)

    @property
    def exists(self) -> bool:
        """Whether it is there."""
        return self.state is not None

    @property
    def size(self) -> int | None:
        """Its size in bytes now, or when it was made if it is not there."""
        return self.record.size if self.state is None else self.state[0]

    @property
    def saved(self) -> datetime:
        """When it was made."""
        return datetime.fromtimestamp(self.record.made, UTC)

    @property
    def seconds(self) -> float:
        """How long that took."""
        return self.record.seconds

    @functools.cached_property
    def stale(self) -> Stale | None:
        """Why it is stale, None if it is not or does not exist."""
        return staleness_of(self) if self.exists else None

    @property
    def is_lazy(self) -> bool:
        """Whether it may be missing: the next call alone does not make it."""
        task = self.project.tasks.of(self.record)
        if task is None:
            return self.record.temporary
        return task.options.lazy or task.options.temporary

    @property
    def is_edited(self) -> bool:
        """Whether what is there is not what was saved."""
        if self.state is None or self.state == (self.record.size, self.record.mtime):
            return False
        recorded = self.records.find(self.item)
        if any((each.size, each.mtime) == self.state for each in recorded):
            return False
        version = read_version(self.item)
        return version is not None and all(each.version != version for each in recorded)

    @property
    def status(self) -> Status:
        """Whether it is there and what it would be made from now."""
        if not self.exists:
            return "missing"
        if self.stale is None:
            return "finished"
        is_edited = any(cause.kind == "edited" for cause in self.stale.causes)
        return "edited" if is_edited else "stale"

    @functools.cached_property
    def arguments(self) -> dict[str, str]:
        """The arguments of the call, as people read them."""
        found = {name: readable(value) for name, value in self.record.arguments.items()}
        for name, places in self.record.inputs.items():
            first = self.project.shown(str(places[0][0])) if places else ""
            found[name] = first if len(places) == 1 else f"{len(places):,} inputs"
        return found

    def field(self, name: str) -> str | None:
        """Return the value of a field of the target, such as `year` or `path.stem`; None: unknown.

        Parameters:
            name: an argument, with `.stem`, `.name`, `.suffix` or `.parent` behind it for a path;
                `base`, the name of the output without its suffix; or `task`.
        """
        argument, _, step = name.partition(".")
        if argument in self.arguments and (not step or step in _STEPS):
            value = self.arguments[argument]
            return str(getattr(PurePath(value), step)) if step else value
        own = {"base": self.item.stem, "task": self.task, "name": self.task}
        return own.get(name)

    def matches(self, where: Mapping[str, str]) -> bool:
        """Tell whether fields have certain values: `{"year": "2023"}`."""
        return all(self.field(name) == value for name, value in where.items())

    def to_dict(self) -> dict[str, Any]:
        """Return what is known of it as plain data."""
        run = self.records.run(self.record.run)
        return {
            "location": self.location,
            "task": self.task,
            "status": self.status,
            "size": self.size,
            "saved": self.saved.isoformat(timespec="seconds"),
            "seconds": self.seconds,
            "arguments": self.arguments,
            "inputs": self.inputs,
            "files": list(self.record.files),
            "version": self.record.version,
            "function": self.record.function,
            "stale": [] if self.stale is None else [cause._asdict() for cause in self.stale.causes],
            "host": run.get("host"),
            "run": self.record.run,
        }

    @property
    def inputs(self) -> list[str]:
        """The locations of its inputs, without those that come twice."""
        found = [str(place) for each in self.record.inputs.values() for place, _ in each]
        return list(dict.fromkeys(found))


def readable(argument: Argument) -> str:
    """Return an argument of a record as people read it."""
    if argument is None:
        return "(not recorded)"
    if isinstance(argument, Sequence) and not isinstance(argument, str):
        return str(argument[2]) or f"({argument[0]})"
    path = _PATH.match(argument)
    if path:
        return path[1]
    if argument[:1] in "'\"":
        try:
            return str(ast.literal_eval(argument))
        except (ValueError, SyntaxError):
            return argument
    return argument
