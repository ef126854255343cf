"""Lines of the console and of Prefect's API: their form, and which loggers are in a run's log."""

import json
import re
import uuid

import pytest

PROGRAM = """
import logging, sys
{before}
from prefectx import flow, get_run_logger, task

@task(target=None)
def work(x):
    get_run_logger().info("from the task %s", x)
    logging.getLogger("mylib").info("from mylib %s", x)
    logging.getLogger("mylib").debug("too quiet")
    logging.getLogger("other").info("not asked for")
    return x

@flow(name="{name}")
def pipeline():
    get_run_logger().info("from the flow")
    logging.getLogger("mylib").info("from mylib in the flow")
    work.submit(1).wait()

if __name__ == "__main__":
    pipeline()
    print("prefect" in sys.modules)
"""

LOGGING = {"PREFECTX_LOGGING__EXTRA_LOGGERS": "mylib"}


def program(before: str = "", name: str = "logged") -> str:
    return PROGRAM.replace("{before}", before).replace("{name}", name)


@pytest.fixture
def logged(server, run_script):
    """Run the program, give its lines at the API: (task run or None, message)."""

    def run(before: str = "", **environment: str) -> tuple[str, list[tuple[str | None, str]]]:
        name = uuid.uuid4().hex
        text = program(before, name)
        done = run_script(text, PREFECT_API_URL=server.url, **LOGGING, **environment)
        assert done.returncode == 0, done.stderr
        [run] = server.read("flow_runs", flows={"name": {"any_": [name]}})
        lines = server.read("logs", limit=200, logs={"flow_run_id": {"any_": [run["id"]]}})
        return done.stderr, [(line["task_run_id"], line["message"]) for line in lines]

    return run


@pytest.mark.parametrize("runner", ["threads", "processes"])
@pytest.mark.parametrize("mode", ["prefect", "prefect.skiptask"])
def test_lines_reach_console_and_api(logged, runner, mode):
    """Lines of runs and of extra loggers are at the API, under their run.

    The place in the user's file is before them, except in the mode `prefect`.
    """
    console, lines = logged(PREFECTX=mode, PREFECTX_RUNNER__TYPE=runner)
    place = "" if mode == "prefect" else r"script:\d+ \| "
    found = [(run, re.fullmatch(f"{place}(from .*)", message)) for run, message in lines]
    of_task = {line[1] for run, line in found if line and run}
    of_flow = {line[1] for run, line in found if line and not run}
    assert of_task == {"from the task 1", "from mylib 1"}
    assert of_flow == {"from the flow", "from mylib in the flow"}
    assert not [m for _, m in lines if "too quiet" in m or "not asked for" in m]
    assert re.search(r"\| INFO    \| script:\d+ \| Flow run '.*' - from the flow", console)
    assert re.search(r"\| INFO    \| script:\d+ \| Task run '.*' - from the task 1", console)
    assert re.search(r"\| INFO    \| script:\d+ \| Task run '.*' - from mylib 1", console)
    assert "too quiet" not in console
    assert "not asked for" not in console
    # What others than the user log has no place of the user's.
    messages = [message for _, message in lines]
    assert any(message.startswith("Finished in state Completed") for message in messages)
    assert re.search(r"\| INFO    \| Flow run '.*' - Beginning flow run", console)


def test_the_format_can_be_chosen(logged):
    """`[logging]` says how lines look; what Prefect's pages show beside them is left out there."""
    console, lines = logged(
        PREFECTX_LOGGING__FORMAT="%(asctime)s | %(levelname)s | %(funcName)s > %(message)s",
        PREFECTX_LOGGING__DATEFMT="%Y",
        PREFECTX_LOGGING__LEVEL="DEBUG",
    )
    assert re.search(r"^20\d\d \| INFO \| work > Task run '.*' - from the task 1", console, re.M)
    assert "work > from the task 1" in {message for _, message in lines}
    assert "work > too quiet" in {message for _, message in lines}


def test_a_dictconfig_file(logged, tmp_path):
    """`logging.config` names a file that takes the place of all the rest."""
    config = {
        "version": 1,
        "formatters": {"own": {"format": "OWN %(message)s"}},
        "handlers": {"own": {"class": "logging.StreamHandler", "formatter": "own"}},
        "loggers": {"mylib": {"handlers": ["own"], "level": "DEBUG"}},
    }
    (tmp_path / "logging.json").write_text(json.dumps(config))
    console, lines = logged(PREFECTX_LOGGING__CONFIG=str(tmp_path / "logging.json"))
    assert "OWN too quiet" in console
    assert any(message.endswith("from mylib 1") and run for run, message in lines)


def test_a_users_own_logging_is_left_alone(logged):
    """Formats that the user has given Prefect stay."""
    console, _ = logged(PREFECT_LOGGING_FORMATTERS_STANDARD_TASK_RUN_FMT="MINE %(message)s")
    assert "MINE from the task 1" in console


def test_the_same_lines_without_prefect(run_script):
    """In mode `cache` the lines look the same, and no Prefect is imported."""
    done = run_script(program(), PREFECTX="cache", **LOGGING)
    assert done.stdout == "False\n"
    task = r"\| INFO    \| script:\d+ \| Task 'work' - from "
    assert re.search(f"{task}the task 1", done.stderr)
    assert re.search(f"{task}mylib 1", done.stderr)
    assert "not asked for" not in done.stderr


def test_a_configured_root_gets_lines_once(run_script):
    """A program that has set up logging itself sees each line once, in its own form."""
    before = "logging.basicConfig(format='ROOT %(message)s', level='INFO')"
    done = run_script(program(before), PREFECTX="cache", **LOGGING)
    assert re.findall(r".*from the task 1", done.stderr) == ["ROOT from the task 1"]
    assert re.findall(r".*from mylib 1", done.stderr) == ["ROOT from mylib 1"]


def test_a_flow_first_says_which_configuration_is_in_force(logged):
    console, lines = logged()
    messages = [message for _, message in lines]
    said = "No configuration file was found"
    assert messages.count(said) == 1
    assert console.index(said) < console.index("from the flow")
