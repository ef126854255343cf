"""What is counted and measured, in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Protocol


class Counts(Protocol):
    """The calls of one task: `TaskSummary`."""

    skipped: int
    running: int
    ran: int
    failed: int
    not_run: int
    not_needed: int
    deleted: int
    longest: float


def in_words(seconds: float) -> str:
    """Format a duration: `0.12 s`, `45 s`, `3 min 20 s`, `2 h 5 min`."""
    if seconds < 10:
        return f"{seconds:.2f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def in_bytes(size: int | None) -> str:
    """Format a size: `12 B`, `3.4 kB`, `1.2 GB`."""
    if size is None:
        return ""
    number, unit = float(size), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if number < 999.5:
            break
        number, unit = number / 1000, larger
    return f"{size} B" if unit == "B" else f"{number:.3g} {unit}"


def stale_line(task: str, outputs: Mapping[str, Sequence[str]]) -> str:
    """Return a line on the stale outputs of a task that were kept.

    Parameters:
        task: the name of the task.
        outputs: the causes in words, by location.
    """
    count = len(outputs)
    reasons = Counter(cause for causes in outputs.values() for cause in causes)
    shown = "; ".join(
        cause if times == 1 else f"{cause} ({times:,} times)"
        for cause, times in reasons.most_common(3)
    )
    more = f"; and {len(reasons) - 3:,} more reasons" if len(reasons) > 3 else ""
    were = "1 stale output was kept" if count == 1 else f"{count:,} stale outputs were kept"
    them = "it" if count == 1 else "them"
    return f'{task}: {were} ({shown}{more}): stale = "rerun" makes {them} anew'


def counts_in_words(counts: Counts) -> str:
    """Return how many calls of a task ended how: `2 skipped, 1 ran, the longest 0.12 s`."""
    parts = [
        f"{count:,} {word}"
        for count, word in (
            (counts.skipped, "skipped"),
            (counts.running, "not over"),
            (counts.ran, "ran"),
            (counts.failed, "failed"),
            (counts.not_run, "not run, as an input failed"),
            (counts.not_needed, "not needed"),
            (counts.deleted, "deleted after use"),
        )
        if count
    ]
    longest = f", the longest {in_words(counts.longest)}" if counts.ran else ""
    return ", ".join(parts) + longest
