"""The strongest layer wins: every key, in every layer that it can stand in, for all pairs."""

import itertools
import json
from pathlib import Path

import pytest

from prefectx import settings
from prefectx.settings.model import Configuration, TaskSection
from tests.settings.writing import toml

# Layers by strength. Each knows how to say `key = value` for the task `clean`.
LAYERS = (
    "default",
    "file",
    "profile",
    "environment",
    "code",
    "file pattern",
    "file task",
    "profile pattern",
    "profile task",
    "task variable",
    "override",
    "override task",
)
FOR_ONE_TASK = frozenset(LAYERS[4:]) - {"override"}

STALE_BY_DEFAULT = dict.fromkeys(["inputs", "files", "code", "edited"], "warn") | {
    "arguments": "error",
    "packages": "ignore",
}
RERUN = STALE_BY_DEFAULT | dict.fromkeys(["arguments", "inputs", "files", "code"], "rerun")

# Two values for each key, as the file and a variable would have them, and as they are kept.
VALUES = {
    "mode": (("cache", "cache"), ("function", "function")),
    "root": (("/one", "/one"), ("s3://two/", "s3://two")),
    "target": (("one/{base}", "one/{base}"), (False, None)),
    "store": (("sql", "sql"), ("my.stores:Mine", "my.stores:Mine")),
    "format": (("json", "json"), ("pickle", "pickle")),
    "save": ((False, False), (True, True)),
    "refresh": ((True, True), (False, False)),
    "shared": ((True, True), (False, False)),
    "stale": (("rerun", RERUN), ("warn", STALE_BY_DEFAULT)),
    "records": ((False, False), (True, True)),
    "lazy": ((True, True), (False, False)),
    "temporary": ((True, True), (False, False)),
    "keep": ((3, 3), (1, 1)),
    "files": ((["a.yml"], ("a.yml",)), (["{x}"], ("{x}",))),
    "hash_limit": (("2GB", 2_000_000_000), (1, 1)),
    "code": ((["mypkg"], ("mypkg",)), (["other"], ("other",))),
    "max_age": (("1d", 86400.0), (90, 90.0)),
    "ignore": ((["log"], ("log",)), (["a", "b"], ("a", "b"))),
    "fsync": ((False, False), (True, True)),
    "lock": ((True, True), (False, False)),
    "on_corrupt": (("rerun", "rerun"), ("error", "error")),
    "allow_pickle": ((False, False), (True, True)),
    "task_run_name": (("{base}", "{base}"), (False, None)),
    "context.year": ((2024, 2024), ("q1", "q1")),
    "timezone": (("Europe/Berlin", "Europe/Berlin"), ("UTC", "UTC")),
    "keepalive.interval": (("30s", 30.0), (False, None)),
    "keepalive.outage": (("2h", 7200.0), (90, 90.0)),
    "dask.memory": (("2GB", 2_000_000_000), ("1KiB", 1024)),
    "dask.priority": ((10, 10), (-1, -1)),
    "dask.trim": ((False, False), (True, True)),
    "dask.resources": (({"GPU": 1}, {"GPU": 1.0}), ({"GPU": 2}, {"GPU": 2.0})),
    "dask.workers": ((["a"], ("a",)), (["b", "c"], ("b", "c"))),
    "dask.address": (("tcp://one:1", "tcp://one:1"), ("tcp://two:2", "tcp://two:2")),
    "dask.tls_ca_file": (("/one.pem", "/one.pem"), ("/two.pem", "/two.pem")),
    "dask.tls_cert": (("/one.pem", "/one.pem"), ("/two.pem", "/two.pem")),
    "dask.tls_key": (("/one.pem", "/one.pem"), ("/two.pem", "/two.pem")),
    "dask.threads_per_worker": ((2, 2), (3, 3)),
    "dask.processes": ((False, False), (True, True)),
    "dask.memory_limit": (("auto", "auto"), (0.5, 0.5)),
    "dask.target": ((0.5, 0.5), (False, False)),
    "dask.spill": ((0.5, 0.5), (False, False)),
    "dask.pause": ((0.5, 0.5), (False, False)),
    "dask.terminate": ((0.5, 0.5), (False, False)),
    "dask.environ": (({"A": "1"}, {"A": "1"}), ({"A": "2"}, {"A": "2"})),
    "dask.allowed_failures": ((1, 1), (2, 2)),
    "dask.worker_ttl": (("5m", 300.0), ("1h", 3600.0)),
    "dask.cluster_class": (("a:B", "a:B"), ("c:D", "c:D")),
    "dask.cluster_kwargs": (({"n": 1}, {"n": 1}), ({"n": 2}, {"n": 2})),
    "dask.adapt": (({"minimum": 1}, {"minimum": 1}), ({"minimum": 2}, {"minimum": 2})),
    "dask.performance_report": (("/one.html", "/one.html"), ("/two.html", "/two.html")),
    "progress": ((True, True), ("auto", "auto")),
    "report": (("/one.html", "/one.html"), ("/two.html", "/two.html")),
    "api_url": (("http://one/api", "http://one/api"), (False, None)),
    "runner.type": (("dask", "dask"), ("processes", "processes")),
    "runner.max_workers": ((1, 1), (2, 2)),
    "logging.level": (("DEBUG", "DEBUG"), ("ERROR", "ERROR")),
    "logging.format": (("%(message)s", "%(message)s"), ("- %(message)s", "- %(message)s")),
    "logging.datefmt": (("one", "one"), ("two", "two")),
    "logging.extra_loggers": ((["one"], ("one",)), (["two", "three"], ("two", "three"))),
    "logging.config": (("/one.yml", "/one.yml"), ("/two.yml", "/two.yml")),
}


def keys_of(model, prefix="") -> set[str]:
    """The dotted keys of a model; free tables count as one key."""
    keys = set()
    for name, field in model.model_fields.items():
        if hasattr(field.annotation, "model_fields"):
            keys |= keys_of(field.annotation, f"{prefix}{name}.")
        elif name not in ("extends", "profile", "profiles", "tasks", "stores"):
            keys.add(prefix + name)
    return keys


TASK_KEYS = {key for key in VALUES if key.replace(".year", "") in keys_of(TaskSection)}
# In [dask] these two describe the cluster, so they are no defaults of what a task asks for.
CLUSTER_KEYS = {"dask.workers", "dask.resources"}


def test_the_table_has_every_key():
    assert {key.replace(".year", "") for key in VALUES} == keys_of(Configuration)


def can_stand(layer: str, key: str) -> bool:
    if layer == "default":
        return True
    if layer == "environment" and key == "mode":
        return False  # the switch PREFECTX, tested below, has a place of its own
    if layer in FOR_ONE_TASK:
        return key in TASK_KEYS
    return key not in CLUSTER_KEYS


class Project:
    """A configuration under construction, one statement per layer."""

    def __init__(self, monkeypatch) -> None:
        self.monkeypatch = monkeypatch
        self.tables: dict = {"profiles": {"p": {}}, "profile": "p"}
        self.keywords: dict = {}
        self.override: dict = {}

    def say(self, layer: str, key: str, value: object) -> None:
        nested = value
        for part in reversed(key.split(".")):
            nested = {part: nested}
        profile = self.tables["profiles"]["p"]
        places = {
            "file": (self.tables,),
            "profile": (profile,),
            "code": (self.keywords,),
            "file pattern": (self.tables, "tasks", "cl*"),
            "file task": (self.tables, "tasks", "clean"),
            "profile pattern": (profile, "tasks", "cl*"),
            "profile task": (profile, "tasks", "clean"),
            "override": (self.override,),
            "override task": (self.override, "tasks", "clean"),
        }
        if layer in places:
            table, *path = places[layer]
            for part in path:
                table = table.setdefault(part, {})
            table.update(nested)
        elif layer != "default":
            text = value if isinstance(value, str) else json.dumps(value)
            self.monkeypatch.setenv(self.variable(layer, key), text)

    @staticmethod
    def variable(layer: str, key: str) -> str:
        path = key.upper().replace(".", "__")
        return f"PREFECTX_{path}" if layer == "environment" else f"PREFECTX_TASKS__CLEAN__{path}"

    def options(self) -> settings.Options:
        Path("prefectx.toml").write_text(toml(self.tables), encoding="utf-8")
        settings.reset()
        with settings.override(**self.override):
            return settings.current().options("clean", self.keywords)


def value_of(options: settings.Options, key: str) -> object:
    value: object = options
    for part in key.split("."):
        value = value[part] if isinstance(value, dict) else getattr(value, part)
    return value


@pytest.mark.parametrize(("weak", "strong"), list(itertools.combinations(LAYERS, 2)))
def test_the_stronger_of_two_layers_wins(weak, strong, monkeypatch):
    checked = 0
    for key in VALUES:
        if not (can_stand(weak, key) and can_stand(strong, key)):
            continue
        (first, _), (second, expected) = VALUES[key]
        with monkeypatch.context() as patch:
            project = Project(patch)
            project.say(strong, key, second)
            project.say(weak, key, first)
            assert value_of(project.options(), key) == expected, key
        checked += 1
    assert checked > 10
