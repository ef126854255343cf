"""How names and values look in messages; the nearest known name for a misspelt one."""

from __future__ import annotations

import json
from collections.abc import Iterable
from difflib import get_close_matches

from prefectx.masking import mask


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that `name` was probably meant to be, or None."""
    lowered = {candidate.lower(): candidate for candidate in known}
    found = get_close_matches(name.lower(), lowered, n=1, cutoff=0.6)
    return lowered[found[0]] if found else None


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return `; did you mean "x"?` for the nearest known name, or ""."""
    found = nearest(name, known)
    return f'; did you mean "{found}"?' if found else ""


def show(value: object, limit: int | None = 60) -> str:
    """Write a value as in the file, with its secrets hidden, cut at `limit` characters if any."""
    try:
        text = json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError):
        text = repr(value)
    text = mask(text)
    return text if limit is None or len(text) <= limit else f"{text[: limit - 1]}…"
