"""prefectx and its peers side by side: python -m benchmarks [--short].

In full it writes a page and a picture into benchmarks/results. The short form takes a minute or
two, needs no network and starts no server; it fails if a ratio is worse than twice its goal.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

from benchmarks import programs, report
from benchmarks.goals import FINISHED, IMPORTS, PREFECT, RUNNING, SIDE_BY_SIDE, Figures, judged
from benchmarks.harness import REPOSITORY, Result, alone, results_of
from benchmarks.server import server

RESULTS = REPOSITORY / "benchmarks" / "results"
_TOLERANCE = 2


def short() -> Figures:
    # Without the runners: side by side a busy machine changes more than the code does.
    sections = {
        FINISHED: results_of("finished", "--short"),
        RUNNING: results_of("running", "--short"),
        IMPORTS: programs.imports(5, short=True),
    }
    return Figures(sections, alone("memory"))


def full() -> Figures:
    sections: dict[str, list[Result]] = {}
    with server() as url:
        real = {"PREFECT_API_URL": url}
        sections[FINISHED] = results_of("finished", environment=real)
        sections[RUNNING] = results_of("running")
        sections[SIDE_BY_SIDE] = results_of("runners")
        sections[PREFECT] = results_of("prefect_calls", environment=real)
        sections["On Prefect, embedded server"] = results_of("prefect_calls")
        sections["A whole run of 1,000 finished tasks"] = programs.whole_runs(2, url)
    sections[IMPORTS] = programs.imports(5)
    return Figures(sections, alone("memory"), alone("payloads"))


def keep(figures: Figures) -> None:
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "results.md").write_text(report.page(figures))
    (RESULTS / "results.json").write_text(json.dumps(asdict(figures), indent=1))
    report.picture(figures, RESULTS / "results.svg")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("--short", action="store_true", help="for CI: ours and the goals only")
    is_short = parser.parse_args().short
    for name in [name for name in os.environ if name.startswith("PREFECTX")]:
        del os.environ[name]
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        # Else the configuration of the repository counts, where the programs are.
        Path("prefectx.toml").touch()
        os.environ["PREFECT_HOME"] = str(Path(folder) / "prefect")
        figures = short() if is_short else full()
        os.chdir("/")
    if not is_short:
        keep(figures)
    print("\n".join(report.goals_table(figures)))
    # Microseconds depend on the machine: they are shown, but do not count.
    ratios = [(goal, value) for goal, value in judged(figures) if goal.unit != "us"]
    far = [goal for goal, value in ratios if value > _TOLERANCE * goal.limit]
    return 1 if is_short and far else 0


if __name__ == "__main__":
    sys.exit(main())
