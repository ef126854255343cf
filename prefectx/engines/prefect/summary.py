"""Reports how the calls of a flow run ended: in its log, and as a table in Prefect's UI."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import cast
from urllib.parse import quote

import httpx
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import ArtifactCreate
from prefect.client.schemas.objects import FlowRun
from prefect.exceptions import PrefectException
from prefect.logging.loggers import flow_run_logger
from prefect.settings import temporary_settings

from prefectx.masking import mask_urls
from prefectx.monitoring.summary import RunSummary
from prefectx.monitoring.words import in_words, stale_line

_SHOWN_FAILURES = 100
# What stays as it is in a link; a closing bracket would end it.
_IN_URLS = "%/:?&=#@+,;~"


def sum_up(summary: RunSummary) -> None:
    """Log how the calls of a flow run ended, and send a table to its page in Prefect's UI.

    Parameters:
        summary: the counts; their engine run is Prefect's flow run.
    """
    run = cast(FlowRun, summary.engine_run)
    log = flow_run_logger(run)
    for line in summary.lines():
        log.info("%s", line)
    table = ArtifactCreate(
        key=_key(summary),
        type="table",
        description=_description(summary),
        data=json.dumps(_rows(summary)),
        flow_run_id=run.id,
    )
    _send(table, run, "table")


def link_report(summary: RunSummary, place: str) -> None:
    """Send a link to the page of a flow run to its page in Prefect's UI.

    Parameters:
        summary: the counts; their engine run is Prefect's flow run, None if it never began.
        place: the path or URL of the page.
    """
    if summary.engine_run is None:
        return
    run = cast(FlowRun, summary.engine_run)
    shown = mask_urls(place)
    # Browsers do not follow a link from a server to a file: the path says where it is.
    url = shown if "://" in place else Path(place).as_uri()
    link = ArtifactCreate(
        key=f"{_key(summary)}-report",
        type="markdown",
        description=f"Report of the flow `{summary.flow}`",
        data=f"[Report of this run]({quote(url, safe=_IN_URLS)})\n\n`{shown}`",
        flow_run_id=run.id,
    )
    _send(link, run, "link to the report")


def _send(artifact: ArtifactCreate, run: FlowRun, name: str) -> None:
    try:
        # Without retries: the run is over, and must not wait for a server that is away.
        with temporary_settings({"client.max_retries": 0}), get_client(sync_client=True) as client:
            client.create_artifact(artifact)
    except (httpx.HTTPError, PrefectException, RuntimeError) as error:
        flow_run_logger(run).warning("The %s of this run could not be sent: %s", name, error)


def _key(summary: RunSummary) -> str:
    return f"prefectx-{re.sub('[^a-z0-9]+', '-', summary.flow.lower()).strip('-') or 'flow'}"


def _rows(summary: RunSummary) -> list[dict[str, str | int]]:
    return [
        {
            "task": name,
            "skipped": counts.skipped,
            "ran": counts.ran,
            "failed": counts.failed,
            "stale": len(summary.stale.get(name, ())),
            "longest": in_words(counts.longest) if counts.ran else "",
        }
        for name, counts in summary.tasks.items()
    ]


def _description(summary: RunSummary) -> str:
    lines = [f"Calls of the flow `{summary.flow}`"]
    for task, target, reason, _ in summary.failures[:_SHOWN_FAILURES]:
        lines.append(f"- `{task}` failed, target `{target}`: {reason.splitlines()[0]}")
    left = len(summary.failures) - _SHOWN_FAILURES
    lines += [f"- and {left} more"] if left > 0 else []
    lines += [f"- {stale_line(task, outputs)}" for task, outputs in summary.stale.items()]
    return "\n".join(lines)
