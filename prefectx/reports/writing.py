"""Writes the page: when it is asked for, and at the end of a flow run."""

from __future__ import annotations

from prefectx.errors import PrefectxError, StoreError
from prefectx.inspection.project import Project
from prefectx.masking import mask_urls
from prefectx.monitoring.summary import RunSummary
from prefectx.reports.collecting import collect
from prefectx.reports.facts import Report
from prefectx.reports.inner_runs import with_inner_runs
from prefectx.reports.page import page
from prefectx.stores import Filestore


class ReportError(PrefectxError):
    """A report cannot be written."""


def write_page(report: Report, place: str) -> int:
    """Write the page of a report, whole or not at all.

    Parameters:
        report: the report.
        place: an absolute path or a URL.

    Returns:
        Its size in bytes.

    Raises:
        ReportError: it cannot be written there.
    """
    return write(place, page(report))


def write(place: str, text: str) -> int:
    """Write a file, whole or not at all; its folder is made.

    Parameters:
        place: an absolute path or a URL.
        text: its content.

    Returns:
        Its size in bytes.

    Raises:
        ReportError: it cannot be written there.
    """
    content = text.encode()
    try:
        Filestore(format=".bin", fsync=False).save(place, content)
    except (StoreError, OSError) as error:
        cause = error.__cause__ or error.__context__
        reason = cause.strerror if isinstance(cause, OSError) else None
        raise ReportError(f"{mask_urls(place)} cannot be written: {reason or error}") from error
    return len(content)


def write_after_run(run: RunSummary, error: BaseException | None, place: str) -> None:
    """Write the page of a flow run that has just ended.

    Parameters:
        run: its counts.
        error: the exception with which it ended, None if it returned.
        place: an absolute path or a URL.
    """
    write_page(collect(Project(), with_inner_runs(run), error), place)
