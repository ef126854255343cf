"""`prefectx report`: what happened, as one page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from prefectx.cli.choices import LONG_NONE, LongChoices
from prefectx.cli.output import AsJson, errors, in_bytes, print_json
from prefectx.errors import PrefectxError
from prefectx.inspection.project import Project
from prefectx.masking import mask_urls
from prefectx.records import FOLDER
from prefectx.reports import collect, write_page


def report(
    *,
    output: Annotated[str, Parameter(name=["--output", "-o"])] = "report.html",
    previews: bool = True,
    json: AsJson = False,
    choices: LongChoices = LONG_NONE,
) -> int:
    """Write one page about the outputs and failures, with timeline, graph and previews.

    The page needs nothing else: no network, no other file.

    For example:

    `prefectx report`

    `prefectx report -o working/report.html --no-previews`

    Parameters:
        output: the file to write, or a URL.
        previews: whether the page shows what some outputs hold.
        json: print what the page tells as JSON.
    """
    choices.apply()
    project = Project()
    found = collect(project, previews=previews)
    if not found.outputs and not found.failures.calls:
        place = f"{mask_urls(project.root)}/{FOLDER}"
        raise PrefectxError(f"no records are in {place}: nothing was made there yet")
    place = output if "://" in output else str(Path(output).absolute())
    size = write_page(found, place)
    if json:
        print_json({"report": place, "bytes": size, **found.to_dict()})
        return 0
    failed = f", {found.failures.calls:,} failed calls" if found.failures.calls else ""
    errors().print(
        f"{mask_urls(output)} written, {in_bytes(size)}: {found.outputs:,} outputs of"
        f" {len(found.tasks):,} tasks{failed}.",
        markup=False,
    )
    return 0
