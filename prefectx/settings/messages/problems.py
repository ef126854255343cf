"""Mistakes in the configuration, collected and reported together."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from prefectx.errors import ConfigError
from prefectx.settings.messages.origins import Place


@dataclass(frozen=True, slots=True)
class Problem:
    """A mistake.

    Attributes:
        place: where it was made.
        key: the dotted key, or "".
        message: what is wrong and how to correct it.
    """

    place: Place
    key: str
    message: str

    def __str__(self) -> str:
        parts = (self.place.name, self.key, self.message)
        return ": ".join(part for part in parts if part)


# A key that TOML takes without quotes.
_BARE = re.compile(r"[A-Za-z0-9_-]+")


def raise_problems(problems: Sequence[Problem]) -> None:
    """Raise one ConfigError for all `problems`, if there are any."""
    if not problems:
        return
    lines = [str(problem) for problem in problems]
    if len(lines) > 1:
        lines = [f"{len(lines)} mistakes in the configuration:", *(f"  {line}" for line in lines)]
    error = ConfigError("\n".join(lines))
    error.problems = tuple(problems)
    raise error


def dotted(path: Iterable[str | int]) -> str:
    """Write a path as TOML does: `tasks."load_*".target`."""
    parts = map(str, path)
    return ".".join(
        part if _BARE.fullmatch(part) else json.dumps(part, ensure_ascii=False) for part in parts
    )
