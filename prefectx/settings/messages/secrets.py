"""Hides passwords, tokens and other secrets."""

from __future__ import annotations

import re
from collections.abc import Mapping

from pydantic import SecretBytes, SecretStr

MASK = "***"

_WORDS = (
    r"(?:passw(?:or)?d|pwd|passphrase|secret|token(?!i)|(?:api|access|private)_?key|credential)"
)
_NAME = re.compile(rf"(?i){_WORDS}")
_IN_URL = re.compile(r"(://[^\s:/@\"']*:)[^\s\"']+(@)")
_IN_QUERY = re.compile(rf"(?i)([?&;][\w-]*{_WORDS}[\w-]*=)[^&;\s\"']+")
_ASSIGNED = re.compile(
    rf"(?i)([\w.-]*{_WORDS}[\w-]*\"?'?\s*[=:]\s*)(\"[^\"]*\"|'[^']*'|[^\s,}}\]]+)"
)


def is_secret(key: str) -> bool:
    """Return whether the name of a key says that its value is secret."""
    return _NAME.search(key) is not None


def mask(text: str) -> str:
    """Hide passwords in URLs and values assigned to secret names (`token = "x"`)."""
    text = _IN_URL.sub(rf"\1{MASK}\2", text)
    text = _IN_QUERY.sub(rf"\1{MASK}", text)
    return _ASSIGNED.sub(rf'\1"{MASK}"', text)


def masked(value: object, key: str = "") -> object:
    """Return `value` with its secrets hidden, also those in tables and lists."""
    if isinstance(value, SecretStr | SecretBytes) or (is_secret(key) and value is not None):
        return MASK
    if isinstance(value, Mapping):
        return {name: masked(part, str(name)) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(masked(part, key) for part in value)
    return mask(value) if isinstance(value, str) else value
