"""The kinds of values that keys have: how each is read, documented and described to editors.

The file is long because it is a list: each kind is a parser and the type of its values.
Each parser accepts its own results, because merged layers are validated again, and raises
ValueError with the end of the sentence "... is not", so that all messages read alike.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from string import Formatter
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field, ValidationInfo
from pydantic_core import CoreSchema, core_schema

from prefectx.imports import BUILTIN_STORES
from prefectx.item import Store
from prefectx.modes import MODES
from prefectx.settings.messages.spelling import did_you_mean
from prefectx.settings.units import (
    UNITS,
    is_off,
    number,
    parse_duration,
    parse_fraction,
    parse_memory_limit,
    parse_size,
)

JsonSchema = dict[str, object]


_TEXT: JsonSchema = {"type": "string", "minLength": 1}
# A reference to an environment variable, which may stand for any value.
VARIABLE: JsonSchema = {"type": "string", "pattern": r"\$\{"}


class Kind:
    """A kind of values; stands in `Annotated` types.

    Parameters:
        name: its name in the documentation.
        parse: reads a value, and receives pydantic's info if `takes_info`.
        schemas: the JSON schemas of its values.
        takes_info: whether `parse` needs to know the folder of the source.
    """

    def __init__(
        self,
        name: str,
        parse: Callable[..., object],
        *schemas: JsonSchema,
        takes_info: bool = False,
    ) -> None:
        self.name = name
        if _TEXT not in schemas:
            schemas = (*schemas, VARIABLE)
        self._schema = schemas[0] if len(schemas) == 1 else {"anyOf": list(schemas)}
        if takes_info:
            self._core_schema = core_schema.with_info_plain_validator_function(parse)
        else:
            self._core_schema = core_schema.no_info_plain_validator_function(parse)

    def __get_pydantic_core_schema__(self, source: object, handler: object) -> CoreSchema:
        return self._core_schema

    def __get_pydantic_json_schema__(self, source: object, handler: object) -> JsonSchema:
        return dict(self._schema)  # pydantic adds to it


def any_case(*words: str) -> JsonSchema:
    """Return the schema of words in small or capital letters."""
    parts = ("".join(f"[{c.lower()}{c.upper()}]" for c in word) for word in words)
    return {"type": "string", "pattern": f"^({'|'.join(parts)})$"}


_OFF: JsonSchema = {"anyOf": [{"const": False}, any_case("false", "off")]}
_POSITIVE: JsonSchema = {"type": "number", "exclusiveMinimum": 0}
_BYTES: JsonSchema = {"type": "number", "minimum": 1}
_UNIT = "|".join(f"[{unit[0]}{unit[0].upper()}]{unit[1:]}" for unit in UNITS)
_DURATION: JsonSchema = {
    "type": "string",
    "pattern": rf"^\s*\d+(\.\d+)?\s*$|^(\s*\d+(\.\d+)?\s*({_UNIT})\s*)+$",
}
_DIGITS: JsonSchema = {"type": "string", "pattern": r"^\s*\d+\s*$"}
_FRACTION: JsonSchema = {"type": "string", "pattern": r"^\s*(0?\.\d+|1(\.0*)?)\s*$"}
_SIZE: JsonSchema = {"type": "string", "pattern": r"^\s*\d*\.?\d+\s*[kKmMgGtTpPeE]?i?[bB]?\s*$"}

Duration = Annotated[float | None, Kind("duration", parse_duration, _DURATION, _POSITIVE, _OFF)]
Size = Annotated[int | None, Kind("size", parse_size, _SIZE, _BYTES)]
MemoryLimit = Annotated[
    int | float | str | None,
    Kind(
        "size, fraction, auto, false", parse_memory_limit, _SIZE, any_case("auto"), _POSITIVE, _OFF
    ),
]
Fraction = Annotated[
    float | bool | None,
    Kind("fraction or false", parse_fraction, {**_POSITIVE, "maximum": 1}, _FRACTION, _OFF),
]


def no_truth(value: object, kind: str = "a number") -> object:
    """Return the value; refuse true and false, which Python takes for 1 and 0."""
    if isinstance(value, bool):
        raise ValueError(kind)
    return value


Amount = Annotated[float, Field(ge=0, allow_inf_nan=False), BeforeValidator(no_truth)]


def parse_mode(value: object) -> str:
    """Read the name of a mode."""
    if isinstance(value, str) and value in MODES:
        return value
    guess = did_you_mean(value, MODES) if isinstance(value, str) else ""
    raise ValueError(f"a mode: use one of {', '.join(MODES)}{guess}")


Mode = Annotated[str, Kind("mode", parse_mode, {"enum": list(MODES)})]


def parse_template(value: object) -> str | None:
    """Read the template of a target; None if outputs are not kept."""
    if value is None or value is False or value in ("false", "False", "FALSE"):
        return None
    if not isinstance(value, str | os.PathLike) or not os.fspath(value):
        raise ValueError('a template: write "working/{funcname}/{base}", or false to keep nothing')
    text = str(os.fspath(value))
    is_at_home = text.startswith("~") and not set(text.partition("/")[0]) & set("{}")
    return _with_whole_fields(at_home(text) if is_at_home else text)


def _without_control(text: str, kind: str) -> str:
    """Return a text; refuse what a backslash in double quotes makes, as in a path of Windows."""
    found = re.search(r"[\x00-\x1f\x7f]", text)
    if found:
        raise ValueError(
            f"{kind}: it has the character {found[0]!r}; double each \\ in it, or use single quotes"
        )
    return text


def _with_whole_fields(template: str) -> str:
    if not _without_control(template, "a template").strip():
        raise ValueError("a template: it is blank")
    try:
        fields = [(field, conversion) for _, field, _, conversion in Formatter().parse(template)]
    except ValueError as error:
        raise ValueError(
            f"a template: {error}; close every brace, write {{{{ for a literal one"
        ) from None
    for field, conversion in fields:
        if field is not None and not re.match(r"[^\W\d]", field):
            raise ValueError(f"a template: {{{field}}} names no field, such as {{funcname}}")
        if conversion not in (None, "", "r", "s", "a"):
            raise ValueError(f"a template: there is no conversion !{conversion}; use !r, !s or !a")
    return template


Template = Annotated[str | None, Kind("template or false", parse_template, _TEXT, _OFF)]


def parse_run_name(value: object) -> str | Callable[..., str] | None:
    """Read the template of a task run's name; None leaves the name to Prefect."""
    if value is None or value is False or value in ("false", "False", "FALSE"):
        return None
    if isinstance(value, str) and value:
        return _with_whole_fields(value)
    if callable(value):
        return value
    raise ValueError('a template: write "{funcname}-{base}", or false for Prefect\'s own names')


RunName = Annotated[
    str | Callable[..., str] | None, Kind("template or false", parse_run_name, _TEXT, _OFF)
]


def parse_url(value: object) -> str | None:
    """Read the URL of Prefect's API; None leaves it to Prefect."""
    if is_off(value):
        return None
    if isinstance(value, str) and re.fullmatch(r"https?://[^/\s]+(/\S*)?", value):
        return value.rstrip("/")
    raise ValueError('a URL: write "http://127.0.0.1:4200/api", or false to leave it to Prefect')


Url = Annotated[
    str | None,
    Kind("URL or false", parse_url, {"type": "string", "pattern": r"^https?://[^/\s]+"}, _OFF),
]


# `s3:/bucket`: a letter before a colon is a drive of Windows.
_ONE_SLASH = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):/(?!/)")


def at_home(text: str) -> str:
    """Write the home folder for a `~` at the beginning of a path.

    Raises:
        ValueError: if there is no such home folder.
    """
    if not text.startswith("~"):
        return text
    name, mark, rest = text.partition("/")
    try:
        return f"{Path(name).expanduser()}{mark}{rest}"
    except RuntimeError as error:
        raise ValueError(f"a path in a home folder that exists: {name} is none here") from error


def parse_place(value: object, info: ValidationInfo) -> str | None:
    """Read a path or URL; a relative path is in the folder of its source."""
    if value is None:
        return None
    if not isinstance(value, str | os.PathLike) or not str(os.fspath(value)).strip():
        raise ValueError('a path or URL: write ".", "/data/runs" or "s3://bucket/runs"')
    text = str(os.fspath(value))
    if (url := _ONE_SLASH.match(text)) is not None:
        slashes = ":///" if url[1].lower() == "file" else "://"
        raise ValueError(f'a URL with two slashes: write "{url[1]}{slashes}{text[url.end() :]}"')
    if "{" in text or "}" in text:
        raise ValueError("a path or URL without fields: only targets and names of runs have them")
    _without_control(text, "a path")
    if "://" in text:
        return text.rstrip("/") if not text.endswith("://") else text
    folder: Path | None = (info.context or {}).get("folder")
    if folder is None:  # read already, in the folder of its source
        return text
    return os.path.abspath(folder / at_home(text))  # noqa: PTH100  # also drops ".."


_PLACE = Kind("path or URL", parse_place, _TEXT, takes_info=True)
Place = Annotated[str, _PLACE]
OptionalPlace = Annotated[str | None, _PLACE]


def parse_names(value: object) -> tuple[str, ...] | None:
    """Read a list of names, or names with commas between them."""
    if value is None:
        return None
    if isinstance(value, str):
        value = [part.strip() for part in value.split(",") if part.strip()]
        if not value:
            raise ValueError('a list of names: it is empty; write ["one", "two"], or [] for none')
    names = value if isinstance(value, list | tuple) else [None]
    if not all(isinstance(part, str) and part.strip() for part in names):
        raise ValueError('a list of names: write ["one", "two"]')
    return tuple(names)


_NAMES = Kind("list of names", parse_names, {"type": "array", "items": {"type": "string"}}, _TEXT)
Names = Annotated[tuple[str, ...], _NAMES]
WorkerNames = Annotated[tuple[str, ...] | None, _NAMES]


STALE_WORDS = ("ignore", "warn", "rerun", "error")
STALE_BY_DEFAULT = {
    "arguments": "error",
    "inputs": "warn",
    "files": "warn",
    "code": "warn",
    "packages": "ignore",
    "edited": "warn",
}
"""What becomes of a stale output by the cause, where nothing else is said."""


def parse_stale(value: object) -> dict[str, str]:
    """Read what becomes of stale outputs: a word for all causes, or a table of them.

    No word concerns packages, and a word does not replace what somebody edited.
    """
    if isinstance(value, str) and value in STALE_WORDS:
        edited = "warn" if value == "rerun" else value
        changed = dict.fromkeys(("arguments", "inputs", "files", "code"), value)
        return STALE_BY_DEFAULT | ({} if value == "warn" else changed | {"edited": edited})
    if not isinstance(value, Mapping):
        guess = did_you_mean(value, STALE_WORDS) if isinstance(value, str) else ""
        raise ValueError(
            f"what to do: write one of {', '.join(STALE_WORDS)}, or a table such as {{ code ="
            f' "rerun" }}{guess}'
        )
    for cause, word in value.items():
        if cause not in STALE_BY_DEFAULT:
            guess = did_you_mean(str(cause), STALE_BY_DEFAULT)
            raise ValueError(f"right: {cause!r} is none of {', '.join(STALE_BY_DEFAULT)}{guess}")
        if word not in STALE_WORDS:
            guess = did_you_mean(word, STALE_WORDS) if isinstance(word, str) else ""
            raise ValueError(
                f"right: {cause} = {word!r} is none of {', '.join(STALE_WORDS)}{guess}"
            )
    return dict(value)


_WORD: JsonSchema = {"enum": list(STALE_WORDS)}
Stale = Annotated[
    dict[str, str],
    Kind(
        "ignore, warn, rerun, error, or a table",
        parse_stale,
        _WORD,
        {
            "type": "object",
            "properties": dict.fromkeys(STALE_BY_DEFAULT, _WORD),
            "additionalProperties": False,
        },
    ),
]


def parse_worker_count(value: object) -> int | tuple[str, ...] | None:
    """Read a number of workers; a tuple of names passes, as a task's `dask.workers` is one."""
    if value is None or isinstance(value, tuple):
        return value
    count = value if type(value) is int else number(value)
    if count is None or count < 1 or count != int(count):
        raise ValueError("a number of workers: write 4 (names of workers are for single tasks)")
    return int(count)


WorkerCount = Annotated[
    int | tuple[str, ...] | None,
    Kind("number", parse_worker_count, {"type": "integer", "minimum": 1}, _DIGITS),
]


def parse_store(value: object) -> str | type[Store] | Store:
    """Read a store: a name, "package.module:Class", or from Python a Store or a subclass."""
    if isinstance(value, Store) or (isinstance(value, type) and issubclass(value, Store)):
        return value
    if isinstance(value, str) and re.fullmatch(r"[\w.-]+(:\w[\w.]*)?", value):
        return value
    raise ValueError(
        'a store: write "file", "sql", the name of a [stores.NAME] table or "package.module:Class"'
    )


StoreReference = Annotated[
    str | type[Store] | Store | None,
    Kind(
        "name or class",
        parse_store,
        {"enum": list(BUILTIN_STORES)},
        {"type": "string", "pattern": r"^[\w.-]+(:\w[\w.]*)?$"},
    ),
]


def parse_class_name(value: object) -> str | None:
    """Read the name of a class to import."""
    if value is None:
        return None
    if isinstance(value, str) and re.fullmatch(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*", value):
        return value
    raise ValueError('the name of a class: write "package.module:Class"')


def parse_import_path(value: object) -> object:
    """Read the name of a class to import, or from Python the class itself."""
    return value if callable(value) else parse_class_name(value)


_CLASS: JsonSchema = {"type": "string", "pattern": r"^[A-Za-z_][\w.]*:[A-Za-z_][\w.]*$"}
ClassName = Annotated[str | None, Kind("class", parse_class_name, _CLASS)]
ImportPath = Annotated[str | Callable[..., Any] | None, Kind("class", parse_import_path, _CLASS)]

_ADAPT = (
    *("minimum", "maximum", "minimum_cores", "maximum_cores", "minimum_memory", "maximum_memory"),
    *("minimum_jobs", "maximum_jobs", "interval", "wait_count", "target_duration", "worker_key"),
)


def _is_count(name: str) -> bool:
    return name in ("minimum", "maximum", "wait_count") or name.endswith(("cores", "jobs"))


def parse_adapt(value: object) -> dict[str, object]:
    """Read how a cluster scales: what clusters of Dask take for `adapt`."""
    if not isinstance(value, dict):
        raise ValueError("a table: write { minimum = 1, maximum = 8 }")
    for name, given in value.items():
        if name not in _ADAPT:
            hint = did_you_mean(str(name), _ADAPT) or f"; known are {', '.join(_ADAPT)}"
            raise ValueError(f'a way to scale: "{name}" is unknown{hint}')
        if _is_count(name) and (isinstance(given, bool) or not isinstance(given, int) or given < 0):
            raise ValueError(f"a way to scale: {name} must be a whole number from 0 on")
    return value


_COUNT: JsonSchema = {"type": "integer", "minimum": 0}
Adapt = Annotated[
    dict[str, object],
    Kind(
        "table",
        parse_adapt,
        {
            "type": "object",
            "properties": {name: _COUNT if _is_count(name) else {} for name in _ADAPT},
            "additionalProperties": False,
        },
    ),
]

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


_NUMBERS = [10, 20, 30, 40, 50]  # of the levels, as logging counts them


def parse_level(value: object) -> str:
    """Read the name of a logging level."""
    if isinstance(value, str) and value.isdecimal() and len(value) < 4:
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        value = logging.getLevelName(value)
    level = value.upper() if isinstance(value, str) else ""
    if level not in LEVELS:
        raise ValueError(f"a level: use one of {', '.join(LEVELS)}{did_you_mean(level, LEVELS)}")
    return level


_LEVEL = Kind("level", parse_level, {"enum": list(LEVELS)}, any_case(*LEVELS), {"enum": _NUMBERS})
Level = Annotated[str, _LEVEL]


def parse_log_format(value: object) -> str:
    """Read a format of log lines."""
    try:
        if isinstance(value, str) and value:
            logging.Formatter(value).format(logging.makeLogRecord({}))
            return value
    except (ValueError, KeyError, TypeError):
        pass
    raise ValueError('a format of log lines: write "%(asctime)s %(message)s"')


LogFormat = Annotated[str, Kind("text", parse_log_format, _TEXT)]


def parse_timezone(value: object) -> str | None:
    """Read the name of a time zone."""
    if value is None:
        return None
    try:
        if isinstance(value, str) and value:
            return ZoneInfo(value).key
    except (ValueError, KeyError, OSError):
        pass
    raise ValueError('a time zone: write its name, such as "Europe/Berlin" or "UTC"')


TimeZone = Annotated[str | None, Kind("text", parse_timezone, _TEXT)]


def parse_progress(value: object) -> bool | str:
    """Read how progress is shown: true, false or "auto"."""
    if isinstance(value, bool):
        return value
    written = value.lower() if isinstance(value, str) else ""
    if written in ("auto", "true", "false"):
        return written if written == "auto" else written == "true"
    raise ValueError('a choice: write "auto", true or false')


_PROGRESS = Kind(
    "auto, true or false",
    parse_progress,
    any_case("auto", "true", "false"),
    {"type": "boolean"},
)
Progress = Annotated[bool | str, _PROGRESS]
