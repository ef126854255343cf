"""Mistakes in the configuration, collected and told all at once."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from prefectx.errors import ConfigError
from prefectx.settings.model import ProjectSection, Section
from prefectx.settings.origins import KeyPath, Origin, Place
from prefectx.settings.secrets import MASK, is_secret
from prefectx.settings.spelling import did_you_mean, show

PREFECT_KEYWORDS = frozenset(
    {"retries", "retry_delay_seconds", "timeout_seconds", "tags", "log_prints", "cache_policy"}
    | {"persist_result", "description", "version", "on_failure", "on_completion", "name"}
)
"""What people look for here and what Prefect's decorators take."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake.

    Attributes:
        place: where it was made.
        key: the key, dotted, or "".
        message: what was wrong and what would be right.
    """

    place: Place
    key: str
    message: str

    def __str__(self) -> str:
        parts = (self.place.name, self.key, self.message)
        return ": ".join(part for part in parts if part)


def raise_problems(problems: Sequence[Problem]) -> None:
    """Raise one ConfigError for all `problems`; nothing happens where there are none."""
    if not problems:
        return
    lines = [str(problem) for problem in problems]
    if len(lines) > 1:
        lines = [f"{len(lines)} mistakes in the configuration:", *(f"  {line}" for line in lines)]
    error = ConfigError("\n".join(lines))
    error.problems = tuple(problems)
    raise error


def problems_of(
    error: ValidationError, model: type[Section], origin: Origin, prefix: KeyPath = ()
) -> list[Problem]:
    """Turn what pydantic found into problems with places.

    Parameters:
        error: what pydantic raised.
        model: the model that was to be read.
        origin: where the values were written.
        prefix: where in the origin the model's values begin.
    """
    details = error.errors(include_url=False)
    problems = [_problem(detail, model, origin, prefix) for detail in details]
    return sorted(problems, key=lambda problem: (problem.place.row, problem.place.start))


def _problem(
    detail: ErrorDetails, model: type[Section], origin: Origin, prefix: KeyPath
) -> Problem:
    path: KeyPath = tuple(part for part in detail["loc"] if part != "[key]")
    unknown = detail["type"] == "extra_forbidden"
    key = dotted(path)
    if unknown:
        message = _unknown_key(str(path[-1]), model, path[:-1])
    elif isinstance(detail["input"], dict) and f"{key}s" in model.model_fields:
        message = f"is no table; did you mean [{key}s.{next(iter(detail['input']), 'NAME')}]?"
    else:
        value = MASK if is_secret(key) else show(detail["input"])
        message = f"{value} is not {_expected(detail)}"
    return Problem(origin.place(prefix + path, key=unknown), key, message)


def dotted(path: Iterable[str | int]) -> str:
    """Write a path as TOML does: `tasks."load_*".target`."""
    return ".".join(_quoted(part) for part in path)


def _quoted(part: str | int) -> str:
    text = str(part)
    return text if text.replace("-", "").replace("_", "").isalnum() else f'"{text}"'


def _unknown_key(name: str, model: type[Section], table: KeyPath) -> str:
    known = _keys(_model_at(model, table))
    below = table[table.index("tasks") + 2 :] if "tasks" in table else table
    of_project = name in _keys(_model_at(ProjectSection, below))
    if of_project and name not in known:
        place = f"in the table [{dotted(below)}]" if below else "at the top of the file"
        return f"can be set for all tasks only, not for one; write it {place}"
    if name in PREFECT_KEYWORDS:
        return "is one of Prefect's own keywords; give it to the decorator"
    tables = [key for key in known if name in _keys(_model_at(model, (*table, key)))]
    if tables:
        return f"unknown key; did you mean {name} in the table [{dotted((*table, tables[0]))}]?"
    return f"unknown key{did_you_mean(name, known) or '; there are ' + ', '.join(known)}"


def _keys(model: type[BaseModel] | None) -> list[str]:
    if model is None:
        return []
    return [field.alias or name for name, field in model.model_fields.items()]


def _model_at(model: type[BaseModel] | None, path: KeyPath) -> type[BaseModel] | None:
    """Return the model of the table at `path`, through tables of free names too."""
    annotation: Any = model
    for part in path:
        if get_origin(annotation) is dict:
            annotation = get_args(annotation)[1]
        elif _is_model(annotation) and part in annotation.model_fields:
            annotation = annotation.model_fields[part].annotation
        else:
            return None
    return annotation if _is_model(annotation) else None


def _is_model(annotation: Any) -> bool:
    return inspect.isclass(annotation) and issubclass(annotation, BaseModel)


_EXPECTED = {
    "bool": "true or false",
    "int": "a whole number",
    "float": "a number",
    "string": "text (in quotes)",
    "dict": "a table",
    "model": "a table",
}


def _expected(detail: ErrorDetails) -> str:
    """Say what would have been right, as the end of the sentence "... is not"."""
    context = detail.get("ctx", {})
    kind = detail["type"]
    if kind == "value_error":
        return str(context["error"])
    if kind == "literal_error":
        known = [part.strip("'") for part in context["expected"].replace(" or ", ", ").split(", ")]
        return f"one of {', '.join(known)}{did_you_mean(str(detail['input']), known)}"
    if kind == "greater_than_equal":
        return f"at least {context['ge']}"
    if kind == "string_too_short":
        return "a name; it is empty"
    return _EXPECTED.get(kind.partition("_")[0], detail["msg"])
