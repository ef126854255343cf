"""Hides secrets in values of settings."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import SecretBytes, SecretStr

from prefectx.masking import MASK, is_secret, mask

__all__ = ["MASK", "is_secret", "mask", "masked"]


def masked(value: object, key: str = "") -> object:
    """Return `value` with its secrets hidden, also those in tables and lists."""
    if isinstance(value, SecretStr | SecretBytes) or (is_secret(key) and value is not None):
        return MASK
    if isinstance(value, Mapping):
        return {name: masked(part, str(name)) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(masked(part, key) for part in value)
    return mask(value) if isinstance(value, str) else value
