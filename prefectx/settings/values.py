"""The kinds of values that keys have: how each is read, and what the JSON schema says of it.

Each parser accepts what it returns (layers are merged after they were checked) and raises
ValueError with the end of the sentence "... is not", so that all mistakes read alike.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Callable
from pathlib import Path
from string import Formatter
from typing import Annotated, Any

from pydantic import PlainValidator, ValidationInfo, WithJsonSchema

from prefectx.item import Store
from prefectx.settings.spelling import did_you_mean
from prefectx.settings.units import (
    is_off,
    number,
    parse_duration,
    parse_fraction,
    parse_memory_limit,
    parse_size,
)

MODES = ("function", "cache", "prefect", "prefect.cachetask", "prefect.skiptask")
"""What `@task` and `@flow` can do; the last is the default."""

BUILTIN_STORES = {"file": "prefectx.stores.files:Filestore", "sql": "prefectx.stores.sql:SqlStore"}
"""The stores that can be named without a [stores.NAME] table."""

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


def parse_mode(value: object) -> str:
    """Read one of the five modes."""
    if value not in MODES:
        guess = did_you_mean(value, MODES) if isinstance(value, str) else ""
        raise ValueError(f"a mode: there are {', '.join(MODES)}{guess}")
    return str(value)


def parse_template(value: object) -> str | None:
    """Read a target's template; false is None: the output is not kept."""
    if value is None or value is False or value == "false":
        return None
    if not isinstance(value, str | os.PathLike) or not os.fspath(value):
        raise ValueError('a template: write "working/{funcname}/{base}", or false to keep nothing')
    return _with_whole_fields(str(os.fspath(value)))


def _with_whole_fields(template: str) -> str:
    try:
        list(Formatter().parse(template))
    except ValueError as error:
        raise ValueError(
            f"a template: {error}; braces stand in pairs, write {{{{ for one"
        ) from None
    return template


def parse_run_name(value: object) -> str | Callable[..., str] | None:
    """Read the template of a task run's name; false is None: Prefect's own names."""
    if value is None or value is False or value == "false":
        return None
    if isinstance(value, str) and value:
        return _with_whole_fields(value)
    if callable(value):
        return value
    raise ValueError('a template: write "{funcname}-{base}", or false for Prefect\'s own names')


def parse_url(value: object) -> str | None:
    """Read the URL of Prefect's API; false is None: it is left to Prefect."""
    if is_off(value):
        return None
    if isinstance(value, str) and re.fullmatch(r"https?://[^/\s]+(/\S*)?", value):
        return value.rstrip("/")
    raise ValueError('a URL: write "http://127.0.0.1:4200/api", or false to leave it to Prefect')


def parse_place(value: object, info: ValidationInfo) -> str | None:
    """Read a path or URL; a relative one lies in the folder of the layer that says it."""
    if value is None:
        return None
    if not isinstance(value, str | os.PathLike) or not os.fspath(value):
        raise ValueError('a path or URL: write ".", "/data/runs" or "s3://bucket/runs"')
    text = str(os.fspath(value))
    if "://" in text:
        return text.rstrip("/") if not text.endswith("://") else text
    folder = (info.context or {}).get("folder") or Path.cwd()
    return os.path.abspath(folder / Path(text).expanduser())  # noqa: PTH100  # also drops ".."


def parse_names(value: object) -> tuple[str, ...] | None:
    """Read a list of names; one text may hold several, with commas between."""
    if value is None:
        return None
    if isinstance(value, str):
        value = [part.strip() for part in value.split(",") if part.strip()]
    if not isinstance(value, list | tuple) or not all(isinstance(part, str) for part in value):
        raise ValueError('a list of names: write ["one", "two"]')
    return tuple(value)


def parse_worker_count(value: object) -> int | tuple[str, ...] | None:
    """Read how many workers to start; a tuple is the answer to another question: a task's."""
    if value is None or isinstance(value, tuple):
        return value
    count = number(value)
    if count is None or count < 1 or not count.is_integer():
        raise ValueError("a number of workers: write 4 (names of workers are for single tasks)")
    return int(count)


def parse_store(value: object) -> str | type[Store] | Store:
    """Read a store: a name, "package.module:Class", or from Python a Store or a subclass."""
    if isinstance(value, Store) or (isinstance(value, type) and issubclass(value, Store)):
        return value
    if isinstance(value, str) and re.fullmatch(r"[\w.-]+(:\w[\w.]*)?", value):
        return value
    raise ValueError(
        'a store: write "file", "sql", the name of a [stores.NAME] table or "package.module:Class"'
    )


def parse_import_path(value: object) -> Any:
    """Read the name of a class to import; from Python also the class itself."""
    return value if callable(value) else parse_class_name(value)


def parse_class_name(value: object) -> str | None:
    """Read the name of a class to import."""
    if value is None:
        return None
    if isinstance(value, str) and re.fullmatch(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*", value):
        return value
    raise ValueError('the name of a class: write "package.module:Class"')


def parse_level(value: object) -> str:
    """Read the name of a logging level."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = logging.getLevelName(value)
    level = value.upper() if isinstance(value, str) else ""
    if level not in LEVELS:
        raise ValueError(f"a level: there are {', '.join(LEVELS)}{did_you_mean(level, LEVELS)}")
    return level


def parse_progress(value: object) -> bool | str:
    """Read whether progress is shown: true, false or "auto"."""
    if isinstance(value, bool) or value == "auto":
        return value
    if value in ("true", "false"):
        return value == "true"
    raise ValueError('a choice: write "auto", true or false')


def parse_log_format(value: object) -> str:
    """Read a format of log lines."""
    try:
        if isinstance(value, str) and value:
            logging.Formatter(value)
            return value
    except ValueError:
        pass
    raise ValueError('a format of log lines: write "%(asctime)s %(message)s"')


_OFF = {"const": False}
_TEXT = {"type": "string", "minLength": 1}
_POSITIVE = {"type": "number", "exclusiveMinimum": 0}
_FRACTION = {**_POSITIVE, "maximum": 1}
_DURATION = {
    "type": "string",
    "pattern": r"^\s*\d+(\.\d+)?\s*[A-Za-z]*(\s*\d+(\.\d+)?\s*[A-Za-z]+)*\s*$",
}
_SIZE = {"type": "string", "pattern": r"^\s*\d*\.?\d+\s*[kKmMgGtTpPeE]?i?[bB]?\s*$"}
_NAMES = {"type": "array", "items": {"type": "string"}}
_CLASS = {"type": "string", "pattern": r"^[A-Za-z_][\w.]*:[A-Za-z_][\w.]*$"}


def _any_of(*schemas: dict[str, Any]) -> WithJsonSchema:
    return WithJsonSchema({"anyOf": list(schemas)})


Duration = Annotated[
    float | None, PlainValidator(parse_duration), _any_of(_DURATION, _POSITIVE, _OFF)
]
Size = Annotated[int | None, PlainValidator(parse_size), _any_of(_SIZE, _POSITIVE)]
MemoryLimit = Annotated[
    int | float | str | None,
    PlainValidator(parse_memory_limit),
    _any_of(_SIZE, {"const": "auto"}, _POSITIVE, _OFF),
]
Fraction = Annotated[float | bool | None, PlainValidator(parse_fraction), _any_of(_FRACTION, _OFF)]
Mode = Annotated[str, PlainValidator(parse_mode), WithJsonSchema({"enum": list(MODES)})]
Template = Annotated[str | None, PlainValidator(parse_template), _any_of(_TEXT, _OFF)]
RunName = Annotated[
    str | Callable[..., str] | None, PlainValidator(parse_run_name), _any_of(_TEXT, _OFF)
]
Url = Annotated[
    str | None,
    PlainValidator(parse_url),
    _any_of({"type": "string", "pattern": r"^https?://[^/\s]+"}, _OFF),
]
Place = Annotated[str, PlainValidator(parse_place), WithJsonSchema(_TEXT)]
OptionalPlace = Annotated[str | None, PlainValidator(parse_place), WithJsonSchema(_TEXT)]
Names = Annotated[tuple[str, ...], PlainValidator(parse_names), _any_of(_NAMES, _TEXT)]
WorkerNames = Annotated[tuple[str, ...] | None, PlainValidator(parse_names), _any_of(_NAMES, _TEXT)]
WorkerCount = Annotated[
    int | tuple[str, ...] | None,
    PlainValidator(parse_worker_count),
    WithJsonSchema({"type": "integer", "minimum": 1}),
]
StoreReference = Annotated[
    str | type[Store] | Store | None,
    PlainValidator(parse_store),
    _any_of(
        {"enum": list(BUILTIN_STORES)}, {"type": "string", "pattern": r"^[\w.-]+(:\w[\w.]*)?$"}
    ),
]
ClassName = Annotated[str | None, PlainValidator(parse_class_name), WithJsonSchema(_CLASS)]
ImportPath = Annotated[Any, PlainValidator(parse_import_path), WithJsonSchema(_CLASS)]
LogFormat = Annotated[str, PlainValidator(parse_log_format), WithJsonSchema(_TEXT)]
Progress = Annotated[
    bool | str,
    PlainValidator(parse_progress),
    _any_of({"const": "auto"}, {"type": "boolean"}),
]
Level = Annotated[str, PlainValidator(parse_level), WithJsonSchema({"enum": list(LEVELS)})]
