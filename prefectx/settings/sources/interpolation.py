"""`${NAME}` and `${NAME:-default}` in the texts of a file: environment variables."""

from __future__ import annotations

import re
from collections.abc import Mapping

from prefectx.settings.messages.positions import KeyPath

Mistakes = dict[KeyPath, str]

_REFERENCE = re.compile(
    r"(?P<literal>\$\$\{)|\$\{(?:(?P<name>[A-Za-z_]\w*)(?::-(?P<default>[^}]*))?\}|(?P<other>))"
)
_FORMS = "write ${NAME} or ${NAME:-default} for a variable, and $${ for the text itself"


def interpolated(values: object, environ: Mapping[str, str]) -> tuple[object, Mistakes]:
    """Put environment variables in the place of their names.

    As in a shell, a variable that is empty counts as set, but its default comes before it.

    Parameters:
        values: nested tables and lists.
        environ: the environment.

    Returns:
        The same with their texts filled, without those that cannot be; and what is wrong with
        these, by path.
    """
    mistakes: Mistakes = {}
    return _filled(values, (), environ, mistakes), mistakes


def _filled(value: object, path: KeyPath, environ: Mapping[str, str], mistakes: Mistakes) -> object:
    if isinstance(value, dict):
        inside: list[tuple[str | int, object]] = list(value.items())
    elif isinstance(value, list):
        inside = list(enumerate(value))
    elif isinstance(value, str) and "${" in value:
        return _text(value, path, environ, mistakes)
    else:
        return value
    filled = {key: _filled(part, (*path, key), environ, mistakes) for key, part in inside}
    kept = {key: part for key, part in filled.items() if (*path, key) not in mistakes}
    return kept if isinstance(value, dict) else list(kept.values())


def _text(text: str, path: KeyPath, environ: Mapping[str, str], mistakes: Mistakes) -> str:
    def fill(found: re.Match[str]) -> str:
        if found["literal"]:
            return "${"
        name, default = found["name"], found["default"]
        if name is None:
            mistakes[path] = f"a reference to a variable is not complete; {_FORMS}"
            return ""
        if default is not None:
            return environ.get(name) or default
        if name not in environ:
            mistakes[path] = (
                f"the environment variable {name} is not set; set it, or write ${{{name}:-default}}"
                f" ($${{ stands for the text ${{ itself)"
            )
        return environ.get(name, "")

    return _REFERENCE.sub(fill, text)
