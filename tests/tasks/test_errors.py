"""What a user sees when something is wrong: the thing, what was wrong, what to do."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import prefectx
from prefectx import load, override, task

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def cached(tmp_path: Path):
    """Run in mode cache, under tmp_path."""
    with override(mode="cache", root=tmp_path):
        yield


def test_a_missing_field_names_task_template_field_and_choices():
    """A template that asks for what nobody gives says what there is."""

    @task(target="out/{funcname}/{yaer}.json")
    def f(year):
        return year

    with pytest.raises(prefectx.TargetError) as error:
        f(2024)
    text = str(error.value)
    assert "'f'" in text
    assert "out/{funcname}/{yaer}.json" in text
    assert "{yaer}" in text
    assert "arguments, base, ext, funcname, module, name, now, today, year" in text


def test_an_unpicklable_result_names_task_and_location(tmp_path):
    """What cannot be saved is an error; nothing half-written stays behind."""

    @task
    def f(x):
        return threading.Lock(), x

    with pytest.raises(prefectx.SaveError) as error:
        f(1)
    text = str(error.value)
    assert "task 'f'" in text
    assert str(tmp_path / "working" / "f" / "1") in text
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert [path for path in files if ".prefectx" not in path.parts] == []


def test_a_wrong_type_for_the_format_leaves_the_old_output(tmp_path):
    """A failed save keeps what was there before."""

    @task(target="one.json", shared=True)
    def f(x):
        return {"a": x}

    f([1])
    with pytest.raises(prefectx.SaveError, match="task 'f'"):
        f.with_options(refresh=True)({1, 2})
    assert load(f([1])) == {"a": [1]}


def test_a_folder_in_the_place_of_a_target(tmp_path):
    """A directory is neither an output nor silently overwritten."""
    (tmp_path / "one.json").mkdir()

    @task(target="one.json")
    def f(x):
        return x

    with pytest.raises(prefectx.StoreError, match=r"task 'f'.*one\.json"):
        f(1)


def test_a_folder_that_cannot_be_written(tmp_path):
    """No permission, or no such place, names task and location."""
    (tmp_path / "file").write_text("")

    @task(target="file/{x}.json")
    def f(x):
        return x

    with pytest.raises(prefectx.StoreError, match=r"file/1\.json"):
        f(1)


def test_an_unknown_store():
    """The error names the store and lists the known ones."""

    with pytest.raises(prefectx.ConfigError) as error:

        @task(store="werehouse")
        def f(x):
            return x

    assert "f: store" in str(error.value)
    assert "werehouse" in str(error.value)
    assert "file" in str(error.value)


def test_an_unknown_suffix_in_a_template():
    """A format that nobody registered is an error before the function runs."""

    @task(target="out/{x}.xyz")
    def f(x):
        raise AssertionError("must not run")

    with pytest.raises(prefectx.ConfigError, match=r"'f'.*\.xyz.*register_format"):
        f(1)


def test_a_value_that_leads_out_of_the_folder():
    """Neither arguments nor context lead out of the template's own folder."""

    @task(target="out/{name}.json")
    def f(name):
        return name

    with pytest.raises(prefectx.TargetError, match=r"'f'.*leads out of 'out/'"):
        f("../../etc/passwd")


def test_an_output_that_cannot_be_read_says_how_to_make_it_anew(tmp_path):
    """Damage is told apart from absence."""

    @task(target="one.json")
    def f(x):
        return x

    item = f(1)
    (tmp_path / "one.json").write_text("{")
    with pytest.raises(prefectx.CorruptItemError, match=r"(?s)one\.json.*[dD]elete"):
        load(item)


def run(program: str, folder: Path, **environment: str) -> str:
    """Run a program that fails; return the last line it printed."""
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "PREFECTX": "cache"}
        | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    return done.stderr


PROGRAM = "from prefectx import task\n@task\ndef clean(x): return x\nprint(clean(1))\n"


def test_a_misspelt_key_names_file_line_and_nearest(tmp_path):
    """A typing mistake in the file does not pass in silence."""
    (tmp_path / "prefectx.toml").write_text('\n[tasks.clean]\ntarge = "x"\n')
    said = run(PROGRAM, tmp_path)
    assert "prefectx.toml:3" in said
    assert "targe" in said
    assert "target" in said


def test_a_misspelt_variable_names_the_nearest(tmp_path):
    """Nor does one in the environment."""
    said = run(PROGRAM, tmp_path, PREFECTX_TARGT="x")
    assert "PREFECTX_TARGT" in said
    assert "PREFECTX_TARGET" in said


def test_an_unknown_mode_in_the_environment(tmp_path):
    """PREFECTX itself is checked."""
    said = run(PROGRAM, tmp_path, PREFECTX="cahce")
    assert "cahce" in said
    assert "prefect.skiptask" in said
