"""Nothing is read, and nothing heavy is loaded, by importing."""

import subprocess
import sys

HEAVY = ("prefect", "dask", "distributed", "tomli", "rich", "cyclopts", "fsspec")


def test_the_import_is_light(tmp_path):
    (tmp_path / "prefectx.toml").write_text("this is not TOML")
    code = f"import sys, prefectx.settings; print([m for m in {HEAVY} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
