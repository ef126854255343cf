"""The keys for people and editors: the table in the documentation, and the JSON schema.

`python -m prefectx.settings` updates docs/configuration.md and
config/prefectx.schema.json.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema, to_jsonable_python

from prefectx.settings.messages.problems import dotted
from prefectx.settings.model import Configuration, ProjectSection, Section, TaskSection
from prefectx.settings.units import format_duration, format_size
from prefectx.settings.values import VARIABLE, Kind, any_case

SCHEMA_FILE = Path("config/prefectx.schema.json")
PAGE_FILE = Path("docs/configuration.md")
BEGIN, END = "<!-- keys: generated from the model -->", "<!-- end of keys -->"

_TYPES = {bool: "true or false", int: "number", str: "text"}


@dataclass(frozen=True)
class Key:
    """A key of the configuration.

    Attributes:
        table: the table that holds it, "" for the top of the file.
        name: its name in the table.
        kind: the kind of its values.
        default: its default, written as TOML; "" if it has none.
        example: an example, written as TOML; "" if its default is one.
        description: what it sets.
        for_task: whether it can be set for one task.
    """

    table: str
    name: str
    kind: str
    default: str
    example: str
    description: str
    for_task: bool

    @property
    def dotted(self) -> str:
        """The name with its table: `dask.memory`."""
        return f"{self.table}.{self.name}" if self.table else self.name


def all_keys() -> Iterator[Key]:
    """Yield all keys of options, those at the top of the file first."""
    project, task = dict(_fields(ProjectSection)), dict(_fields(TaskSection))
    for (table, name), info in sorted(project.items(), key=lambda entry: bool(entry[0][0])):
        description = info.description or ""
        own = task.get((table, name))
        if own is not None and own.description != info.description:
            text = own.description or ""
            description = f"{description} For one task: {text[:1].lower()}{text[1:]}"
        example = to_toml(info.examples[0]) if info.examples else ""
        for_task = own is not None
        yield Key(table, name, _kind(info), _default(info), example, description, for_task)


def _fields(model: type[Section], table: str = "") -> Iterator[tuple[tuple[str, str], FieldInfo]]:
    for name, info in model.model_fields.items():
        annotation = info.annotation
        if inspect.isclass(annotation) and issubclass(annotation, Section):
            yield from _fields(annotation, name)
        else:
            yield (table, name), info


def _kind(info: FieldInfo) -> str:
    for part in info.metadata:
        if isinstance(part, Kind):
            return part.name
    types = get_args(info.annotation) or (info.annotation,)
    for type_ in (info.annotation, *types):
        if get_origin(type_) is Literal:
            return ", ".join(get_args(type_))
    if get_origin(info.annotation) is dict:
        return "table"
    return next(kind for type_, kind in _TYPES.items() if type_ in types)


def _default(info: FieldInfo) -> str:
    default = info.get_default(call_default_factory=True)
    if default is None:
        return ""
    if isinstance(default, float):
        default = format_duration(default)
    return to_toml(default)


def to_toml(value: object) -> str:
    """Write a value as TOML."""
    if isinstance(value, dict):
        inside = ", ".join(f"{dotted((key,))} = {to_toml(part)}" for key, part in value.items())
        return f"{{ {inside} }}" if inside else "{}"
    return json.dumps(value, ensure_ascii=False)  # valid TOML for text, numbers and lists


def readable(key: str, value: object) -> object:
    """Return a resolved value as people write it: `100s` for 100.0 seconds, false for off."""
    known = _keys_by_name().get(key)
    if known is None or value is None:
        return False if known and known.default else value
    if known.kind == "duration" and isinstance(value, int | float):
        return format_duration(value)
    if known.kind.startswith("size") and isinstance(value, int):
        return format_size(value)
    return value


@cache
def _keys_by_name() -> dict[str, Key]:
    return {key.dotted: key for key in all_keys()}


def table() -> str:
    """Return the keys as a table in Markdown."""
    lines = [
        "| key | value | default | for one task | meaning |",
        "|---|---|---|---|---|",
    ]
    for key in all_keys():
        default = f"`{key.default}`" if key.default not in ("", "{}", "[]") else ""
        own = "yes" if key.for_task else ""
        cells = (f"`{key.dotted}`", key.kind, default, own, key.description)
        lines.append(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |")
    return "\n".join(lines)


class _TomlSchema(GenerateJsonSchema):
    """Generates a JSON schema for TOML, which has no null."""

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        """Omit null."""
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        """Omit defaults that TOML cannot write, and those of tables, whose keys have them."""
        inner = self.generate_inner(schema["schema"])
        default = schema.get("default")
        if default is None or isinstance(default, BaseModel):
            return inner
        return {**inner, "default": to_jsonable_python(default)}

    def bool_schema(self, schema: core_schema.BoolSchema) -> JsonSchemaValue:
        """Accept truth values as people write them, too."""
        words = any_case("true", "false", "yes", "no", "on", "off", "y", "n", "t", "f")
        return {"anyOf": [{"type": "boolean"}, {"enum": [0, 1, "0", "1"]}, words, VARIABLE]}

    def int_schema(self, schema: core_schema.IntSchema) -> JsonSchemaValue:
        """Accept numbers that are written as text, too."""
        digits = {"type": "string", "pattern": r"^\s*[+-]?\d+\s*$"}
        return {"anyOf": [super().int_schema(schema), digits, VARIABLE]}

    def float_schema(self, schema: core_schema.FloatSchema) -> JsonSchemaValue:
        """Accept numbers that are written as text, too."""
        digits = {"type": "string", "pattern": r"^\s*[+-]?\d+(\.\d*)?\s*$"}
        return {"anyOf": [super().float_schema(schema), digits, VARIABLE]}

    def field_title_should_be_set(self, schema: object) -> bool:
        """Omit titles: they repeat the names of the keys."""
        return False


def schema() -> dict[str, object]:
    """Return the JSON schema of prefectx.toml."""
    made = Configuration.model_json_schema(schema_generator=_TomlSchema)
    for section in (made, *made["$defs"].values()):
        for name, own in section.get("properties", {}).items():
            if isinstance(own.get("default"), float):  # seconds, of which people write 100s
                section["properties"][name] = {**own, "default": format_duration(own["default"])}
    draft = "https://json-schema.org/draft/2020-12/schema"
    return {"$schema": draft, **made, "title": "prefectx.toml"}


def page(text: str) -> str:
    """Return the text of the documentation page with its table of keys updated."""
    head, _, rest = text.partition(BEGIN)
    _, _, tail = rest.partition(END)
    return f"{head}{BEGIN}\n\n{table()}\n\n{END}{tail}"


def pyproject_schema() -> dict[str, object]:
    """Return the JSON schema of [tool.prefectx] in pyproject.toml."""
    made = schema()
    table = {key: value for key, value in made.items() if key not in ("$schema", "$defs", "title")}
    return {
        "$schema": made["$schema"],
        "$defs": made["$defs"],
        "title": "pyproject.toml",
        "type": "object",
        "properties": {"tool": {"type": "object", "properties": {"prefectx": table}}},
    }


def schema_text(*, pyproject: bool = False) -> str:
    """Return the JSON schema of prefectx.toml, or of pyproject.toml, as text."""
    made = pyproject_schema() if pyproject else schema()
    return json.dumps(made, indent=2, ensure_ascii=False) + "\n"
