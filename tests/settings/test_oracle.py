"""A second, simple implementation of the layers agrees with the real one in random combinations.

EXAMPLES=2000 tries more of them.
"""

import json
import os
import random
import sys
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from prefectx import settings
from prefectx.cli.app import run_command as run
from tests.settings.writing import toml

EXAMPLES = int(os.environ.get("EXAMPLES", "150"))

DEFAULTS = {"target": "working/{funcname}/{base}", "refresh": False, "lock": False, "max_age": None}
PROFILES = ("ci", "big")
PATTERNS = ("*", "cl*")
FILES = ("base", "file")


@dataclass
class Combination:
    """What is said where: `said[place]` is a flat table of keys and values.

    A place is a tuple: ("file", profile or "", task or pattern or ""), the same for "base",
    ("environment", "", task), ("code",), ("option", "", task), ("override 1", "", task) and so on.
    """

    said: dict[tuple[str, ...], dict[str, object]] = field(default_factory=dict)
    chosen: tuple[str, ...] = ()
    extends: bool = True


def combination(chance: random.Random) -> Combination:
    places = [
        *((file, profile, task) for file in FILES for profile in ("", *PROFILES)
          for task in ("", *PATTERNS, "clean")),
        *((name, "", task) for name in ("environment", "option", "override 1", "override 2")
          for task in ("", "clean")),
        ("code",),
    ]  # fmt: skip
    made = Combination(extends=chance.random() < 0.7)
    made.chosen = tuple(chance.sample(PROFILES, chance.randint(0, 2)))
    for place in chance.sample(places, chance.randint(1, 12)):
        made.said[place] = values(chance, place)
    return made


def values(chance: random.Random, place: tuple[str, ...]) -> dict[str, object]:
    number = chance.randint(1, 10**6)
    choices = {
        "target": f"t{number}/{{x}}",
        "root": f"r{number}",
        "refresh": chance.random() < 0.5,
        "lock": chance.random() < 0.5,
        "max_age": number,
        "context.a": f"a{number}",
        "context.b": f"b{number}",
        "dask.priority": number,
    }
    return {key: choices[key] for key in chance.sample(sorted(choices), chance.randint(1, 4))}


def expected(made: Combination, project: Path, overrides: bool) -> dict[str, object]:
    """The values for the task `clean`, from the weakest to the strongest statement."""
    folders = dict.fromkeys(("file", "code"), project)
    folders["base"] = project / "shared"
    found = {**DEFAULTS, "root": str(project), "dask.priority": 0}

    def apply(*place: str) -> None:
        for key, value in made.said.get(place, {}).items():
            if key == "root":
                value = str(folders.get(place[0], project / "work") / str(value))
            found[key] = value

    files = FILES if made.extends else FILES[1:]
    groups = ("", *made.chosen)
    for group in groups:
        for file in files:
            apply(file, group, "")
    apply("environment", "", "")
    apply("code")
    for group in groups:
        for pattern_or_name in (PATTERNS, ("clean",)):
            for file in files:
                for task in pattern_or_name:
                    apply(file, group, task)
    apply("environment", "", "clean")
    for name in ("option", "override 1", "override 2")[: 3 if overrides else 1]:
        apply(name, "", "")
        apply(name, "", "clean")
    return found


def nested(flat: dict[str, object]) -> dict[str, object]:
    tables: dict = {}
    for key, value in flat.items():
        *path, last = key.split(".")
        table = tables
        for part in path:
            table = table.setdefault(part, {})
        table[last] = value
    return tables


def with_tasks(made: Combination, name: str, profile: str = "") -> dict[str, object]:
    tables = nested(made.said.get((name, profile, ""), {}))
    for task in (*PATTERNS, "clean"):
        if flat := made.said.get((name, profile, task)):
            tables.setdefault("tasks", {})[task] = nested(flat)  # type: ignore[index]
    return tables


def text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def write(made: Combination, project: Path, environ: pytest.MonkeyPatch) -> list[str]:
    """Write the files and set the variables; return the options of the command line."""
    for file, path in (("base", project / "shared/base.toml"), ("file", project / "prefectx.toml")):
        tables = with_tasks(made, file)
        tables["profiles"] = {profile: with_tasks(made, file, profile) for profile in PROFILES}
        if file == "file" and made.extends:
            tables["extends"] = "shared/base.toml"
        path.write_text(toml(tables), encoding="utf-8")
    environ.setenv("PREFECTX", "cache")
    environ.setenv("PREFECTX_PROFILE", ",".join(made.chosen))
    for task, begin in (("", "PREFECTX_"), ("clean", "PREFECTX_TASKS__CLEAN__")):
        for key, value in made.said.get(("environment", "", task), {}).items():
            environ.setenv(begin + key.upper().replace(".", "__"), text(value))
    keywords = nested(made.said.get(("code",), {}))
    (project / "pipeline.py").write_text(
        f"from prefectx import task\n@task(**{keywords!r})\ndef clean(x):\n    return x\n"
    )
    return [
        f"{begin}{key}={text(value)}"
        for task, begin in (("", ""), ("clean", "tasks.clean."))
        for key, value in made.said.get(("option", "", task), {}).items()
    ]


def value_of(options: settings.Options, key: str) -> object:
    value: object = options
    for part in key.split("."):
        value = value.get(part) if isinstance(value, dict) else getattr(value, part)
    return value


@pytest.mark.parametrize("seed", range(EXAMPLES))
def test_a_random_combination(seed, tmp_path, monkeypatch, capsys):
    made = combination(random.Random(seed))
    (tmp_path / "shared").mkdir()
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    options = write(made, tmp_path, monkeypatch)

    arguments = [part for option in options for part in ("-o", option)]
    assert run(["config", "show", "clean", "../pipeline.py", "--json", *arguments]) == 0
    shown = json.loads(capsys.readouterr().out)
    for key, value in expected(made, tmp_path, overrides=False).items():
        assert shown[key]["value"] == value, key

    settings.use_command_line(options=options)
    monkeypatch.syspath_prepend(tmp_path)
    sys.modules.pop("pipeline", None)
    import pipeline

    with ExitStack() as stack:
        for name in ("override 1", "override 2"):
            stack.enter_context(settings.override(**with_tasks(made, name)))
        wanted = expected(made, tmp_path, overrides=True)
        found = settings.current().options("clean", pipeline.clean.keywords)
        assert {key: value_of(found, key) for key in wanted} == wanted
        pipeline.clean(7)
    target = str(wanted["target"]).format(funcname="clean", base="7", x=7)
    assert (Path(str(wanted["root"])) / target).is_file()
    sys.modules.pop("pipeline", None)
