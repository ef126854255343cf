"""The page: one HTML file that needs nothing else.

Counts, tables, failures, the graph and previews are plain HTML. The timeline and the list of
outputs are drawn by a script from data that is packed into the page. The file is long because it
holds every section of the page, one after the other.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from importlib.resources import files
from itertools import chain, islice
from typing import Any

from prefectx.masking import mask
from prefectx.monitoring.summary import RunSummary
from prefectx.monitoring.words import in_bytes, in_words
from prefectx.reports.drawing import STYLE, drawn
from prefectx.reports.facts import STATUSES, Report, Row, TaskFacts, name_of_project
from prefectx.reports.failures import FailedCall, FailureGroup
from prefectx.reports.html_text import clean, escaped
from prefectx.reports.previews import Preview
from prefectx.reports.timeline import Process, Session

_COLOURS = 8
_SHOWN_TASKS = 200
_LARGEST_GRAPH = 300_000
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src '{}'"


def page(report: Report) -> str:
    """Return the page of a report."""
    style, script = _file("page.css") + STYLE, _file("page.js")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    packed = gzip.compress(json.dumps(_data(report), separators=(",", ":")).encode(), mtime=0)
    title = _title(report)
    sections = [section for section in _sections(report) if section[2]]
    links = "".join(f'<li><a href="#{key}">{name}</a></li>' for key, name, _ in sections)
    body = "\n".join(
        f'<section id="{key}" aria-labelledby="{key}-h"><h2 id="{key}-h">{name}</h2>\n'
        f"{content}\n</section>"
        for key, name, content in sections
    )
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{_POLICY.format(f"sha256-{digest}")}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>{escaped(title)}</title>
<style>{style}</style>
</head>
<body>
<a class="skip" href="#main">To the content</a>
<header>
<div><h1>{escaped(title)}</h1><p class="soft">{_subtitle(report)}</p></div>
<button type="button" id="theme" hidden>Dark</button>
</header>
<nav aria-label="Sections"><ul>{links}</ul></nav>
<main id="main">
{_tiles(report)}
{body}
</main>
<footer class="soft">Written by prefectx on {_when(report.made)}.</footer>
<script type="text/plain" id="data">{base64.b64encode(packed).decode()}</script>
<script>{script}</script>
</body>
</html>
"""


def _file(name: str) -> str:
    return files("prefectx.reports").joinpath(name).read_text(encoding="utf-8")


def _title(report: Report) -> str:
    return name_of_project(report.root) if report.run is None else report.run.flow


def _subtitle(report: Report) -> str:
    place = f"Outputs in <code>{escaped(report.root)}</code>, {_when(report.made)}."
    if report.run is None:
        return place
    took = in_words(report.run.seconds)
    if report.error is None:
        return f"The flow ended after {took}. {place}"
    reason = mask(f"{type(report.error).__name__}: {report.error}".splitlines()[0])
    return f'<strong class="bad">The flow failed after {took}: {escaped(reason)}.</strong> {place}'


def _clock(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds).astimezone():%Y-%m-%d %H:%M:%S}"


def _when(seconds: float) -> str:
    found = datetime.fromtimestamp(seconds).astimezone()
    return f'<time datetime="{found.isoformat()}">{found:%Y-%m-%d %H:%M:%S %Z}</time>'


def _sections(report: Report) -> Iterator[tuple[str, str, str]]:
    yield "run", "This run", _run(report)
    yield "failures", "Failures", _failures(report)
    yield "stale", "Stale outputs", _stale(report)
    yield "tasks", "Tasks", _tasks(report)
    yield "timeline", "Timeline", _timeline(report)
    yield "graph", "Graph", _graph(report)
    yield "slowest", "Slowest", _rows(report.slowest, "seconds")
    yield "largest", "Largest", _rows(report.largest, "size")
    yield "previews", "Previews", _previews(report.previews)
    yield "outputs", "Outputs", _outputs(report)


def _counts(run: RunSummary) -> dict[str, str]:
    """Return what is counted of a run, and its class: what always is, and what there is any of."""
    always = {"ran": "", "skipped": "", "failed": "bad"}
    seldom = {"not_run": "bad", "not_needed": "", "deleted": ""}
    found = {name for name in seldom for counts in run.tasks.values() if getattr(counts, name)}
    return always | {name: kind for name, kind in seldom.items() if name in found}


def _tiles(report: Report) -> str:
    found: list[tuple[str, str, str]] = []
    if report.run is not None:
        counts = report.run.tasks.values()
        for name, kind in _counts(report.run).items():
            number = sum(getattr(count, name) for count in counts)
            found.append((name.replace("_", " "), f"{number:,}", kind if number else ""))
        found.append(("duration", in_words(report.run.seconds), ""))
    statuses = {name: sum(task.statuses[name] for task in report.tasks) for name in STATUSES}
    found.append(("outputs", f"{report.outputs:,}", ""))
    found.append(("size", in_bytes(sum(task.size for task in report.tasks)), ""))
    for name, number in statuses.items():
        kind = "warn" if name in ("stale", "edited", "missing") else ""
        if number and (name != "finished" or report.run is None):
            found.append((name, f"{number:,}", kind))
    if report.run is None and report.failures.calls:
        found.append(("failed", f"{report.failures.calls:,}", "bad"))
    tiles = "".join(
        f'<div class="tile {kind}"><dt>{name}</dt><dd>{value}</dd></div>'
        for name, value, kind in found
    )
    return f'<dl class="tiles">{tiles}</dl>'


def _table(caption: str, columns: Sequence[tuple[str, str]], rows: Iterable[Sequence[str]]) -> str:
    """Return a table that scrolls for itself; a column has a name and a class."""
    head = "".join(f'<th scope="col" class="{kind}">{name}</th>' for name, kind in columns)
    body = "".join(
        "<tr>"
        + "".join(
            f'<td class="{kind}">{cell}</td>' for cell, (_, kind) in zip(row, columns, strict=True)
        )
        + "</tr>\n"
        for row in rows
    )
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{caption}"><table>'
        f"<thead><tr>{head}</tr></thead><tbody>\n{body}</tbody></table></div>"
    )


def _number(count: int, kind: str = "") -> str:
    if not count:
        return '<span class="none">0</span>'
    return f'<span class="{kind}">{count:,}</span>' if kind else f"{count:,}"


def _run(report: Report) -> str:
    run = report.run
    if run is None or not run.tasks:
        return ""
    kinds = _counts(run)
    names = [name.replace("_", " ") for name in kinds]
    columns = [("task", ""), *((name, "n") for name in (*names, "stale", "longest"))]
    rows = (
        [
            escaped(name), *(_number(getattr(counts, key), kind) for key, kind in kinds.items()),
            _number(len(run.stale.get(name, ())), "warn"),
            in_words(counts.longest) if counts.ran else "",
        ]
        for name, counts in islice(run.tasks.items(), _SHOWN_TASKS)
    )  # fmt: skip
    left = len(run.tasks) - _SHOWN_TASKS
    more = f'<p class="soft">And {left:,} more tasks.</p>' if left > 0 else ""
    return _table("Calls of this run", columns, rows) + more


def _tasks(report: Report) -> str:
    names = ["outputs", *STATUSES[:4], "failed", "size", "total", "median", "longest"]
    columns = [("task", ""), ("state", "share"), *((name, "n") for name in names)]
    left = len(report.tasks) - _SHOWN_TASKS
    more = f'<p class="soft">And {left:,} more tasks.</p>' if left > 0 else ""
    shown = list(enumerate(report.tasks))[:_SHOWN_TASKS]
    table = _table("Outputs by task", columns, (_task(number, facts) for number, facts in shown))
    problems = "".join(
        f'<p class="soft">{escaped(module)}: {escaped(problem)}; whether its code changed is not'
        " known.</p>"
        for module, problem in list(report.problems.items())[:10]
    )
    return table + more + problems if report.tasks else ""


def _task(number: int, facts: TaskFacts) -> list[str]:
    causes = ", ".join(f"{count:,} {kind}" for kind, count in facts.causes.items())
    stale = f' <span class="soft">({escaped(causes)})</span>' if causes else ""
    median = facts.median
    return [
        f'<span id="task-{number}">{escaped(facts.name)}</span>', _share(facts),
        _number(len(facts.took)), _number(facts.statuses["finished"]),
        _number(facts.statuses["stale"], "warn") + stale,
        _number(facts.statuses["edited"], "warn"), _number(facts.statuses["missing"], "warn"),
        _number(facts.failed, "bad"), in_bytes(facts.size), in_words(facts.seconds),
        "" if median is None else in_words(median),
        in_words(max(facts.took)) if facts.took else "",
    ]  # fmt: skip


def _share(facts: TaskFacts) -> str:
    """Return a bar that shows which part is finished, stale and failed."""
    wrong = sum(facts.statuses[name] for name in ("stale", "edited", "missing"))
    parts = [("good", len(facts.took) - wrong), ("warn", wrong), ("bad", facts.failed)]
    whole = sum(count for _, count in parts) or 1
    bars = "".join(
        f'<i class="{kind}" style="width:{100 * count / whole:.1f}%"></i>'
        for kind, count in parts
        if count
    )
    return f'<span class="bar" aria-hidden="true">{bars}</span>'


def _graph(report: Report) -> str:
    count = len(report.graph.nodes)
    if not count:
        return ""
    links = {task.name: f"#task-{number}" for number, task in enumerate(report.tasks)}
    picture = drawn(report.graph, alone=False, links=links) if count <= _SHOWN_TASKS else ""
    if not 0 < len(picture) < _LARGEST_GRAPH:
        return (
            f'<p class="soft">{count:,} tasks are too many for this page:'
            ' <code class="command">prefectx graph -o tasks.svg</code></p>'
        )
    return (
        '<p class="soft">An arrow leads from a task to one that read its outputs; its number says'
        f' how many times.</p><div class="scroll picture" tabindex="0" role="region"'
        f' aria-label="Graph of tasks">{picture}</div>'
    )


def _rows(rows: Sequence[Row], by: str) -> str:
    rows = [row for row in rows if (row.seconds if by == "seconds" else row.size or 0)]
    columns = [("output", ""), ("task", ""), ("took", "n"), ("size", "n"), ("made", "n")]
    if by == "size":
        columns[2], columns[3] = columns[3], columns[2]
    cells = []
    for row in rows:
        numbers = [in_words(row.seconds), in_bytes(row.size)]
        if by == "size":
            numbers.reverse()
        cells.append([_location(row), escaped(row.task), *numbers, _when(row.made)])
    name = "Slowest outputs" if by == "seconds" else "Largest outputs"
    return _table(name, columns, cells) if cells else ""


def _location(row: Row) -> str:
    arguments = f'<small class="soft">{escaped(row.arguments)}</small>' if row.arguments else ""
    return f"<code>{escaped(row.location)}</code>{arguments}"


def _failures(report: Report) -> str:
    failures = report.failures
    if not failures.calls:
        return ""
    found = "".join(_failure_group(number, group) for number, group in enumerate(failures.groups))
    left = failures.left_out
    more = (
        f'<p class="soft">And {left:,} more kinds of failures:'
        " <code>prefectx ls --failed</code>.</p>"
        if left
        else ""
    )
    calls = "1 call" if failures.calls == 1 else f"{failures.calls:,} calls"
    return f'<p class="soft">{calls} failed the last time.</p>{found}{more}'


def _failure_group(number: int, group: FailureGroup) -> str:
    times = f' <span class="count">{group.count:,} times</span>' if group.count > 1 else ""
    error = group.error.splitlines()[0] if group.error else ""
    trace = f'<pre tabindex="0">{escaped(group.traceback)}</pre>' if group.traceback else ""
    calls = "".join(_failed_call(call, group) for call in group.calls)
    left = group.count - len(group.calls)
    more = f'<li class="soft">and {left:,} more</li>' if left else ""
    is_open = " open" if number == 0 else ""
    return (
        f'<details class="failure" id="failure-{number}"{is_open}><summary>'
        f'<strong>{escaped(group.task)}</strong>{times} <span class="bad">{escaped(error)}</span>'
        f"</summary>{trace}<ul>{calls}{more}</ul></details>\n"
    )


def _failed_call(call: FailedCall, group: FailureGroup) -> str:
    arguments = ", ".join(f"{name}={value}" for name, value in call.arguments.items())
    parts = [f"<code>{escaped(call.location or group.task)}</code>"]
    if call.made is not None:
        at = f" on {escaped(call.host)}" if call.host else ""
        parts.append(f'<small class="soft">{_when(call.made)}{at}</small>')
    told = f"{group.task}({arguments})" if arguments else call.told
    if told:
        parts.append(f'<span class="arguments">{escaped(told)}</span>')
    if call.error != group.error:
        parts.append(f'<span class="bad">{escaped(call.error.splitlines()[0])}</span>')
    if call.replay:
        parts.append(f'<code class="command">{escaped(call.replay)}</code>')
    elif call.reason:
        parts.append(f'<small class="soft">Its arguments are not kept: {escaped(call.reason)}.'
                     "</small>")  # fmt: skip
    return f"<li>{'<br>'.join(parts)}</li>\n"


def _stale(report: Report) -> str:
    found = []
    for group in report.stale[:_SHOWN_TASKS]:
        kind = f"{group.kind}: " if group.kind else ""
        outputs = "1 output" if group.outputs == 1 else f"{group.outputs:,} outputs"
        lines = "".join(
            f"<li><code>{escaped(location)}</code><br>{escaped(cause)}</li>"
            for location, cause in group.examples
        )
        left = group.outputs - len(group.examples)
        more = f'<li class="soft">and {left:,} more</li>' if left else ""
        command = f"prefectx why {shlex.quote(group.examples[0][0])}"
        found.append(
            f"<details><summary><strong>{escaped(group.task)}</strong> "
            f'<span class="warn">{escaped(kind)}{outputs}</span></summary><ul>{lines}{more}</ul>'
            f'<p><code class="command">{escaped(command)}</code></p></details>'
        )
    return "\n".join(found)


def _previews(previews: Sequence[Preview]) -> str:
    cards = "".join(_preview(preview) for preview in previews)
    return f'<div class="cards">{cards}</div>' if cards else ""


def _preview(preview: Preview) -> str:
    content = ""
    if preview.picture:
        content = f'<img src="{preview.picture}" alt="{escaped(preview.location)}">'
    elif preview.columns:
        content = _table(
            f"First rows of {escaped(preview.location)}",
            [(escaped(name), "") for name in preview.columns],
            ([escaped(cell) for cell in _padded(row, len(preview.columns))] for row in
             preview.rows),
        )  # fmt: skip
    elif preview.text:
        content = f'<pre tabindex="0">{escaped(preview.text)}</pre>'
    note = ", ".join(part for part in (in_bytes(preview.size), preview.note) if part)
    return (
        f"<figure><figcaption><code>{escaped(preview.location)}</code>"
        f'<small class="soft">{escaped(preview.task)}, {escaped(note)}</small></figcaption>'
        f"{content}</figure>\n"
    )


def _padded(row: Sequence[str], length: int) -> list[str]:
    return [*row[:length], *[""] * (length - len(row))]


def _timeline(report: Report) -> str:
    if not report.sessions:
        return ""
    choices = "".join(
        f'<option value="{number}">{escaped(_session_name(session))}</option>'
        for number, session in enumerate(report.sessions)
    )
    colours = _colours(report)
    legend = "".join(
        f'<li><i class="c{colour}"></i>{escaped(report.task_names[task])}</li>'
        for task, colour in sorted(colours.items(), key=lambda pair: pair[1])
    )
    is_mixed = any(bar.task is None for session in report.sessions for bar in session.bars)
    is_grey = is_mixed or len(report.task_names) > len(colours)
    others = '<li><i class="c8"></i>other or several tasks</li>' if is_grey else ""
    failed = '<li><i class="cf"></i>failed</li>' if report.failures.found else ""
    return f"""<noscript><p>The timeline is drawn by a script.</p></noscript>
<div class="controls"><label>Session <select id="session">{choices}</select></label>
<span role="group" aria-label="Zoom"><button type="button" data-zoom="2">Zoom in</button>
<button type="button" data-zoom="0.5">Zoom out</button>
<button type="button" data-zoom="0">Whole session</button></span></div>
<ul class="legend">{legend}{others}{failed}</ul>
<div id="lanes" class="scroll" tabindex="0" role="group" aria-label="Calls over time, by process. \
Arrow keys go from call to call, plus and minus zoom, Enter leads to a failure."></div>
<p id="call" aria-live="polite" class="soft">Choose a bar to see its call.</p>"""


def _session_name(session: Session) -> str:
    processes = len(session.processes)
    where = f" in {processes:,} processes" if processes > 1 else ""
    failed = f", {session.failed:,} failed" if session.failed else ""
    took = in_words(session.ended - session.began)
    calls = "1 call" if session.calls == 1 else f"{session.calls:,} calls"
    return f"{_clock(session.began)}, {took}: {calls}{where}{failed}"


def _colours(report: Report) -> dict[int, int]:
    """Return the colours of the tasks that took longest, in the order of the graph."""
    order = {task.name: position for position, task in enumerate(report.tasks)}
    longest = sorted(report.tasks, key=lambda task: -task.seconds)[:_COLOURS]
    named = sorted((task.name for task in longest), key=order.__getitem__)
    number = {name: index for index, name in enumerate(report.task_names)}
    return {number[name]: colour for colour, name in enumerate(named) if name in number}


def _outputs(report: Report) -> str:
    if not report.rows:
        return ""
    tasks = sorted({row.task for row in report.rows})
    states = [name for name in STATUSES if any(row.status == name for row in report.rows)]
    left = report.outputs - len(report.rows)
    more = (
        f'<p class="soft">{len(report.rows):,} of {report.outputs:,} outputs: those that are not'
        " finished, then the latest. <code>prefectx ls</code> lists all.</p>"
        if left
        else ""
    )
    columns = (("location", "output", ""), ("task", "task", ""), ("status", "state", ""),
               ("size", "size", "n"), ("seconds", "took", "n"), ("made", "made", "n"))  # fmt: skip
    head = "".join(
        f'<th scope="col" class="{kind}" aria-sort="none"><button type="button" data-sort="{key}">'
        f"{name}</button></th>"
        for key, name, kind in columns
    )
    return f"""<noscript><p>The list of outputs is drawn by a script.</p></noscript>{more}
<div class="controls"><label>Search <input type="search" id="search" \
placeholder="location or argument"></label>
<label>Task <select id="of-task"><option value="">all</option>{_options(tasks)}</select></label>
<label>State <select id="of-status"><option value="">all</option>{_options(states)}</select></label>
</div>
<div class="scroll" tabindex="0" role="region" aria-label="List of outputs"><table id="list">\
<thead><tr>{head}</tr></thead><tbody></tbody></table></div>
<div class="controls pages"><button type="button" id="before">Before</button>
<span id="which" aria-live="polite"></span><button type="button" id="next">Next</button></div>"""


def _options(names: Iterable[str]) -> str:
    return "".join(f'<option value="{escaped(n)}">{escaped(n)}</option>' for n in names)


def _data(report: Report) -> dict[str, Any]:
    """Return what the script draws."""
    colours = _colours(report)
    number = {name: index for index, name in enumerate(report.task_names)}
    columns = list(zip(*report.rows, strict=True)) or [()] * len(Row._fields)
    values: Mapping[str, Sequence[Any]] = dict(zip(Row._fields, columns, strict=True))
    return {
        "tasks": [clean(name) for name in report.task_names],
        "colours": [colours.get(index, _COLOURS) for index in range(len(report.task_names))],
        "statuses": list(STATUSES),
        "sessions": [_session(report, session) for session in report.sessions],
        "rows": {
            "location": [clean(text) for text in values["location"]],
            "task": [number[name] for name in values["task"]],
            "status": [STATUSES.index(name) for name in values["status"]],
            "size": values["size"],
            "seconds": values["seconds"],
            "made": [_clock(made) for made in values["made"]],
            "arguments": [clean(text) for text in values["arguments"]],
            "causes": {str(index): [clean(text) for text in texts]
                       for index, texts in enumerate(values["causes"]) if texts},
        },
    }  # fmt: skip


def _session(report: Report, session: Session) -> dict[str, Any]:
    return {
        "began": session.began,
        "seconds": round(session.ended - session.began, 4),
        "left": session.left_out,
        "processes": [_process(report, process) for process in session.processes],
        # Lane, start and length in tenths of milliseconds, task, row or failure, count, seconds.
        "bars": list(chain.from_iterable(
            (bar.lane, round((bar.began - session.began) * 1e4),
             round((bar.ended - bar.began) * 1e4), -1 if bar.task is None else bar.task,
             (report.group_of if report.calls.failed[bar.call] else report.row_of).get(
                 bar.call, -1),
             -bar.calls if report.calls.failed[bar.call] else bar.calls, round(bar.seconds, 3))
            for bar in session.bars
        )),
    }  # fmt: skip


def _process(report: Report, process: Process) -> dict[str, Any]:
    facts = report.runs[process.number]
    parts = str(facts.get("run", "")).split("-")
    # A run is named by its time, the number of its process, and something random.
    label = f"{facts.get('host', 'unknown host')}, process {parts[1] if len(parts) == 3 else '?'}"
    versions = ", ".join(f"{n} {facts[n]}" for n in ("python", "prefectx") if n in facts)
    return {
        "label": clean(label),
        "versions": clean(versions),
        "lanes": process.lanes,
        "calls": process.calls,
        "seconds": round(process.seconds, 3),
    }
