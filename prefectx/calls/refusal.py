"""The error for outputs that are stale, where that is to be an error."""

from __future__ import annotations

from prefectx.calls.decision import Refuse
from prefectx.errors import PrefectxError, StaleError, TargetError
from prefectx.masking import mask_urls


def refusal(task: str, *refused: Refuse) -> PrefectxError:
    """Return the error for stale outputs of one task.

    Parameters:
        task: the name of the task.
        *refused: the decisions.
    """
    first = refused[0]
    causes = {cause.kind for cause in first.stale.causes}
    others = f", as are {len(refused) - 1} more of this task" if len(refused) > 1 else ""
    where = mask_urls(first.item.location)
    if causes == {"arguments"}:
        return TargetError(
            f"task {task!r}: {where} was made by a different call ({first.stale}){others}; add what"
            " tells the calls apart to the target, set shared = true if one output is meant for"
            ' both, or stale = { arguments = "rerun" } to replace it'
        )
    return StaleError(
        f'task {task!r}: {where} is stale ({first.stale}){others}; set stale = "rerun" to make it'
        ' anew, or "warn" to keep it'
    )
