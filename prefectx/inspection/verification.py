"""Reads outputs, and compares them with their records."""

from __future__ import annotations

from typing import Literal, NamedTuple

from prefectx.errors import PrefectxError
from prefectx.inspection.output import Output
from prefectx.records import read_version

Finding = Literal["intact", "missing", "edited", "damaged", "unknown"]


class Verified(NamedTuple):
    """What is at a location.

    Attributes:
        output: the output.
        finding: intact: just what was saved; missing: nothing; edited: something else that can be
            read; damaged: something else that cannot; unknown: the record has no version.
        reason: why, in words.
    """

    output: Output
    finding: Finding
    reason: str = ""


def verify(output: Output) -> Verified:
    """Read an output, and compare it with its record."""
    if not output.exists:
        return Verified(output, "missing", "it was made, and is not there any more")
    version = read_version(output.item)
    recorded = {each.version for each in output.records.find(output.item)}
    if version is not None and version in recorded:
        return Verified(output, "intact")
    try:
        output.item.load()
    except (PrefectxError, OSError) as error:
        return Verified(output, "damaged", str(error))
    if recorded == {None} or version is None:
        return Verified(output, "unknown", "its record does not tell which bytes it had")
    return Verified(output, "edited", "it is not what its task saved, and can be read")
