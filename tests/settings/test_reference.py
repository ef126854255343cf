"""The page of the documentation and the JSON schema are what the models say."""

import re
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


# What is wrong in a way that a schema cannot see.
NOT_SEEN = (
    "unknown store|unknown profile|file not found|is a folder|extends itself|has no class|template"
    "|path|a URL with|format of log lines|NaN|Infinity|list of names|not valid TOML|too many digits"
)


def odd() -> list[dict]:
    files = [BROKEN.parent / "odd" / name for name in ("values.toml", "keys.toml")]
    cases = [case for file in files for case in tomli.loads(file.read_text("utf-8"))["case"]]
    return [case for case in cases if not re.search("not valid TOML|too many", case["said"])]


@pytest.mark.parametrize("case", odd())
def test_the_schema_and_the_program_agree(case, validator):
    values = tomli.loads(case["files"]["prefectx.toml"])
    if case["said"].startswith("works"):
        validator.validate(values)
    elif not re.search(NOT_SEEN, case["said"]):
        assert not validator.is_valid(values)


def test_any_value_may_be_a_variable(validator):
    text = "refresh = '${A}'\nmode = '${A}'\n[dask]\nworkers = '${A}'\nspill = '${A}'\n"
    validator.validate(tomli.loads(f"{text}[keepalive]\ninterval = '${{A:-5s}}'"))


def test_a_schema_for_pyproject():
    validator = jsonschema.Draft202012Validator(reference.pyproject_schema())
    validator.validate({"tool": {"prefectx": {"mode": "cache"}, "other": 1}, "project": {}})
    assert not validator.is_valid({"tool": {"prefectx": {"targt": "x"}}})
    assert not validator.is_valid({"tool": {"prefectx": {"dask": {"wrkers": 1}}}})
