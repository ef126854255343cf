"""Record: who made an output, from what, with which code; one line of JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import orjson

from prefectx.versions import FileState

FORMAT = 1
"""The number of the journals' format; a newer one is not read."""

# The text of a scalar; or the kind of argument, its fingerprint, a text for people, the scheme of
# the fingerprint and the libraries that it depends on; or None: it cannot be compared.
Argument = str | Sequence[Any] | None
# Location and version, None if unknown.
Input = Sequence[str | None]


class Recipe(NamedTuple):
    """What a call is made of where it is made, before its inputs are there.

    Attributes:
        task: the name of the task.
        function: where its function is defined: `package.module:function`.
        arguments: what stands for each argument.
        defaults: the names of the arguments that have their defaults.
        code: the fingerprint of the code, None if it is not looked at.
        own: that of the function alone, None if unknown.
        symbols: that of each symbol that the function refers to, None if unknown.
    """

    task: str
    function: str
    arguments: Mapping[str, Argument]
    defaults: Sequence[str] = ()
    code: str | None = None
    own: str | None = None
    symbols: Mapping[str, str | None] = {}


class Sources(NamedTuple):
    """What a call reads: its inputs and files, as they are before the function runs.

    Attributes:
        inputs: location and version of each item among the arguments, by argument.
        files: the state of each file that the arguments or the options name, by path.
    """

    inputs: Mapping[str, Sequence[Input]] = {}
    files: Mapping[str, FileState] = {}


class Record(NamedTuple):
    """Who made an output, from what, with which code.

    Attributes:
        location: where the output is, relative to the folder of the records.
        task: the name of the task.
        function: where its function is defined.
        version: a fingerprint of the output's bytes, None if unknown.
        size: their number, None if unknown.
        mtime: the file's time of change in nanoseconds, None if it is no local file.
        arguments: as in `Recipe`.
        defaults: as in `Recipe`.
        inputs: as in `Sources`.
        files: as in `Sources`.
        code: the fingerprint of the code; its symbols are recorded once for all.
        packages: the versions of the packages that it imports; only where they are compared.
        made: when, in seconds since 1970.
        seconds: how long it took.
        run: the process that made it; its host and versions are recorded once for all.
        removed: whether the output was deleted on purpose; what was recorded before counts no more.
        temporary: whether its flow deletes the output when it has ended.
        same_as: versions that were made from just the same before: it is not reproducible.
    """

    location: str
    task: str
    function: str
    version: str | None
    size: int | None
    mtime: int | None
    arguments: Mapping[str, Argument]
    defaults: Sequence[str] = ()
    inputs: Mapping[str, Sequence[Input]] = {}
    files: Mapping[str, FileState] = {}
    code: str | None = None
    packages: Mapping[str, str] = {}
    made: float = 0.0
    seconds: float = 0.0
    run: str = ""
    removed: bool = False
    temporary: bool = False
    same_as: Sequence[str] = ()

    def line(self) -> bytes:
        """Return the record as a line, without what is empty; the location comes first."""
        values = {name: value for name, value in self._asdict().items() if value or name in _KEPT}
        return orjson.dumps(values, option=_LINE)

    @classmethod
    def of_line(cls, line: bytes) -> Record:
        """Read a record.

        Raises:
            ValueError: the line is no record.
        """
        values = orjson.loads(line)
        try:
            if not values.keys() <= _NAMES:  # of a later version, which has more
                values = {name: values[name] for name in values.keys() & _NAMES}
            found = cls(**values)
        except (TypeError, AttributeError) as error:
            raise ValueError(f"no record: {error}") from error
        for name, value in values.items():
            if not isinstance(value, _KINDS[name]):
                raise ValueError(f"no record: {name} is of the wrong type")
        return found


class Failure(NamedTuple):
    """A call that failed.

    Attributes:
        failed: where its output would be, relative to the folder of the records; empty if the
            task keeps none.
        task: the name of the task.
        function: where its function is defined.
        file: the source file of the function, None if it has none.
        arguments: the arguments for people, by name; secrets are not among them.
        error: the type and the message of the exception.
        traceback: as Python prints it, without the frames of prefectx before the function.
        kept: the file with the arguments below `failed/`, empty if they are not kept.
        reason: why they are not kept.
        made: when, in seconds since 1970.
        run: the process in which it failed.
    """

    failed: str
    task: str
    function: str
    file: str | None
    arguments: Mapping[str, str]
    error: str
    traceback: str
    kept: str = ""
    reason: str = ""
    made: float = 0.0
    run: str = ""

    def line(self) -> bytes:
        """Return the failure as a line; the location comes first."""
        return orjson.dumps(self._asdict(), option=_LINE)

    @classmethod
    def of_line(cls, line: bytes) -> Failure:
        """Read a failure.

        Raises:
            ValueError: the line is none.
        """
        values = orjson.loads(line)
        try:
            return cls(**{name: values[name] for name in values.keys() & set(cls._fields)})
        except (TypeError, AttributeError) as error:
            raise ValueError(f"no failure: {error}") from error


_KEPT = frozenset({"location", "task", "function", "version", "size", "mtime", "arguments"})
_NAMES = frozenset(Record._fields)
_LINE = orjson.OPT_APPEND_NEWLINE
_NUMBER, _TEXT = (int, float), (str, type(None))
_KINDS: dict[str, Any] = {
    "location": str, "task": str, "function": str, "version": _TEXT, "size": (int, type(None)),
    "mtime": (int, type(None)), "arguments": dict, "defaults": (list, tuple), "inputs": dict,
    "files": dict, "code": _TEXT, "packages": dict, "made": _NUMBER, "seconds": _NUMBER, "run": str,
    "removed": bool, "temporary": bool, "same_as": (list, tuple),
}  # fmt: skip


def location_key(location: str) -> bytes:
    """Return what stands for a location in a record's line, between the quotes."""
    return orjson.dumps(location)[1:-1]
