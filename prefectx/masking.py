"""Hides passwords, tokens and other secrets in text."""

from __future__ import annotations

import re
from collections.abc import Mapping

MASK = "***"

_KEYS = r"(?:api|access|private|signing|account|shared|encryption)_?key"
_WORDS = rf"(?:passw(?:or)?d|pwd|passphrase|secret|token(?!i)|{_KEYS}|credential)"
_NAME = re.compile(rf"(?i){_WORDS}")
_IN_URL = re.compile(r"(://[^\s:/@\"']*:)[^\s\"']+(@)")
_IN_QUERY = re.compile(rf"(?i)([?&;][\w-]*{_WORDS}[\w-]*=)[^&;\s\"']+")
_ASSIGNED = re.compile(
    rf"(?i)([\w.-]*{_WORDS}[\w-]*\"?'?\s*[=:]\s*)(\"[^\"]*\"|'[^']*'|[^\s,}}\]]+)"
)


def is_secret(key: str) -> bool:
    """Return whether the name of a key says that its value is secret."""
    return _NAME.search(key) is not None


def mask_urls(text: str) -> str:
    """Hide passwords in URLs."""
    if "://" not in text:
        return text
    return _IN_QUERY.sub(rf"\1{MASK}", _IN_URL.sub(rf"\1{MASK}\2", text))


def mask(text: str) -> str:
    """Hide passwords in URLs and values assigned to secret names (`token = "x"`)."""
    return _ASSIGNED.sub(rf'\1"{MASK}"', mask_urls(text))


def masked(value: object, key: str = "") -> object:
    """Return `value` with its secrets hidden, also those in tables and lists."""
    # pydantic's SecretStr and SecretBytes, without importing them.
    is_wrapped = hasattr(value, "get_secret_value")
    if is_wrapped or (is_secret(key) and value is not None):
        return MASK
    if isinstance(value, Mapping):
        return {name: masked(part, str(name)) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(masked(part, key) for part in value)
    return mask(value) if isinstance(value, str) else value
