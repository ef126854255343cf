"""The tasks of a project and what flows between them, as text, for Mermaid and for Graphviz."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from prefectx.inspection.project import Project
from prefectx.monitoring.words import in_bytes, in_words
from prefectx.records import Record


class TaskNode(NamedTuple):
    """A task, and what it made.

    Attributes:
        name: the name of the task.
        outputs: how many outputs it made.
        failed: how many of its calls failed the last time.
        size: bytes of its outputs.
        seconds: how long they took together.
        files: how many files it read.
    """

    name: str
    outputs: int = 0
    failed: int = 0
    size: int = 0
    seconds: float = 0.0
    files: int = 0

    @property
    def counts(self) -> str:
        """What is counted, in words."""
        failed = f", {self.failed:,} failed" if self.failed else ""
        return f"{self.outputs:,} output{'' if self.outputs == 1 else 's'}{failed}"


class Edge(NamedTuple):
    """Outputs of one task that another one read.

    Attributes:
        source: the task that made them.
        target: the task that read them.
        outputs: how many of them were read, by each reader.
    """

    source: str
    target: str
    outputs: int


class TaskGraph(NamedTuple):
    """The tasks of a project, those first that others depend on, and what flows between them.

    Attributes:
        nodes: the tasks.
        edges: the edges.
    """

    nodes: Sequence[TaskNode]
    edges: Sequence[Edge]

    def to_dict(self) -> dict[str, Any]:
        """Return the graph as plain data."""
        return {
            "tasks": [node._asdict() for node in self.nodes],
            "edges": [edge._asdict() for edge in self.edges],
        }

    def text(self) -> str:
        """Return the graph as text: below each task those that read its outputs."""
        return "\n".join(self._lines()) + "\n"

    def _lines(self) -> Iterator[str]:
        for node in self.nodes:
            took = f"{in_bytes(node.size)}, {in_words(node.seconds)}"
            yield f"{_one_line(node.name)}  ({node.counts}, {took})"
            for edge in self.edges:
                if edge.source == node.name:
                    yield f"    -> {_one_line(edge.target)}  ({edge.outputs:,})"

    def mermaid(self) -> str:
        """Return the graph as a Mermaid flowchart."""
        number = {node.name: f"t{index}" for index, node in enumerate(self.nodes)}
        lines = ["flowchart LR"]
        lines += [
            f'    {number[node.name]}["{_for_mermaid(node.name)}<br>{node.counts}"]'
            for node in self.nodes
        ]
        lines += [
            f"    {number[source]} -->|{count:,}| {number[target]}"
            for source, target, count in self.edges
        ]
        return "\n".join(lines) + "\n"

    def dot(self) -> str:
        """Return the graph in the language of Graphviz."""
        lines = [
            "digraph tasks {",
            "    rankdir=LR;",
            '    node [shape=box, style=rounded, fontname="sans-serif"];',
        ]
        lines += [
            f"    {_for_dot(node.name)} [label={_for_dot(node.name, node.counts)}];"
            for node in self.nodes
        ]
        lines += [
            f'    {_for_dot(source)} -> {_for_dot(target)} [label="{count:,}"];'
            for source, target, count in self.edges
        ]
        return "\n".join([*lines, "}"]) + "\n"


def _one_line(text: str) -> str:
    return "".join(part if part.isprintable() else "\N{REPLACEMENT CHARACTER}" for part in text)


def _for_mermaid(text: str) -> str:
    """Return a text in which nothing means something to Mermaid."""
    return "".join(
        part if part.isalnum() or part in " _-.,()/" else f"#{ord(part)};"
        for part in _one_line(text)
    )


def _for_dot(*lines: str) -> str:
    escaped = (_one_line(line).replace("\\", "\\\\").replace('"', '\\"') for line in lines)
    return '"' + "\\n".join(escaped) + '"'


class TaskFlow:
    """Counts what flows between tasks, from the records.

    Parameters:
        project: the project; all its records are read once to know who made which output.
    """

    def __init__(self, project: Project) -> None:
        self._project = project
        self._names: dict[str, str] = {}
        self._maker = {
            place: self._names.setdefault(record.task, record.task)
            for place, record in _placed(project)
        }
        self._edges: Counter[tuple[str, str]] = Counter()

    def add(self, record: Record, folder: str) -> None:
        """Count the inputs of an output.

        Parameters:
            record: its record.
            folder: the folder of the records.
        """
        places = {str(place) for each in record.inputs.values() for place, _ in each}
        for place in places:
            maker = self._maker.get(self._project.item_of(place, folder).location)
            if maker is not None:
                self._edges[maker, record.task] += 1

    def graph(self, nodes: Mapping[str, TaskNode]) -> TaskGraph:
        """Return the graph of these tasks."""
        edges = [Edge(*pair, count) for pair, count in sorted(self._edges.items())]
        order = layers(sorted(nodes), edges)
        rank = {name: number for number, layer in enumerate(order) for name in layer}
        ordered = sorted(nodes.values(), key=lambda node: (rank[node.name], node.name))
        return TaskGraph(ordered, edges)


def _placed(project: Project) -> Iterator[tuple[str, Record]]:
    for records in project.records():
        for record in records.all():
            yield project.item_of(record.location, records.folder).location, record


def task_graph(project: Project) -> TaskGraph:
    """Return the tasks that made the outputs of a project, and what flows between them."""
    flow = TaskFlow(project)
    nodes: dict[str, TaskNode] = {}
    for records in project.records():
        for record in records.all():
            node = nodes.get(record.task) or TaskNode(record.task)
            nodes[record.task] = node._replace(
                outputs=node.outputs + 1,
                size=node.size + (record.size or 0),
                seconds=node.seconds + record.seconds,
                files=node.files + len(record.files),
            )
            flow.add(record, records.folder)
    for failure, _ in project.failures():
        node = nodes.get(failure.task) or TaskNode(failure.task)
        nodes[failure.task] = node._replace(failed=node.failed + 1)
    return flow.graph(nodes)


def layers(names: Sequence[str], edges: Sequence[Edge]) -> list[list[str]]:
    """Return the tasks in layers: each after all those that it reads from, as far as can be.

    Of tasks that read from each other, one has to come first.

    Parameters:
        names: the tasks.
        edges: what flows between them.
    """
    sources: dict[str, list[str]] = {name: [] for name in names}
    for edge in edges:
        if edge.source != edge.target:
            sources[edge.target].append(edge.source)
    rank: dict[str, int] = {}
    for name in names:
        _rank(name, sources, rank)
    found: list[list[str]] = [[] for _ in range(max(rank.values(), default=-1) + 1)]
    for name in names:
        found[rank[name]].append(name)
    return found


def _rank(name: str, sources: Mapping[str, Sequence[str]], rank: dict[str, int]) -> None:
    """Rank a task after its sources; an edge that closes a circle is passed over."""
    waiting, open_ = [name], set()
    while waiting:
        each = waiting[-1]
        if each in rank:
            waiting.pop()
            continue
        open_.add(each)
        below = [s for s in sources[each] if s not in rank and s not in open_]
        if below:
            waiting.append(below[0])
            continue
        rank[each] = 1 + max((rank[s] for s in sources[each] if s in rank), default=-1)
        open_.discard(each)
        waiting.pop()
