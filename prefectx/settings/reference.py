"""What the keys are, for people and editors: the table of the documentation, the JSON schema.

`python -m prefectx.settings.reference` brings docs/configuration.md and
config/prefectx.schema.json up to date.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel, PlainValidator
from pydantic.fields import FieldInfo
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema, to_jsonable_python

from prefectx.settings.model import Configuration, ProjectSection, Section, TaskSection
from prefectx.settings.units import format_duration, format_size

SCHEMA_FILE = Path("config/prefectx.schema.json")
PAGE_FILE = Path("docs/configuration.md")
BEGIN, END = "<!-- keys: generated from the model -->", "<!-- end of keys -->"

_KINDS = {
    "parse_duration": "duration",
    "parse_size": "size",
    "parse_memory_limit": "size, fraction, auto, false",
    "parse_fraction": "fraction or false",
    "parse_template": "template or false",
    "parse_run_name": "template or false",
    "parse_url": "URL or false",
    "parse_place": "path or URL",
    "parse_names": "list of names",
    "parse_worker_count": "number",
    "parse_store": "name or class",
    "parse_import_path": "class",
    "parse_mode": "mode",
    "parse_level": "level",
    "parse_log_format": "text",
    "parse_progress": "auto, true or false",
}
_TYPES = {bool: "true or false", int: "number", str: "text"}


@dataclass(frozen=True)
class Key:
    """A key of the configuration.

    Attributes:
        table: the table that it stands in, "" for the top of the file.
        name: its name there.
        kind: what values it takes.
        default: its default as the file would have it, "" for none.
        example: a value as the file would have it, where there is no default to show.
        description: what it means.
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
    """Yield all keys that set options, those at the top of the file first."""
    project, task = dict(_fields(ProjectSection)), dict(_fields(TaskSection))
    for (table, name), info in sorted(project.items(), key=lambda entry: bool(entry[0][0])):
        description = info.description or ""
        own = task.get((table, name))
        if own is not None and own.description != info.description:
            description = f"{description} For one task: {_uncapitalised(own.description or '')}"
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
        if isinstance(part, PlainValidator):
            return _KINDS[part.func.__name__]
    if get_origin(info.annotation) is Literal:
        return ", ".join(get_args(info.annotation))
    if get_origin(info.annotation) is dict:
        return "table"
    return next(kind for type_, kind in _TYPES.items() if _is_of(info.annotation, type_))


def _is_of(annotation: Any, type_: type) -> bool:
    return annotation is type_ or type_ in get_args(annotation)


def _uncapitalised(text: str) -> str:
    return text[:1].lower() + text[1:]


def _default(info: FieldInfo) -> str:
    default = info.get_default(call_default_factory=True)
    if default is None:
        return ""
    if isinstance(default, float):
        default = format_duration(default)
    return to_toml(default)


def to_toml(value: Any) -> str:
    """Write a value as TOML; the JSON of texts, numbers and lists is TOML too."""
    if isinstance(value, dict):
        inside = ", ".join(f"{key} = {to_toml(part)}" for key, part in value.items())
        return f"{{ {inside} }}" if inside else "{}"
    return json.dumps(value, ensure_ascii=False)


def readable(key: str, value: Any) -> Any:
    """Return a resolved value as people write it: `100s` for 100.0 seconds, false for off."""
    known = _KEYS.get(key)
    if known is None or value is None:
        return False if known and known.default else value
    if known.kind == "duration":
        return format_duration(value)
    if known.kind.startswith("size") and isinstance(value, int):
        return format_size(value)
    return value


_KEYS = {key.dotted: key for key in all_keys()}


def table() -> str:
    """Return the keys as a table in Markdown."""
    lines = [
        "| key | value | default | for one task | what it means |",
        "|---|---|---|---|---|",
    ]
    for key in all_keys():
        default = f"`{key.default}`" if key.default not in ("", "{}", "[]") else ""
        own = "yes" if key.for_task else ""
        cells = (f"`{key.dotted}`", key.kind, default, own, key.description)
        lines.append(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |")
    return "\n".join(lines)


class _TomlSchema(GenerateJsonSchema):
    """A JSON schema for TOML, which has no null."""

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        """Leave null out."""
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        """Leave the default out where TOML cannot say it, and where its keys say it."""
        inner = self.generate_inner(schema["schema"])
        default = schema.get("default")
        if default is None or isinstance(default, BaseModel):
            return inner
        return {**inner, "default": to_jsonable_python(default)}

    def field_title_should_be_set(self, schema: Any) -> bool:
        """Do without titles: they repeat the names of the keys."""
        return False


def schema() -> dict[str, Any]:
    """Return the JSON schema of prefectx.toml."""
    made = Configuration.model_json_schema(schema_generator=_TomlSchema)
    draft = "https://json-schema.org/draft/2020-12/schema"
    return {"$schema": draft, **made, "title": "prefectx.toml"}


def page(text: str) -> str:
    """Return the text of the documentation page with the table of keys up to date."""
    head, _, rest = text.partition(BEGIN)
    _, _, tail = rest.partition(END)
    return f"{head}{BEGIN}\n\n{table()}\n\n{END}{tail}"


def schema_text() -> str:
    """Return the JSON schema as text."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    SCHEMA_FILE.write_text(schema_text(), encoding="utf-8")
    PAGE_FILE.write_text(page(PAGE_FILE.read_text(encoding="utf-8")), encoding="utf-8")
