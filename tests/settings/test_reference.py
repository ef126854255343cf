"""The page of the documentation and the JSON schema are what the models say."""

from pathlib import Path

import jsonschema
import pydantic
import pytest
import tomli

from prefectx import settings
from prefectx.settings import reference

PROJECT = Path(__file__).parents[2]
BROKEN = Path(__file__).parent / "broken"
UPDATE = "out of date: python -m prefectx.settings updates it"


@pytest.fixture(scope="module")
def validator():
    schema = reference.schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


@pytest.mark.skipif(
    int(pydantic.VERSION.split(".")[1]) < 12, reason="older versions of pydantic say it otherwise"
)
def test_the_schema_in_config_is_current():
    written = (PROJECT / reference.SCHEMA_FILE).read_text(encoding="utf-8")
    assert written == reference.schema_text(), UPDATE


def test_the_table_of_keys_in_the_documentation_is_current():
    written = (PROJECT / reference.PAGE_FILE).read_text(encoding="utf-8")
    assert written == reference.page(written), UPDATE


def test_every_key_is_described():
    assert all(key.description and key.kind for key in reference.all_keys())
    assert all(key.default or key.example for key in reference.all_keys())


@pytest.mark.parametrize("key", list(reference.all_keys()), ids=lambda key: key.dotted)
def test_defaults_and_examples_are_right(key, configure, validator):
    text = "\n".join(
        [f"[{key.table}]" if key.table else "", f"{key.name} = {key.example or key.default}"]
    )
    validator.validate(tomli.loads(text))
    configure(text)


def files() -> list[Path]:
    return [PROJECT / "prefectx.toml", *sorted((PROJECT / "config").glob("*.toml"))]


@pytest.mark.parametrize("file", files(), ids=lambda file: file.name)
def test_the_schema_accepts_what_is_right(file, validator, monkeypatch):
    monkeypatch.setenv("PREFECTX_CONFIG", str(file))
    assert settings.current().file == file
    validator.validate(tomli.loads(file.read_text(encoding="utf-8")))
    schema = file.read_text(encoding="utf-8").splitlines()[0].removeprefix("#:schema ")
    assert (file.parent / schema).resolve() == PROJECT / reference.SCHEMA_FILE


# What a schema cannot see: names that must match, units, the syntax of templates.
ONLY_PREFECTX_SEES = {
    "duration-unit",
    "duration-infinite",
    "logging-format-braces",
    "profile-none-defined",
    "profile-unknown",
    "store-in-profile",
    "store-unknown",
    "store-unknown-none-defined",
    "store-without-class",
    "target-close-brace",
    "target-open-brace",
    "task-run-name-brace",
}


def broken() -> list[Path]:
    return [
        path
        for path in sorted(BROKEN.glob("*.toml"))
        if not path.name.startswith("toml-") and "not valid TOML" not in message_of(path)
    ]


def message_of(path: Path) -> str:
    return (BROKEN / path.name.split(".")[0]).with_suffix(".txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("file", broken(), ids=lambda file: file.stem)
def test_the_schema_rejects_what_is_wrong(file, validator):
    name = file.name.split(".")[0]
    values = tomli.loads(file.read_text(encoding="utf-8"))
    if file.name.endswith(".pyproject.toml"):
        values = values.get("tool", {}).get("prefectx", {})
    if name.startswith("env-"):
        assert validator.is_valid(values)  # the mistake is in a variable
    else:
        assert validator.is_valid(values) == (name in ONLY_PREFECTX_SEES)
