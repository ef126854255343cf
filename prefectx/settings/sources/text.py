"""Texts of variables and options, as values of keys that have no type."""

from __future__ import annotations

import json


def like(known: object, text: str) -> object:
    """Return the value of a variable: a list or table in JSON, else text: 1.10 is no 1.1.

    Where the file has a number, true or false, one that prints as the text is of that type too.
    """
    if text.lstrip().startswith(("[", "{")):
        return decoded(text)
    value = as_printed(text)
    return value if known is not None and type(value) is type(known) else text


def as_printed(text: str) -> object:
    """Return the value of JSON text if it prints as that text again, or is a list or a table."""
    value = decoded(text)
    is_same = isinstance(value, (list, dict)) or json.dumps(value) == text
    return value if is_same else text


def decoded(text: str) -> object:
    """Return the value of JSON text; any other text as it is."""
    try:
        value: object = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return value
