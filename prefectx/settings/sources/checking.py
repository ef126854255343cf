"""Checks the values of a source against the models, and says what is wrong."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeGuard, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from prefectx.masking import MASK, is_secret
from prefectx.settings.messages.origins import Origin
from prefectx.settings.messages.positions import KeyPath
from prefectx.settings.messages.problems import Problem, dotted
from prefectx.settings.messages.spelling import did_you_mean, show
from prefectx.settings.model import ProjectSection, Section
from prefectx.settings.sources.layer import given

PREFECT_KEYWORDS = frozenset(
    {"retries", "retry_delay_seconds", "timeout_seconds", "tags", "log_prints", "cache_policy"}
    | {"persist_result", "description", "version", "on_failure", "on_completion", "name"}
)
"""Keywords of Prefect's decorators that users try to set in the configuration."""


def checked(
    model: type[Section],
    values: object,
    origin: Origin,
    folder: Path | None,
    problems: list[Problem],
) -> dict[str, object]:
    """Check values against a model.

    Parameters:
        model: the model.
        values: nested tables.
        origin: where they were written.
        folder: the folder that relative paths are in.
        problems: receives the mistakes.

    Returns:
        The parsed values; wrong ones are left out.
    """
    try:
        return given(model.model_validate(values, context={"folder": folder}))
    except ValidationError as error:
        details = error.errors(include_url=False)
    found = [_problem(detail, model, origin) for detail in details]
    problems.extend(sorted(found, key=lambda problem: (problem.place.row, problem.place.start)))
    # The rest is still needed, so that later checks report their mistakes too.
    rest = values
    for detail in details:
        rest = _without(rest, detail["loc"])
    return checked(model, rest, origin, folder, []) if rest != values else {}


def _without(values: object, path: Sequence[int | str]) -> object:
    """Return nested tables without the value at `path`, or at the part of it that exists."""
    if not path or not isinstance(values, Mapping) or path[0] not in values:
        return values
    rest = {key: value for key, value in values.items() if key != path[0]}
    inner = values[path[0]]
    if len(path) > 1 and isinstance(inner, Mapping) and path[1] in inner:
        rest[path[0]] = _without(inner, path[1:])
    return rest


def _problem(detail: ErrorDetails, model: type[Section], origin: Origin) -> Problem:
    path: KeyPath = tuple(part for part in detail["loc"] if part != "[key]")
    unknown = detail["type"] == "extra_forbidden"
    key = dotted(path)
    if unknown:
        message = _unknown_key(str(path[-1]), model, path[:-1])
    elif isinstance(detail["input"], dict) and f"{key}s" in model.model_fields:
        message = f"is not a table; did you mean [{key}s.{next(iter(detail['input']), 'NAME')}]?"
    else:
        value = MASK if is_secret(key) else show(detail["input"])
        message = f"{value} is not {_expected(detail)}"
    place = origin.place(path, key=unknown)
    if unknown and "unknown key; known keys" in message:
        # It may be anything, a secret of another program, too.
        place = replace(place, line=f"{place.line[: place.end]} = {MASK}" if place.line else "")
    return Problem(place, key, message)


def _unknown_key(name: str, model: type[Section], path: KeyPath) -> str:
    known = _keys(model, path)
    below = path[path.index("tasks") + 2 :] if "tasks" in path else path
    if name in _keys(ProjectSection, below) and name not in known:
        place = f"to the table [{dotted(below)}]" if below else "to the top of the file"
        return f"can only be set for all tasks, not for one; move it {place}"
    if name in ("extends", "profile", "profiles"):
        return "can only be set at the top of the configuration file"
    if name in ("tool", "prefectx") and not path:
        return "keys are at the top of this file; [tool.prefectx] is for pyproject.toml"
    if name in PREFECT_KEYWORDS:
        return "is a keyword of Prefect; pass it to the decorator"
    tables = [key for key in known if name in _keys(model, (*path, key))]
    if tables:
        return f"unknown key; did you mean {name} in the table [{dotted((*path, tables[0]))}]?"
    return f"unknown key{did_you_mean(name, known) or '; known keys: ' + ', '.join(known)}"


def annotation_at(model: type[BaseModel], path: KeyPath) -> object:
    """Return the type of the key or table at `path`; None if there is none, or it has no type."""
    annotation: object = model
    for part in path:
        if get_origin(annotation) is dict:
            annotation = get_args(annotation)[1]
        elif _is_model(annotation) and part in annotation.model_fields:
            annotation = annotation.model_fields[str(part)].annotation
        else:
            return None
    return annotation


def _keys(model: type[BaseModel], path: KeyPath) -> list[str]:
    """Return the keys of the table at `path`, none if there is no such table."""
    annotation = annotation_at(model, path)
    if not _is_model(annotation):
        return []
    return [field.alias or name for name, field in annotation.model_fields.items()]


def _is_model(annotation: object) -> TypeGuard[type[BaseModel]]:
    return inspect.isclass(annotation) and issubclass(annotation, BaseModel)


_EXPECTED = {
    "bool": "true or false",
    "int": "a whole number",
    "float": "a number",
    "finite": "a number that is finite",
    "string": "text (in quotes)",
    "dict": "a table",
    "model": "a table",
}


def _expected(detail: ErrorDetails) -> str:
    """Return what would be right, as the end of the sentence "... is not"."""
    context = detail.get("ctx", {})
    kind = detail["type"]
    if kind == "value_error":
        return str(context["error"])
    if kind == "literal_error":
        known = [part.strip("'") for part in context["expected"].replace(" or ", ", ").split(", ")]
        return f"one of {', '.join(known)}{did_you_mean(str(detail['input']), known)}"
    if kind == "greater_than_equal":
        return f"at least {context['ge']:g}"
    if kind == "string_too_short":
        return "a name; it is empty"
    return _EXPECTED.get(kind.partition("_")[0], detail["msg"])
