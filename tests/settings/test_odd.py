"""Odd configurations, each with what is said about it: one report, or what it comes to.

They are kept in odd/*.toml. `UPDATE=1` writes what is said now; look at the difference.
"""

import os
from pathlib import Path

import pytest
import tomli

from prefectx import settings
from prefectx.errors import ConfigError
from prefectx.settings import to_toml

FOLDER = Path(__file__).parent / "odd"
CASES = [
    (file.stem, number, case)
    for file in sorted(FOLDER.glob("*.toml"))
    for number, case in enumerate(tomli.loads(file.read_text(encoding="utf-8"))["case"])
]


def test_with_those_of_single_mistakes_there_are_500_of_them():
    assert len(CASES) + len(list((FOLDER.parent / "broken").glob("*.txt"))) >= 500


def said_of(case: dict, folder: Path, patch: pytest.MonkeyPatch) -> str:
    """Return the mistakes, or the values that the case changes."""
    for name, text in case.get("files", {}).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    for name, text in case.get("environ", {}).items():
        patch.setenv(name, text)
    patch.setenv("HOME", str(folder / "home"))
    settings.use_command_line(options=case.get("options", ()))
    try:
        found = settings.current()
        with settings.override(**case.get("override", {})):
            shown = [found.project, found.options("clean"), settings.current().project]
    except ConfigError as error:
        said = str(error)
    else:
        changed = {
            f"{key} = {entries[0].value!r}"
            for options in shown
            for key, entries in options.history.items()
            if entries[0].source.layer != "default"
        }
        said = "\n".join(["works", *sorted(changed)])
    return said.replace(str(folder), "FOLDER")


@pytest.mark.parametrize(("file", "number", "case"), CASES)
def test_an_odd_configuration(file, number, case, tmp_path, monkeypatch):
    said = said_of(case, tmp_path, monkeypatch)
    if os.environ.get("UPDATE"):
        update(FOLDER / f"{file}.toml", number, said)
    else:
        assert said == case["said"]


def update(file: Path, number: int, said: str) -> None:
    cases = tomli.loads(file.read_text(encoding="utf-8"))["case"]
    cases[number]["said"] = said
    lines = []
    for case in cases:
        lines.append("[[case]]")
        lines += [f"{key} = {to_toml(value)}" for key, value in case.items()]
        lines.append("")
    file.write_text("\n".join(lines), encoding="utf-8")
