"""`prefectx graph`: the tasks and their data flow."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from prefectx.cli.choices import LONG_NONE, LongChoices
from prefectx.cli.output import AsJson, print_json
from prefectx.errors import PrefectxError
from prefectx.inspection.project import Project
from prefectx.masking import mask_urls
from prefectx.records import FOLDER
from prefectx.reports import drawn, task_graph, write

GraphFormat = Literal["text", "mermaid", "dot", "svg"]
_OF_SUFFIX: dict[str, GraphFormat] = {
    ".svg": "svg", ".dot": "dot", ".gv": "dot", ".mmd": "mermaid", ".mermaid": "mermaid",
}  # fmt: skip


def graph(
    *,
    format: GraphFormat | None = None,
    output: Annotated[Path | None, Parameter(name=["--output", "-o"])] = None,
    json: AsJson = False,
    choices: LongChoices = LONG_NONE,
) -> int:
    """Show the tasks that made outputs, and how many outputs flow between them.

    For example:

    `prefectx graph`

    `prefectx graph -o tasks.svg`

    Parameters:
        format: text, mermaid, dot (for Graphviz) or svg (a picture); by default as the suffix of
            the file says, else text.
        output: a file to write to.
    """
    choices.apply()
    project = Project()
    found = task_graph(project)
    if not found.nodes:
        place = f"{mask_urls(project.root)}/{FOLDER}"
        raise PrefectxError(f"no records are in {place}: nothing was made there yet")
    if json:
        print_json(found.to_dict())
        return 0
    suffix = "" if output is None else output.suffix.casefold()
    chosen = format or _OF_SUFFIX.get(suffix, "text")
    writers = {"text": found.text, "mermaid": found.mermaid, "dot": found.dot}
    text = drawn(found) if chosen == "svg" else writers[chosen]()
    if output is None:
        print(text, end="")
        return 0
    write(str(output.absolute()), text)
    return 0
