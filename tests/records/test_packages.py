"""`stale = { packages = ... }`: versions of the installed packages that the code imports."""

from tests.records import project
from tests.records.project import replace, run


def install(folder, version):
    """Install a package as pip would leave it."""
    place = folder / "site-packages"
    (place / "sums.py").parent.mkdir(exist_ok=True)
    (place / "sums.py").write_text("def total(numbers):\n    return sum(numbers)\n")
    for old in place.glob("*.dist-info"):
        old.rename(place / f"sums-{version}.dist-info")
    info = place / f"sums-{version}.dist-info"
    info.mkdir(exist_ok=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: sums\nVersion: {version}\n")
    (info / "top_level.txt").write_text("sums\n")
    (info / "RECORD").write_text("sums.py,,\n")


def test_another_version_of_a_package(tmp_path):
    project.write(tmp_path)
    replace(tmp_path, "pipeline.py", "import pathlib\n", "import pathlib\nimport sums\n")
    replace(tmp_path, "pipeline.py", "sum(map(sum, parts))", "sums.total(map(sums.total, parts))")
    path = f"{project.PACKAGE}:{tmp_path / 'site-packages'}"
    compared = {"PYTHONPATH": path, "PREFECTX_STALE": '{"packages": "rerun"}'}
    install(tmp_path, "1.0")
    assert "total" in run(tmp_path, **compared).ran
    assert run(tmp_path, **compared).ran == []
    install(tmp_path, "2.0")
    ignored = run(tmp_path, PYTHONPATH=path, PREFECTX_STALE="error")
    assert (ignored.ran, ignored.error) == ([], None), ignored.output
    told = run(tmp_path, PYTHONPATH=path, PREFECTX_STALE='{"packages": "warn"}')
    assert told.stale == {"total": ["the package sums changed: 1.0 is now 2.0"]}
    assert run(tmp_path, **compared).ran == ["total"]
    assert run(tmp_path, **compared).ran == []
