"""Measure every module of Python's own standard library and report the largest.

Run it twice, in any mode; the second run makes only what does not exist yet:

    python examples/library_report.py
    PREFECTX=cache python examples/library_report.py --limit 100
"""

from __future__ import annotations

import argparse
import ast
import sysconfig
import time
import warnings
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich import get_console
from rich.box import SIMPLE_HEAD
from rich.table import Table

from prefectx import flow, load, task, wait

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from pandas import DataFrame

KINDS = {
    ast.FunctionDef: "function",
    ast.AsyncFunctionDef: "function",
    ast.ClassDef: "class",
    ast.Import: "import",
    ast.ImportFrom: "import",
}
OUTCOMES = ("skipped", "ran", "failed")
NOT_OF_THE_LIBRARY = {"site-packages", "dist-packages", "__pycache__"}


@task(target="working/{funcname}/{module}.pkl")
def parse(module: str, path: Path) -> dict[str, Any]:
    """Parse a source file; return the parts of its syntax tree to measure."""
    source = path.read_bytes()
    nodes = [node for node in ast.walk(syntax_tree(source, path)) if type(node) in KINDS]
    return {
        "module": module,
        "lines": source.count(b"\n"),
        "nodes": [
            (KINDS[type(node)], getattr(node, "name", ""), node.end_lineno - node.lineno + 1)
            for node in nodes
        ],
    }


@task(target="working/{funcname}/{outline}.json")
def measure(outline: dict[str, Any]) -> dict[str, Any]:
    """Count what is in a module, and find its longest function."""
    counts = Counter(kind for kind, _, _ in outline["nodes"])
    functions = [(lines, name) for kind, name, lines in outline["nodes"] if kind == "function"]
    longest, name = max(functions, default=(0, "-"))
    return {
        "module": outline["module"],
        "lines": outline["lines"],
        "functions": counts["function"],
        "classes": counts["class"],
        "imports": counts["import"],
        "longest": longest,
        "longest_name": name,
    }


@task(target="working/report.csv", stale="rerun")  # also after a run with another --limit
def report(measures: list[dict[str, Any]]) -> DataFrame:
    """Join the measurements, the largest module first."""
    import pandas

    return pandas.DataFrame(measures).sort_values("lines", ascending=False, ignore_index=True)


@task(target="working/largest.png", stale="rerun")
def draw(table: DataFrame) -> Figure:
    """Draw the twenty largest modules."""
    from matplotlib.figure import Figure

    largest = table.head(20)[::-1]
    figure = Figure(figsize=(8, 6), layout="constrained")
    axes = figure.subplots()
    axes.barh(largest["module"], largest["lines"])
    axes.set(title=f"The largest of {len(table):,} modules", xlabel="lines")
    return figure


@flow
def library_report(limit: int | None = None) -> None:
    """Parse and measure each module; join, print and draw the results."""
    modules = dict(sorted(find_modules())[:limit])
    get_console().print(f"{len(modules):,} modules of the standard library")
    outlines = parse.map(list(modules), list(modules.values()))
    measures = measure.map(outlines)
    wait(measures)
    measured = [future for future in measures if future.state.is_completed()]

    joined = report.submit(measured)
    drawn = draw.submit(joined)
    wait([drawn])

    print_largest(load(joined))
    print_counts(parse=outlines, measure=measures, report=[joined], draw=[drawn])
    print_failures(dict(zip(modules, outlines, strict=True)))


def find_modules() -> Iterable[tuple[str, Path]]:
    """Yield the name and the file of each module of the standard library."""
    library = Path(sysconfig.get_path("stdlib"))
    for path in library.rglob("*.py"):
        parts = path.relative_to(library).with_suffix("").parts
        is_module = all(part.isidentifier() for part in parts)
        if is_module and NOT_OF_THE_LIBRARY.isdisjoint(parts):
            yield ".".join(parts).removesuffix(".__init__"), path


def syntax_tree(source: bytes, path: Path) -> ast.AST:
    """Parse a source."""
    for _ in range(9):
        # In older Pythons threads that parse at the same time disturb each other (gh-106905).
        with suppress(SystemError):
            return ast.parse(source, path)
    return ast.parse(source, path)


def print_largest(modules: DataFrame) -> None:
    """Print the twenty largest modules."""
    table = Table("module", title="The twenty largest", box=SIMPLE_HEAD)
    counts = ["lines", "functions", "classes", "imports", "longest"]
    for name in counts:
        table.add_column(name, justify="right")
    for module, *row in modules[["module", *counts]].head(20).itertuples(index=False):
        table.add_row(module, *(f"{count:,}" for count in row))
    get_console().print(table)


def print_counts(**futures: list[Any]) -> None:
    """Print how many calls of each task were skipped, ran and failed."""
    table = Table("task", box=SIMPLE_HEAD)
    for name in OUTCOMES:
        table.add_column(name, justify="right")
    for name, calls in futures.items():
        counts = Counter(map(outcome_of, calls))
        table.add_row(name, *(f"{counts[outcome]:,}" for outcome in OUTCOMES))
    get_console().print(table)


def outcome_of(future: Any) -> str:
    """Say how a call ended."""
    if future.state.name == "Cached":
        return "skipped"
    return "ran" if future.state.is_completed() else "failed"


def print_failures(outlines: dict[str, Any]) -> None:
    """Name the modules that do not parse, each with the reason."""
    for module, future in outlines.items():
        if not future.state.is_completed():
            error = future.result(raise_on_failure=False)
            reason = f"{module}: {type(error).__name__}: {error}"
            get_console().print("failed", reason, style="red", markup=False, soft_wrap=True)


def main() -> None:
    """Read the command line and run the flow."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--limit", type=int, metavar="N", help="only the first N modules")
    limit = parser.parse_args().limit
    warnings.simplefilter("ignore", SyntaxWarning)  # of old sources: not ours to mend
    started = time.perf_counter()
    library_report(limit)
    get_console().print(f"Done in {time.perf_counter() - started:.1f} s")


if __name__ == "__main__":
    main()
