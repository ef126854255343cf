"""Reports: what happened, as one page; the tasks and their data flow, as a graph."""

from prefectx.reports.collecting import collect
from prefectx.reports.drawing import drawn
from prefectx.reports.facts import Report
from prefectx.reports.graph import TaskGraph, task_graph
from prefectx.reports.page import page
from prefectx.reports.writing import write, write_after_run, write_page

__all__ = [
    "Report",
    "TaskGraph",
    "collect",
    "drawn",
    "page",
    "task_graph",
    "write",
    "write_after_run",
    "write_page",
]
