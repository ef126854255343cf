"""Makes what is known of the lineage of a task's calls, where they are made."""
# pathlib costs more than the system calls that it wraps.
# ruff: noqa: PTH100, PTH116

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path, PurePath

from prefectx.arguments.identity.places import canonical_place
from prefectx.arguments.signature import Arguments
from prefectx.arguments.traversal import ATOMS, replace
from prefectx.calls.task_definition import TaskDefinition
from prefectx.futures import Future
from prefectx.item import Item, Store
from prefectx.masking import is_secret
from prefectx.records import (
    Code,
    Lineage,
    Origin,
    Records,
    accepted_in,
    bytes_store,
    code_of,
    installed_versions,
    recorded_arguments,
    records_in,
    state_of,
    version_code,
)
from prefectx.settings import STALE_BY_DEFAULT, Options
from prefectx.stores import Filestore
from prefectx.targets.field import PATH_ATTRIBUTES, Field, Lookup
from prefectx.targets.template import Template, compile_template


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
        self._store = store
        self._is_local = isinstance(store, Filestore)
        self._options = options
        self._folders = folders
        self.folder = _folder(options.root, store, template)
        self._bytes = bytes_store(store) if "://" in self.folder else None
        self._stale = {**STALE_BY_DEFAULT, **options.stale}
        self._is_ignored = set(self._stale.values()) == {"ignore"}
        # Text of which the template takes the stem is a path.
        self._path_names = {
            part.name
            for part in template.parts
            if isinstance(part, Field)
            and any(is_attribute and step in PATH_ATTRIBUTES for is_attribute, step in part.steps)
        }
        self._code: Code | None = None
        self._origin: Origin | None = None
        self._named = tuple(map(compile_template, options.files))
        signature = task.signature
        self._defaults = {
            name: parameter.default
            for name, parameter in signature.inspected.parameters.items()
            if parameter.default is not parameter.empty
        }
        self._secret = frozenset(filter(is_secret, signature.names))
        self.is_simple = not (
            self._path_names & set(signature.names) or self._named or self._secret
        )

    @property
    def code(self) -> Code:
        """The task's code; made anew if globals that no source tells of have changed."""
        if self._code is None or (self._code.globals and not self._code.holds()):
            version = self._task.prefect_keywords.get("version")
            self._code = (
                code_of(self._task.fn, self._options.code)
                if version is None
                else version_code(str(version))
            )
        return self._code

    @property
    def origin(self) -> Origin:
        """What the outputs of calls have in common; the same object as long as the code is."""
        code = self.code
        if self._origin is None or self._origin.code[0] != code.digest:
            self._origin = self._make_origin(code)
        return self._origin

    def _make_origin(self, code: Code) -> Origin:
        options = self._options
        is_compared = self._stale["packages"] != "ignore"
        versions = installed_versions(code.imports) if is_compared else {}
        return Origin(
            self.folder, self._bytes, self._task.name, self._function,
            (code.digest, code.own, code.symbols), self._stale, options.hash_limit, options.code,
            versions, options.shared, options.keep, options.temporary,
            options.lazy or options.temporary, self._texts(),
            accepted_in(self._folders[-1]),
        )  # fmt: skip

    def _texts(self) -> frozenset[str]:
        """Return the files that the options name as they are, such as files of parameters."""
        return frozenset(os.path.abspath(t.text) for t in self._named if not [*t.names()])

    @property
    def records(self) -> Records:
        """The records of the folder, in this process."""
        return records_in(self.folder, self._bytes)

    def of(self, arguments: Arguments, fields: Callable[[], Lookup]) -> Lineage:
        """Return the lineage of a call.

        Parameters:
            arguments: its arguments by name, defaults applied; futures may be among them.
            fields: gives what its templates may name.
        """
        defaults = [n for n, v in self._defaults.items() if _is_default(arguments.get(n), v)]
        shown = recorded_arguments(arguments, self._folders, self._options.ignore, self._secret)
        return Lineage(self.origin, shown, defaults, self._files(arguments, fields))

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
        record = self.records.newest(self._store, location)
        if record is None:
            return True
        get = record.get
        if get("code") != self.code.digest or get("function") != self._function:
            return False
        if get("arguments") != dict(zip(names, map(repr, values), strict=False)):
            return False
        if "inputs" in record or "files" in record or "packages" in record:
            return False
        if not self._is_local or "://" in location:
            state = state_of(Item(self._store, location))
            return state == (get("size"), get("mtime"))
        try:
            found = os.stat(location)
        except (OSError, ValueError):
            return False
        return bool(found.st_mtime_ns == get("mtime") and found.st_size == get("size"))

    def _files(self, arguments: Arguments, fields: Callable[[], Lookup]) -> dict[str, str]:
        paths: list[str] = []
        for name, value in arguments.items():
            if name in self._options.ignore:
                continue
            if isinstance(value, str) and name in self._path_names and "://" not in value:
                paths.append(value)
            elif type(value) not in ATOMS:
                paths += _paths_in(value)
        if self._named:
            lookup = fields()
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


def _folder(root: str, store: Store, template: Template) -> str:
    if not isinstance(store, Filestore):
        return root
    place = store.locate(root, f"{template.prefix}x").rpartition("/")[0]
    begin = root.rstrip("/")
    return begin if f"{place}/".startswith(f"{begin}/") else place


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
