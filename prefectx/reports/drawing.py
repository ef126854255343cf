"""Draws the tasks and their data flow as SVG, in layers from left to right."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from prefectx.reports.graph import Edge, TaskGraph, TaskNode, layers
from prefectx.reports.html_text import escaped

_HEIGHT, _GAP, _CHANNEL, _MARGIN = 46.0, 22.0, 84.0, 12.0
_CHARACTER, _SMALL, _PADDING, _LONGEST = 7.8, 6.2, 14.0, 30
_SWEEPS = 8

STYLE = """\
.graph { font: 13px system-ui, sans-serif; }
.graph rect { fill: var(--node, #f4f6fa); stroke: var(--line, #8b95a7); }
.graph .failed rect { stroke: var(--bad, #c5303c); stroke-width: 2; }
.graph text { fill: var(--text, #1b2230); }
.graph .name { font-weight: 600; }
.graph .counts, .graph .flow { fill: var(--soft, #5a6578); font-size: 11px; }
.graph .flow { paint-order: stroke; stroke: var(--surface, #fff); stroke-width: 4px; }
.graph path { fill: none; stroke: var(--line, #8b95a7); stroke-width: 1.3; }
.graph marker path { fill: var(--line, #8b95a7); stroke: none; }
"""
_ALONE = """\
:root { color-scheme: light dark; }
@media (prefers-color-scheme: dark) {
  .graph { --node: #232a36; --line: #7d899c; --bad: #f0727c; --text: #e6eaf1; --soft: #a7b1c0;
    --surface: #161b23; background: #161b23; }
}
"""


class Box(NamedTuple):
    """Where a task is drawn: the place of its left upper corner, and its size."""

    x: float
    y: float
    width: float
    height: float = _HEIGHT


class Layout(NamedTuple):
    """Where everything is drawn.

    Attributes:
        boxes: the place of each task.
        routes: the points that each edge passes through.
        width: the width of all.
        height: the height of all.
    """

    boxes: Mapping[str, Box]
    routes: Mapping[tuple[str, str], Sequence[tuple[float, float]]]
    width: float
    height: float


# A task; or where an edge passes a layer: its source, its target and the layer.
_Place = str | tuple[str, str, int]


def laid_out(graph: TaskGraph) -> Layout:
    """Place tasks in layers, those that belong together beside each other."""
    names = [node.name for node in graph.nodes]
    edges = [edge for edge in graph.edges if edge.source != edge.target]
    places: list[list[_Place]] = [list(layer) for layer in layers(names, edges)]
    rank = {name: number for number, layer in enumerate(places) for name in layer}
    paths: dict[tuple[str, str], list[_Place]] = {}
    near: dict[_Place, list[_Place]] = defaultdict(list)
    for source, target, _ in edges:
        first, last = sorted((rank[source], rank[target]))
        passed: list[_Place] = [(source, target, number) for number in range(first + 1, last)]
        for number, place in enumerate(passed, first + 1):
            places[number].append(place)
        if rank[source] > rank[target]:
            passed.reverse()
        path = paths[source, target] = [source, *passed, target]
        for one, other in pairwise(path):
            near[one].append(other)
            near[other].append(one)
    _order(places, near)
    middles = _middles(places, near)
    widths = {node.name: _width(node) for node in graph.nodes}
    boxes: dict[str, Box] = {}
    points: dict[_Place, tuple[float, float]] = {}
    x = _MARGIN
    for layer in places:
        widest = max((widths[place] for place in layer if isinstance(place, str)), default=0.0)
        for place in layer:
            if isinstance(place, str):
                boxes[place] = Box(x, middles[place] - _HEIGHT / 2, widest)
            else:
                points[place] = x + widest / 2, middles[place]
        x += widest + _CHANNEL
    routes = {edge: _route(path, boxes, points) for edge, path in paths.items()}
    height = max(middles.values(), default=0.0) + _HEIGHT / 2 + _MARGIN
    return Layout(boxes, routes, x - _CHANNEL + _MARGIN, height)


def _order(places: list[list[_Place]], near: Mapping[_Place, Sequence[_Place]]) -> None:
    """Sort each layer by the mean place of the neighbours, forwards and backwards."""
    for sweep in range(_SWEEPS):
        order = range(len(places)) if sweep % 2 == 0 else range(len(places) - 1, -1, -1)
        for number in order:
            beside = number - 1 if sweep % 2 == 0 else number + 1
            if not 0 <= beside < len(places):
                continue
            index = {place: position for position, place in enumerate(places[beside])}
            means = {}
            for position, place in enumerate(places[number]):
                found = [index[other] for other in near.get(place, ()) if other in index]
                means[place] = sum(found) / len(found) if found else float(position)
            places[number].sort(key=means.__getitem__)


def _middles(
    places: Sequence[Sequence[_Place]], near: Mapping[_Place, Sequence[_Place]]
) -> dict[_Place, float]:
    """Return the height of each place: near its neighbours, below the one before it."""
    step = _HEIGHT + _GAP
    most = max(map(len, places), default=0)
    middles = {
        place: (position + (most - len(layer)) / 2) * step
        for layer in places
        for position, place in enumerate(layer)
    }
    for _ in range(_SWEEPS):
        for layer in places:
            wanted = [
                sum(middles[other] for other in near[place]) / len(near[place])
                if near.get(place)
                else middles[place]
                for place in layer
            ]
            placed: list[float] = []
            for want in wanted:
                placed.append(max(want, placed[-1] + step) if placed else want)
            # As far as the layer was pushed down, on the whole, it is moved up again.
            shift = sum(map(float.__sub__, placed, wanted)) / max(len(layer), 1)
            middles.update(zip(layer, (round(height - shift, 2) for height in placed), strict=True))
    top = min(middles.values(), default=0.0) - _HEIGHT / 2 - _MARGIN
    return {place: height - top for place, height in middles.items()}


def _route(
    path: Sequence[_Place],
    boxes: Mapping[str, Box],
    points: Mapping[_Place, tuple[float, float]],
) -> list[tuple[float, float]]:
    first, last = boxes[str(path[0])], boxes[str(path[-1])]
    passed = [points[place] for place in path[1:-1]]
    is_back = first.x > last.x
    begin = (first.x if is_back else first.x + first.width), first.y + first.height / 2
    end = (last.x + last.width if is_back else last.x), last.y + last.height / 2
    return [begin, *passed, end]


def _width(node: TaskNode) -> float:
    name = _wide(_shown(node.name)) * _CHARACTER
    return max(name, len(node.counts) * _SMALL) + 2 * _PADDING


def _wide(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(part) in "WF" else 1 for part in text)


def _shown(name: str) -> str:
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…"


def drawn(graph: TaskGraph, *, alone: bool = True, links: Mapping[str, str] | None = None) -> str:
    """Return the graph as SVG.

    Parameters:
        graph: the graph.
        alone: as a file of its own, with its style; else as a part of a page that has it.
        links: what a click on a task leads to, by task.
    """
    layout = laid_out(graph)
    width, height = round(layout.width), round(layout.height)
    role = "group" if links else "img"
    head = f'<svg xmlns="http://www.w3.org/2000/svg" class="graph" viewBox="0 0 {width} {height}"'
    parts = [
        f'{head} width="{width}" height="{height}" role="{role}" aria-label="{_in_words(graph)}">',
        f"<style>{STYLE}{_ALONE}</style>" if alone else "",
        '<defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8"'
        ' markerHeight="8" orient="auto-start-reverse"><path d="M0 0 8 4 0 8z"/></marker></defs>',
    ]
    parts += [_edge(edge, layout) for edge in graph.edges]
    parts += [_flow(edge, layout) for edge in graph.edges]
    parts += [_node(node, layout.boxes[node.name], (links or {}).get(node.name)) for node in
              graph.nodes]  # fmt: skip
    return "\n".join(part for part in (*parts, "</svg>") if part) + "\n"


def _in_words(graph: TaskGraph) -> str:
    flows = "; ".join(f"{source} to {target}" for source, target, _ in graph.edges[:50])
    return escaped(f"{len(graph.nodes):,} tasks and their data flow: {flows or 'none'}")


def _edge(edge: Edge, layout: Layout) -> str:
    if edge.source == edge.target:  # it reads outputs of its own
        box = layout.boxes[edge.source]
        x, y = box.x + box.width / 2, box.y
        return f'<path d="M{x - 14} {y}c-6 -14 34 -14 28 -1" marker-end="url(#arrow)"/>'
    points = layout.routes[edge.source, edge.target]
    path = f"M{points[0][0]:.1f} {points[0][1]:.1f}"
    for (x, y), (to_x, to_y) in pairwise(points):
        middle = (x + to_x) / 2
        path += f"C{middle:.1f} {y:.1f} {middle:.1f} {to_y:.1f} {to_x:.1f} {to_y:.1f}"
    return f'<path d="{path}" marker-end="url(#arrow)"/>'


def _flow(edge: Edge, layout: Layout) -> str:
    """Return the text that says how many outputs flow along an edge, near its source."""
    if edge.source == edge.target:
        box = layout.boxes[edge.source]
        x, y = box.x + box.width / 2 + 22, box.y - 3
    else:
        (x, y), (to_x, to_y), *_ = layout.routes[edge.source, edge.target]
        # Before the middle of the curve, where edges are likely to cross.
        x, y = x + 0.384 * (to_x - x), y + 0.282 * (to_y - y) - 5
    return (
        f'<text class="flow" x="{x:.1f}" y="{y:.1f}" text-anchor="middle">{edge.outputs:,}</text>'
    )


def _node(node: TaskNode, box: Box, link: str | None) -> str:
    middle = box.x + box.width / 2
    body = (
        f"<title>{escaped(node.name)}: {node.counts}</title>"
        f'<rect x="{box.x:.1f}" y="{box.y:.1f}" width="{box.width:.1f}" height="{box.height:.1f}"'
        f' rx="7"/><text class="name" x="{middle:.1f}" y="{box.y + 20:.1f}" text-anchor="middle">'
        f'{escaped(_shown(node.name))}</text><text class="counts" x="{middle:.1f}"'
        f' y="{box.y + 36:.1f}" text-anchor="middle">{node.counts}</text>'
    )
    kind = ' class="failed"' if node.failed else ""
    return f"<g{kind}>{body}</g>" if link is None else f'<a href="{link}"{kind}>{body}</a>'
