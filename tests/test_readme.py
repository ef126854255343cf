"""The code blocks of the README run as they are."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import prefectx
from prefectx import settings
from prefectx.modes import MODES

README = (Path(__file__).parents[1] / "README.md").read_text()
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
PYTHON = [code for language, code in BLOCKS if language == "python"]
TOML = [code for language, code in BLOCKS if language == "toml"]
COMMANDS = [
    line for language, code in BLOCKS if language == "sh" for line in code.splitlines() if line
]


def test_every_language_is_known():
    """No block is left out by a misspelt language."""
    assert {language for language, _ in BLOCKS} == {"python", "toml", "sh"}


@pytest.mark.parametrize("mode", ["function", "cache"])
def test_python_blocks_run(mode, tmp_path, capsys):
    """From top to bottom the blocks are one program, which prints what their comments say."""
    program = "\n".join(PYTHON).replace('if __name__ == "__main__":', "if True:")
    if mode == "function":  # which has no items
        program = program.replace("print(item.location)", "")
    with prefectx.override(mode=mode, root=tmp_path):
        exec(compile(program, "README.md", "exec"), {"__name__": "readme"})
    said = re.findall(r"^print\(.*\) +# ([^.].*)$", program, re.MULTILINE)
    assert said
    assert set(said) <= set(capsys.readouterr().out.splitlines())
    assert (tmp_path / "working/summary/2024-02-29.txt").exists() == (mode == "cache")


@pytest.mark.parametrize("text", TOML)
def test_configurations_are_right(text, tmp_path):
    """Every configuration is one that prefectx takes."""
    (tmp_path / "prefectx.toml").write_text(text)
    assert settings.current().project.mode in MODES


def run_command(command: str, folder: Path, **environment: str) -> str:
    """Run what a user types, with the first block as the file that it names."""
    (folder / "pipeline.py").write_text(PYTHON[0])
    (folder / "note.md").write_text("three short words")
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = {**os.environ, **environment, "PATH": path}
    done = subprocess.run(command, shell=True, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("command", [c for c in COMMANDS if c.startswith("PREFECTX=")])
def test_ten_lines_run_without_prefect(command, tmp_path):
    """The first block runs in the modes that the README names."""
    assert run_command(command, tmp_path) == "3 words\n"


@pytest.mark.prefect
def test_ten_lines_run_on_prefect(tmp_path, prefect_api):
    """Without any configuration the first block runs on Prefect, and keeps its output."""
    assert "python pipeline.py" in COMMANDS
    output = run_command("python pipeline.py", tmp_path, PREFECT_API_URL=prefect_api)
    assert output.endswith("3 words\n")
    assert (tmp_path / "working/words/note.json").read_text().strip() == "3"


@pytest.mark.parametrize("command", [c for c in COMMANDS if c.startswith("prefectx ")])
def test_command_line_runs(command, tmp_path):
    """The command prints something."""
    assert run_command(command, tmp_path)


def test_pytest_block_passes(tmp_path):
    """The tests of the README pass where they are pytest's own."""
    example = next(code for code in PYTHON if "def test_pipeline" in code)
    (tmp_path / "pipeline.py").write_text(PYTHON[0])
    (tmp_path / "test_pipeline.py").write_text(f"from pipeline import *\n{example}")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert "2 passed" in done.stdout, done.stdout + done.stderr
