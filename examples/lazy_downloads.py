"""Download, unpack, clean, report: the first two outputs are temporary, and made only if needed.

The downloads are archives of packages of Python's standard library, so that this needs no network.
A second run does nothing; after `rm working/lines/json.json` it makes just what this one needs.
"""

import io
import pkgutil
import zipfile
from importlib.util import find_spec
from pathlib import Path

import prefectx
from prefectx import flow, task

PACKAGES = ("email", "json", "logging", "xml")


@task(target="working/archives/{package}.bin", temporary=True)
def download(package: str) -> bytes:
    found = find_spec(package)
    assert found is not None
    assert found.origin is not None
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for path in sorted(Path(found.origin).parent.glob("*.py")):
            archive.write(path, path.name)
    print(f"downloaded {package}")
    return content.getvalue()


@task(target="working/sources/{package}.json", temporary=True)
def unpack(package: str, content: bytes) -> dict[str, str]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name).decode("utf-8", "replace") for name in archive.namelist()}


@task(target="working/lines/{package}.json")
def clean(package: str, sources: dict[str, str]) -> dict[str, int]:
    return {
        name: sum(bool(line.strip()) for line in text.splitlines())
        for name, text in sources.items()
    }


@task(target="working/lines.txt")
def report(packages: list[str], counts: list[dict[str, int]]) -> str:
    rows = (f"{name},{sum(found.values())}" for name, found in zip(packages, counts, strict=True))
    return "\n".join(["package,lines", *rows]) + "\n"


@flow
def pipeline(packages: list[str]) -> str:
    sources = [unpack.submit(package, download.submit(package)) for package in packages]
    counts = clean.map(packages, sources)
    table: str = prefectx.load(report(packages, counts))
    return table


if __name__ == "__main__":
    assert {module.name for module in pkgutil.iter_modules()}.issuperset(PACKAGES)
    print(pipeline(list(PACKAGES)))
