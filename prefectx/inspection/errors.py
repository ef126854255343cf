"""Errors of commands and of what they ask for."""

from __future__ import annotations

from prefectx.errors import PrefectxError


class UsageError(PrefectxError):
    """What was asked for does not exist, or was asked for in a wrong way."""


class NoOutputError(UsageError):
    """No output is where somebody said."""


class FlowNotFoundError(UsageError):
    """There is no such flow."""
