"""The errors that a caller may want to catch. Each names the thing, the problem, and a remedy."""

from typing import Any


class PrefectxError(Exception):
    """Base class of all errors that prefectx raises."""


class ConfigError(PrefectxError):
    """The configuration is wrong; the message lists every mistake.

    Attributes:
        problems: the mistakes one by one, each with `place`, `key` and `message`; may be empty.
    """

    problems: tuple[Any, ...] = ()  # of `Problem` in settings, which imports this module


class MissingDependencyError(PrefectxError, ImportError):
    """A package that a chosen store, format or runner needs is not installed."""


class TargetError(PrefectxError):
    """A target cannot be filled, leaves its folder, or is claimed by two different calls."""


class StaleError(PrefectxError):
    """An output was made from something else than what it would be made from now."""


class StoreError(PrefectxError):
    """A store failed to look for, save, load or delete an output."""


class SaveError(StoreError):
    """An output could not be saved; an earlier output at its place is unchanged."""


class CorruptItemError(StoreError):
    """A saved output cannot be read back."""


class UpstreamError(PrefectxError):
    """A call was not run because one of its inputs failed."""


class ServerError(PrefectxError):
    """The chosen Prefect API does not answer."""


class WorkerError(PrefectxError):
    """A call has no result: its worker died, or could not run it."""
