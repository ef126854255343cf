"""Lineage: what a call's output is made from, what is recorded of it, and whether it is stale."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePath
from typing import NamedTuple

from prefectx.arguments.references import items_in
from prefectx.arguments.signature import Arguments
from prefectx.arguments.traversal import ATOMS
from prefectx.item import Item, OutputState
from prefectx.planned_outputs import planning
from prefectx.records.code import function_exists
from prefectx.records.origin import Origin, Stale
from prefectx.records.outputs import read_version, state_of, version_of
from prefectx.records.record import Argument, Input, Recipe, Record, Sources
from prefectx.records.records import Records, records_in
from prefectx.records.staleness import Cause, changes_of_inputs, changes_of_recipe
from prefectx.versions import file_state, is_changed

_ORDER = ("ignore", "warn", "rerun", "error")


Inputs = Mapping[str, Sequence[Input]]


class Lineage(NamedTuple):
    """What a call's output is made from, as far as it is known where the call is made.

    It travels with the call, so that workers read no journals.

    Attributes:
        origin: what the calls of its task have in common.
        arguments: what stands for each argument.
        defaults: the names of the arguments that have their defaults.
        files: the files that the call reads: absolute paths, by the names that records have.
        recorded: the records of the output, the newest first.
        symbols: of each code in these records the fingerprints of its symbols.
    """

    origin: Origin
    arguments: Mapping[str, Argument]
    defaults: Sequence[str]
    files: Mapping[str, str]
    recorded: tuple[Record, ...] = ()
    symbols: Mapping[str, Mapping[str, str | None]] = {}

    @property
    def recipe(self) -> Recipe:
        """The function, its arguments and code."""
        origin = self.origin
        return Recipe(origin.task, origin.function, self.arguments, self.defaults, *origin.code)

    @property
    def records(self) -> Records:
        """The records of the folder, in this process."""
        return records_in(self.origin.folder, self.origin.store)

    def of_output(self, item: Item[object]) -> Lineage:
        """Return the lineage with what is recorded of the output."""
        records = self.records
        recorded = tuple(records.find(item))
        symbols = {r.code: records.symbols(r.code) for r in recorded if r.code is not None}
        return self._replace(recorded=recorded, symbols=symbols)

    def sources(self, arguments: Arguments) -> Sources:
        """Return the inputs and files of a call as they are now.

        Parameters:
            arguments: its arguments by name, with items or futures among them.
        """
        states = {name: file_state(path, self.origin.limit) for name, path in self.files.items()}
        return Sources(self.inputs(arguments), states)

    def inputs(self, arguments: Arguments) -> dict[str, list[Input]]:
        """Return location and version of each item among the arguments of a call."""
        records = self.records
        return {
            name: [
                (records.name_of(item.store, item.location), version_of(item, records))
                for item in items
            ]
            for name, value in arguments.items()
            if type(value) not in ATOMS
            and not isinstance(value, PurePath)
            and (items := items_in(value))
        }

    def staleness(self, item: Item[object], arguments: Arguments) -> Stale | None:
        """Tell whether an output that exists is stale; None if not, or if nothing is recorded.

        The item learns which version it stands for.
        """
        if not self.recorded:
            return None
        state = state_of(item)
        record, version, is_edited = self._match(item, state)
        item.stands_for(version, state)
        causes = [
            cause
            for cause in self._causes(record, is_edited, arguments)
            if self.origin.stale[cause.kind] != "ignore"
            and not (self.origin.is_shared and cause.kind == "arguments")
        ]
        if not causes:
            return None
        reaction = max((self.origin.stale[cause.kind] for cause in causes), key=_ORDER.index)
        if is_edited and reaction == "rerun" and self.origin.stale["edited"] != "rerun":
            reaction = "warn"  # what somebody edited is replaced only where that is asked for
        if reaction == "error":
            causes = [cause for cause in causes if self.origin.stale[cause.kind] == "error"]
        return Stale(tuple(causes), reaction)

    def is_same(self, record: Record, arguments: Arguments) -> bool:
        """Tell whether an output was made from just the same; what is unknown is not the same.

        Parameters:
            record: its record.
            arguments: the arguments of the call by name, with items or futures among them.
        """
        recipe, inputs = self.recipe, self.inputs(arguments)
        known = [recipe.own, *recipe.symbols.values(), *recipe.arguments.values()]
        known += [version for found in inputs.values() for _, version in found]
        began = record.made - record.seconds
        then = self._equated(record.inputs, inputs)
        return (
            None not in known
            and record.function == recipe.function
            and record.code == recipe.code
            and record.arguments == recipe.arguments
            and then.keys() == inputs.keys()
            and not any(changes_of_inputs(then, inputs))
            and record.packages == self.origin.versions
            and record.files.keys() == self.files.keys()
            and all(
                is_changed(path, record.files[name], began) is False
                for name, path in self.files.items()
            )
        )

    def _equated(self, then: Inputs, now: Inputs) -> Inputs:
        """Return the inputs of a record, with a version that is another one of the same recipe.

        An input that is not reproducible, and was made again only as it was missing, is no change.
        """
        versions = {str(place): new for found in now.values() for place, new in found}
        return {
            name: [(place, self._equal_version(place, old, versions)) for place, old in found]
            for name, found in then.items()
        }

    def _equal_version(
        self, place: str | None, old: str | None, versions: Mapping[str, str | None]
    ) -> str | None:
        new = versions.get(str(place))
        if old is None or new is None or old == new:
            return old
        same = (each.same_as for each in self.records.named(str(place)) if each.version == new)
        return new if any(old in each for each in same) else old

    def would_change(self, arguments: Arguments) -> bool:
        """Tell whether an output that is not there would be made from something else than before.

        Parameters:
            arguments: the arguments of the call by name, with items or futures among them.
        """
        causes = self._causes(self.recorded[0], False, arguments)
        return any(self.origin.stale[cause.kind] != "ignore" for cause in causes)

    def _causes(self, record: Record, is_edited: bool, arguments: Arguments) -> Iterator[Cause]:
        if is_edited:
            yield Cause("edited", "the output is not what was saved: it was edited or replaced")
        recipe = self.recipe
        is_other = record.function != recipe.function and function_exists(record.function)
        # A record that was found later is of a code that the call did not bring along.
        symbols = self.symbols.get(record.code or "") or self.records.symbols(record.code)
        now = self.inputs(arguments)
        inputs = tuple(changes_of_inputs(self._equated(record.inputs, now), now))
        yield from inputs
        for cause in changes_of_recipe(
            record,
            recipe,
            symbols,
            is_other_function=is_other,
            accepted=self.origin.accepted,
        ):
            if not (cause.kind == "inputs" and inputs):  # told already, and better
                yield cause
        versions = self.origin.versions
        for name in record.packages.keys() & versions.keys():
            if record.packages[name] != versions[name]:
                change = f"{record.packages[name]} is now {versions[name]}"
                yield Cause("packages", f"the package {name} changed: {change}", name)
        began = record.made - record.seconds
        for name, path in self.files.items():
            if name in record.files and is_changed(path, record.files[name], began):
                before = record.files[name]
                what = (
                    "is new" if before is None else "changed" if Path(path).exists() else "is gone"
                )
                yield Cause("files", f"the file {name} {what}", name)

    def _match(
        self, item: Item[object], state: OutputState | None
    ) -> tuple[Record, str | None, bool]:
        """Return the record of what is at a location, its version, and whether it was edited."""
        found = _of_state(self.recorded, state)
        if found is not None:
            return found, found.version, False
        self.records.refresh()  # another process may have replaced it
        recorded = self.records.find(item) or self.recorded
        found = _of_state(recorded, state)
        if found is not None:
            return found, found.version, False
        version = read_version(item)
        for record in recorded:
            if record.version == version and version is not None:
                if state is not None and not planning():  # it was touched or copied: remembered
                    self.records.add(record._replace(size=state[0], mtime=state[1]))
                return record, version, False
        return recorded[0], version, version is not None


def _of_state(recorded: Sequence[Record], state: OutputState | None) -> Record | None:
    """Return the newest record of an output with this size and time, None if there is none."""
    return next((record for record in recorded if (record.size, record.mtime) == state), None)
