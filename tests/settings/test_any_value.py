"""Whatever value a key has, in the file or a variable, it is read or reported, never a traceback.

EXAMPLES=20000 tries more values.
"""

import json
import os
import re
from contextlib import suppress

from hypothesis import HealthCheck, given, strategies
from hypothesis import settings as hypothesis_settings

from prefectx import settings
from prefectx.errors import ConfigError
from tests.settings.writing import toml

EXAMPLES = int(os.environ.get("EXAMPLES", "200"))
many = hypothesis_settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)

# Texts as people write them, right and wrong, beside any others.
WRITTEN = r"""
    cache function prefect.skiptask . / ~ ~nosuch/x s3://bucket s3:/bucket ${X} ${X:-y} {x} {x!q} {
    {} {x.__class__} {0} %(message)s %(nosuch)s %d 90s 10m 1h30m -5s 5x inf nan 1e400 2GB 2Gi 0B
    1,5GB -1GB auto off false true True None null [] [1] {"a":1} [[[ a:b a.b:C file sql info DEBUG
    tcp://a:1 http://x/api https://TOKEN@x json .json * cl* load_[ "x" 'x' # = $${X} ${ yes no 0
    -0
    1.10 007 1_000 0x10 9999999999999999999999
"""
WORDS = re.split(r"\s+", WRITTEN.strip())

texts = strategies.sampled_from(WORDS) | strategies.text(
    strategies.characters(exclude_categories=["Cs"]), max_size=6
)
scalars = (
    texts
    | strategies.booleans()
    | strategies.integers()
    | strategies.floats()
    | strategies.sampled_from([0, -1, 1, 0.5, 1.5, 10**30, float("nan"), float("inf")])
)
values = strategies.recursive(
    scalars,
    lambda inner: (
        strategies.lists(inner, max_size=3) | strategies.dictionaries(texts, inner, max_size=3)
    ),
    max_leaves=5,
)
keys = [*(key.dotted for key in settings.all_keys()), "profile", "extends", "stores.x.class"]
places = strategies.sampled_from(["", "tasks.clean.", "profiles.ci.", "profiles.ci.tasks.load."])


def nested(path: str, value: object) -> dict:
    for part in reversed(path.split(".")):
        value = {part: value}
    return value


def read(environ: dict[str, str], folder) -> None:
    """Read and resolve settings; if there are mistakes, all name a place, in one line."""
    try:
        found = settings.read_settings(environ, folder)
    except ConfigError as error:
        mistakes = error.problems
    else:
        mistakes = ()
    assert all(problem.place.name and problem.message for problem in mistakes)
    assert "\n" not in "".join(problem.message for problem in mistakes)
    if mistakes:
        return
    for options in (found.project, found.options("clean")):
        assert options.history
        json.dumps(options.history, default=repr)


@many
@given(places, strategies.sampled_from(keys), values)
def test_in_the_file(tmp_path, place, key, value):
    text = toml(nested(f"{place}{key}", value))
    (tmp_path / "prefectx.toml").write_text(text, encoding="utf-8")
    read({"PREFECTX_PROFILE": "ci"} if "profiles" in place else {}, tmp_path)


@many
@given(strategies.sampled_from(["", "TASKS__CLEAN__"]), strategies.sampled_from(keys), texts)
def test_in_a_variable(tmp_path_factory, place, key, text):
    name = f"PREFECTX_{place}{key.upper().replace('.', '__')}"
    read({name: text.replace("\0", "")}, tmp_path_factory.getbasetemp())


@many
@given(strategies.sampled_from(keys), texts, texts)
def test_on_the_command_line(tmp_path_factory, key, text, other):
    command = settings.CommandLine(other, None, (f"{key}={text}", other))
    problems: list[settings.Problem] = []
    settings.read_settings({}, tmp_path_factory.getbasetemp(), problems, command)
    assert problems  # `other` is no setting


@many
@given(strategies.sampled_from(keys), values)
def test_in_an_override(key, value):
    try:
        override = settings.override(**nested(key, value))
    except ConfigError:
        return
    with suppress(ConfigError), override as found:  # an unknown store is told when it is entered
        assert found.project.history
        assert found.options("clean").history
