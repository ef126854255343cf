"""The configurations in config/ do what their comments say."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from prefectx import load, settings, task

CONFIG = Path(__file__).parents[2] / "config"


@pytest.fixture
def use(monkeypatch):
    def read(name: str, **variables: str) -> settings.Settings:
        monkeypatch.setenv("PREFECTX_CONFIG", str(CONFIG / name))
        for variable, value in variables.items():
            monkeypatch.setenv(variable, value)
        return settings.current()

    return read


def test_laptop(use):
    project = use("laptop.toml").project
    assert (project.mode, project.fsync, project.runner.max_workers) == ("cache", False, 4)


def test_ci_unit(use):
    assert use("ci.toml", PREFECTX_PROFILE="unit").project.mode == "function"


def test_ci_smoke(use):
    found = use("ci.toml", PREFECTX_PROFILE="smoke", PREFECTX_CONTEXT__SAMPLE="50")
    options = found.options("anything")
    assert (options.mode, options.refresh, options.root) == ("cache", True, str(CONFIG / "smoke"))
    assert options.context == {"sample": 50}


def test_dask(use):
    found = use("dask.toml")
    assert (found.project.runner.type, found.project.dask.memory_limit) == ("dask", 4 * 10**9)
    assert found.options("load_raw").dask.memory == 2 * 10**9
    train = found.options("train")
    assert (train.dask.priority, train.dask.resources, train.keepalive.interval) == (
        10,
        {"GPU": 1},
        30,
    )


def test_dask_on_a_cluster(use):
    project = use("dask.toml", PREFECTX_PROFILE="cluster").project
    assert (project.dask.address, project.keepalive.outage) == ("tcp://scheduler:8786", 1800)


def test_shared_storage(use):
    found = use(
        "shared-storage.toml",
        PREFECTX_CONTEXT__USER="ann",
        PREFECTX_STORES__WAREHOUSE__URL="postgresql://user:hunter2@db/results",
    )
    assert found.project.root == "s3://my-bucket/runs"
    assert found.project.context == {"user": "ann", "year": 2024}
    assert found.options("report_monthly").store == "warehouse"
    assert found.stores["warehouse"].arguments == {"url": "postgresql://user:hunter2@db/results"}
    assert "hunter2" not in repr(found.stores)


@pytest.fixture
def copy(tmp_path, monkeypatch):
    """Start a project with one of the files, as people do."""

    def start(name: str, profile: str = "") -> None:
        shutil.copy(CONFIG / name, tmp_path / "prefectx.toml")
        monkeypatch.setenv("PREFECTX_PROFILE", profile)
        settings.reset()

    return start


def run_twice() -> tuple[list[int], list[int]]:
    """Run a small pipeline twice; gives its two results and which calls were executed."""
    executed = []

    @task
    def square(number):
        executed.append(number)
        return number**2

    return [load(square(n)) for n in (2, 3, 2)], executed


@pytest.mark.parametrize(
    ("name", "profile", "executed", "folder"),
    [
        ("laptop.toml", "", [2, 3], "working/square"),
        ("ci.toml", "smoke", [2, 3, 2], "smoke/working/square"),
        ("ci.toml", "unit", [2, 3, 2], ""),
    ],
)
def test_a_pipeline_under_it(name, profile, executed, folder, copy, tmp_path):
    copy(name, profile)
    assert run_twice() == ([4, 9, 4], executed)
    files = [path for path in tmp_path.rglob("*") if path.is_file() and path.suffix != ".toml"]
    files = [path for path in files if ".prefectx" not in path.parts]
    assert {str(path.parent.relative_to(tmp_path)) for path in files} == ({folder} - {""})


def test_a_pipeline_on_shared_storage(copy, tmp_path):
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("sqlalchemy")
    copy("shared-storage.toml", "local")

    @task
    def clean(number):
        return pandas.DataFrame({"number": [number]})

    @task
    def report_all(tables):
        return pandas.concat(tables)

    assert load(report_all([clean(1), clean(2)]))["number"].tolist() == [1, 2]
    assert (tmp_path / "everybody" / "2024" / "clean" / "1.parquet").is_file()
    assert (tmp_path / "warehouse.db").is_file()


def test_the_logging_file_names_classes_that_there_are():
    written = YAML(typ="safe").load((CONFIG / "logging.yml").read_text(encoding="utf-8"))
    code = f"""
import json, logging, logging.config
text = {json.dumps(json.dumps(written))}
for name in ("PREFECT_LOGGING_LEVEL", "PREFECT_SERVER_LOGGING_LEVEL"):
    text = text.replace("${{" + name + "}}", "INFO")
tables = json.loads(text)
for logger in tables["loggers"].values():  # without a server nothing can be sent
    logger["handlers"] = [name for name in logger.get("handlers", []) if name != "api"]
logging.config.dictConfig(tables)
logging.getLogger("mylib").info("hello")
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert "<string>:10 | hello" in done.stderr.replace("None", "<string>")
