"""Lineage: what a call's output is made from, the record of it, and whether an output is stale."""
# pathlib costs more than the system calls that it wraps.
# ruff: noqa: PTH100, PTH116

from __future__ import annotations

import copy
import functools
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePath
from typing import Any, NamedTuple

from prefectx.arguments.identity.names import leads_back
from prefectx.arguments.identity.places import canonical_place
from prefectx.arguments.references import items_in
from prefectx.arguments.signature import Arguments
from prefectx.arguments.traversal import ATOMS, replace
from prefectx.calls.task_definition import TaskDefinition
from prefectx.errors import WorkerError
from prefectx.futures import Future
from prefectx.item import WRITTEN, Item, Store, Written
from prefectx.masking import is_secret
from prefectx.records import (
    Argument,
    Cause,
    Code,
    Input,
    Recipe,
    Record,
    Records,
    Sources,
    changes_of_inputs,
    changes_of_recipe,
    code_of,
    function_exists,
    recorded_arguments,
    records_in,
    version_code,
)
from prefectx.settings import Options
from prefectx.stores import Filestore
from prefectx.targets.field import PATH_ATTRIBUTES, Field
from prefectx.targets.template import Template, compile_template
from prefectx.versions import file_state, is_changed, is_same_state, version_of_path

_ORDER = ("ignore", "warn", "rerun", "error")


class Stale(NamedTuple):
    """An output that was made from something else than what it would be made from now.

    Attributes:
        causes: why.
        reaction: the strongest of what the options say to these causes: warn, rerun or error.
    """

    causes: tuple[Cause, ...]
    reaction: str

    def __str__(self) -> str:
        """Return the causes in words, the first three of them."""
        shown = "; ".join(cause.text for cause in self.causes[:3])
        left = len(self.causes) - 3
        return f"{shown}; and {left} more" if left > 0 else shown


class Origin(NamedTuple):
    """What the outputs of one task's calls have in common.

    Attributes:
        folder: the folder that the records belong to.
        store: reads and writes bytes there if it is a URL.
        task: the name of the task.
        function: where its function is defined: `package.module:function`.
        code: the fingerprint of the code, that of the function alone, and of its symbols.
        stale: what becomes of a stale output, by the cause.
        limit: the size in bytes above which a file's content is not read.
        packages: the installed packages whose code counts as the project's.
        is_shared: whether different calls may have one target.
    """

    folder: str
    store: Store | None
    task: str
    function: str
    code: tuple[str, str | None, Mapping[str, str | None]]
    stale: Mapping[str, str]
    limit: int | None
    packages: tuple[str, ...]
    is_shared: bool


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
        recorded = tuple(records.find(item.location))
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
            name: [(records.relative(item.location), version_of(item, records)) for item in items]
            for name, value in arguments.items()
            if type(value) not in ATOMS and (items := items_in(value))
        }

    def staleness(self, item: Item[object], arguments: Arguments) -> Stale | None:
        """Tell whether an output that exists is stale; None if not, or if nothing is recorded.

        The item learns which version it stands for.
        """
        if not self.recorded:
            return None
        record, version, is_edited = self._match(item)
        item.stands_for(version)
        causes = [
            cause
            for cause in self._causes(record, is_edited, arguments)
            if self.origin.stale[cause.kind] != "ignore"
            and not (self.origin.is_shared and cause.kind == "arguments")
        ]
        if not causes:
            return None
        reaction = max((self.origin.stale[cause.kind] for cause in causes), key=_ORDER.index)
        if reaction == "error":
            causes = [cause for cause in causes if self.origin.stale[cause.kind] == "error"]
        return Stale(tuple(causes), reaction)

    def _causes(self, record: Record, is_edited: bool, arguments: Arguments) -> Iterator[Cause]:
        if is_edited:
            yield Cause("edited", "the output is not what was saved: it was edited or replaced")
        is_other = record.function != self.recipe.function and function_exists(record.function)
        symbols = self.symbols.get(record.code or "", {})
        inputs = tuple(changes_of_inputs(record.inputs, self.inputs(arguments)))
        yield from inputs
        for cause in changes_of_recipe(record, self.recipe, symbols, is_other_function=is_other):
            if not (cause.kind == "inputs" and inputs):  # told already, and better
                yield cause
        began = record.made - record.seconds
        for name, path in self.files.items():
            if name in record.files and is_changed(path, record.files[name], began):
                before = record.files[name]
                what = (
                    "is new" if before is None else "changed" if Path(path).exists() else "is gone"
                )
                yield Cause("files", f"the file {name} {what}")

    def _match(self, item: Item[object]) -> tuple[Record, str | None, bool]:
        """Return the record of what is at a location, its version, and whether it was edited."""
        newest = self.recorded[0]
        if not _is_local_file(item):
            return newest, newest.version, False
        state = _state(item.location)
        for attempt in (self.recorded, None):
            candidates = attempt
            if candidates is None:  # another process may have replaced it
                self.records.refresh()
                candidates = tuple(self.records.find(item.location))
            for record in candidates:
                if (record.size, record.mtime) == state:
                    return record, record.version, False
        try:
            version = version_of_path(item.location)
        except OSError:
            return newest, None, False
        for record in candidates or self.recorded:
            if record.version == version:
                if state is not None:  # it was touched or copied: remembered
                    self.records.add(record._replace(size=state[0], mtime=state[1]))
                return record, version, False
        return newest, version, True


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

    def complete(self) -> None:
        """Keep the record, of what is saved, unless that was done before."""
        if self._is_kept:
            return
        item = self._item
        state = _state(item.location) if _is_local_file(item) else None
        if self._written is not None:
            self._keep(self._written.version, self._written.size, None)
            return
        if _is_local_file(item) and state is None and not item.location.endswith("/"):
            return  # the function has saved nothing
        version = item.store.version(item.location)
        self._keep(version, *(state or (None, None)))

    def _keep(self, version: str | None, size: int | None, mtime: int | None) -> None:
        self._is_kept = True
        lineage, recipe = self._lineage, self._lineage.recipe
        unchanged = {
            name: before
            if is_same_state(lineage.files[name], before)
            else [None, None, None]  # it was written meanwhile: nobody knows what was read
            for name, before in self._sources.files.items()
        }
        records = lineage.records
        records.add(
            Record(
                records.relative(self._item.location), recipe.task, recipe.function, version, size,
                mtime, recipe.arguments, recipe.defaults, self._sources.inputs, unchanged,
                recipe.code, round(time.time(), 3), round(self._seconds, 4),
            )
        )  # fmt: skip
        self._item.stands_for(version)


class Lineages:
    """Makes the lineages of one task's calls.

    Parameters:
        task: the task.
        function: where its function is defined: `package.module:function`.
        options: its options.
        store: where outputs are kept.
        template: the target.
        folders: the root and the project's folder: paths count relative to them.
    """

    def __init__(
        self,
        task: TaskDefinition,
        function: str,
        options: Options,
        store: Store,
        template: Template,
        folders: tuple[str, ...],
    ) -> None:
        self._task = task
        self._function = function
        self._options = options
        self._folders = folders
        self.folder = _folder(options.root, store, template)
        self._bytes = _bytes_store(store) if "://" in self.folder else None
        self._stale = dict(options.stale)
        self._is_ignored = set(self._stale.values()) == {"ignore"}
        # Text of which the template takes the stem is a path.
        self._path_names = {
            part.name
            for part in template.parts
            if isinstance(part, Field)
            and any(is_attribute and step in PATH_ATTRIBUTES for is_attribute, step in part.steps)
        }
        self._named = tuple(map(compile_template, options.files))
        signature = task.signature
        self._defaults = {
            name: parameter.default
            for name, parameter in signature.inspected.parameters.items()
            if parameter.default is not parameter.empty
        }
        self.is_simple = not (
            self._path_names & set(signature.names)
            or self._named
            or any(map(is_secret, signature.names))
        )

    @functools.cached_property
    def code(self) -> Code:
        """The task's code."""
        version = self._task.prefect_keywords.get("version")
        if version is not None:
            return version_code(str(version))
        return code_of(self._task.fn, self._options.code)

    @functools.cached_property
    def origin(self) -> Origin:
        """What the outputs of all calls have in common."""
        code, options = self.code, self._options
        return Origin(
            self.folder, self._bytes, self._task.name, self._function,
            (code.digest, code.own, code.symbols), self._stale, options.hash_limit, options.code,
            options.shared,
        )  # fmt: skip

    @property
    def records(self) -> Records:
        """The records of the folder, in this process."""
        return records_in(self.folder, self._bytes)

    def of(self, arguments: Arguments, lookup: Mapping[str, Any] | Any) -> Lineage:
        """Return the lineage of a call.

        Parameters:
            arguments: its arguments by name, defaults applied; futures may be among them.
            lookup: the fields of its templates.
        """
        defaults = [n for n, v in self._defaults.items() if _is_default(arguments.get(n), v)]
        shown = recorded_arguments(arguments, self._folders, self._options.ignore)
        return Lineage(self.origin, shown, defaults, self._files(arguments, lookup))

    def keep_code(self) -> None:
        """Record what the fingerprint of the code consists of."""
        code = self.code
        self.records.add_code(code.digest, {**code.symbols, "": code.own}, code.sources)

    def is_current(self, location: str, names: Sequence[str], values: Sequence[object]) -> bool:
        """Tell whether nothing is to be said about the output of a call of scalars.

        Parameters:
            location: the output, which exists.
            names: the names of the parameters.
            values: the arguments.
        """
        if self._is_ignored:
            return True
        recorded = self.records.find(location)
        if not recorded:
            return True
        record = recorded[0]
        if record.code != self.code.digest:
            return False
        if record.function != self._function or record.inputs or record.files:
            return False
        shown = dict(zip(names, map(repr, values), strict=True))
        for name in self._options.ignore:
            shown.pop(name, None)
        if shown != record.arguments:
            return False
        if "://" in location or record.mtime is None:
            return True
        return _state(location) == (record.size, record.mtime)

    def _files(self, arguments: Arguments, lookup: Any) -> dict[str, str]:
        paths: list[str] = []
        for name, value in arguments.items():
            if name in self._options.ignore:
                continue
            if isinstance(value, str) and name in self._path_names and "://" not in value:
                paths.append(value)
            elif type(value) not in ATOMS:
                paths += _paths_in(value)
        paths += [template.fill(lookup) for template in self._named]
        found = {}
        for path in paths:
            place, relative = canonical_place(path, self._folders)
            absolute = os.path.abspath(path)
            if place == "folder 0":
                found[relative] = absolute
            else:
                found[relative if place == "folder 1" else absolute] = absolute
        return found


def check_code(lineage: Lineage, function: object) -> None:
    """Refuse to run a function whose code is not that of where the call was made.

    Raises:
        WorkerError: this process has loaded other code.
    """
    recipe = lineage.recipe
    if recipe.own is None or not callable(function) or str(recipe.code).startswith("version"):
        return
    inner = getattr(function, "func", function)
    if not isinstance(inner, type(check_code)) or not leads_back(inner):
        return  # it came with the call
    here = code_of(function, lineage.origin.packages)
    then = {**recipe.symbols, "": recipe.own}
    now = {**here.symbols, "": here.own}
    different = [
        name or recipe.function
        for name in then.keys() & now.keys()
        if then[name] is not None
        and (name in here.outdated or (now[name] is not None and now[name] != then[name]))
    ]
    if different:
        raise WorkerError(
            f"task {recipe.task!r}: this worker has loaded other code than the process that makes"
            f" the call: {', '.join(sorted(different)[:3])} differs; restart the worker"
        )


def version_of(item: Item[object], records: Records) -> str | None:
    """Return the version of an output as it is now, None if there is none or it is unknown."""
    if item.version is not None:
        return item.version
    recorded = records.find(item.location)
    if not _is_local_file(item):
        if recorded:
            return recorded[0].version
        return item.store.version(item.location) if item.exists() else None
    state = _state(item.location)
    if state is None and not item.location.endswith("/"):
        return None
    for record in recorded:
        if (record.size, record.mtime) == state:
            return record.version
    return version_of_path(item.location)


def _is_local_file(item: Item[object]) -> bool:
    return isinstance(item.store, Filestore) and "://" not in item.location


def _state(location: str) -> tuple[int, int] | None:
    """Return size and time of a local file, None if there is none; of a folder nothing is told."""
    try:
        found = os.stat(location)
    except OSError:
        return None
    return None if location.endswith("/") else (found.st_size, found.st_mtime_ns)


def _folder(root: str, store: Store, template: Template) -> str:
    if not isinstance(store, Filestore):
        return root
    place = store.locate(root, f"{template.prefix}x").rpartition("/")[0]
    begin = root.rstrip("/")
    return begin if f"{place}/".startswith(f"{begin}/") else place


def _bytes_store(store: Store) -> Store:
    """Return a store that keeps bytes as they are, with the same access."""
    if not isinstance(store, Filestore):
        return Filestore(format=".bin")
    copied = copy.copy(store)
    copied.format, copied.signing_key, copied.fsync = ".bin", None, False
    return copied


def _is_default(value: object, default: object) -> bool:
    if value is default:
        return True
    return type(value) is type(default) and type(value) in ATOMS and value == default


def _paths_in(value: object) -> list[str]:
    found: list[str] = []

    def look(part: object) -> object:
        if isinstance(part, Path):
            found.append(str(part))
        return part

    if isinstance(value, (PurePath, Item, Future)):
        look(value)
    else:
        replace(value, look)
    return found
