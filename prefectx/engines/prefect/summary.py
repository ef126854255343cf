"""Reports how the calls of a flow run ended: in its log, and as a table in Prefect's UI."""

from __future__ import annotations

import json
import re
from typing import cast

import httpx
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import ArtifactCreate
from prefect.client.schemas.objects import FlowRun
from prefect.exceptions import PrefectException
from prefect.logging.loggers import flow_run_logger
from prefect.settings import temporary_settings

from prefectx.monitoring.summary import RunSummary
from prefectx.monitoring.words import in_words, stale_line

_SHOWN_FAILURES = 100


def sum_up(summary: RunSummary) -> None:
    """Log how the calls of a flow run ended, and send a table to its page in Prefect's UI.

    Parameters:
        summary: the counts; their engine run is Prefect's flow run.
    """
    run = cast(FlowRun, summary.engine_run)
    log = flow_run_logger(run)
    for line in summary.lines():
        log.info("%s", line)
    try:
        # Without retries: the run is over, and must not wait for a server that is away.
        with temporary_settings({"client.max_retries": 0}), get_client(sync_client=True) as client:
            client.create_artifact(_artifact(summary, run))
    except (httpx.HTTPError, PrefectException, RuntimeError) as error:
        log.warning("The table of this run could not be sent: %s", error)


def _artifact(summary: RunSummary, run: FlowRun) -> ArtifactCreate:
    return ArtifactCreate(
        key=f"prefectx-{re.sub('[^a-z0-9]+', '-', summary.flow.lower()).strip('-') or 'flow'}",
        type="table",
        description=_description(summary),
        data=json.dumps(_rows(summary)),
        flow_run_id=run.id,
    )


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
