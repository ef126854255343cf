"""The errors that a caller may want to catch; each names the thing, what was wrong, what to do."""

from typing import Any


class PrefectxError(Exception):
    """Whatever prefectx itself raises."""


class ConfigError(PrefectxError):
    """The configuration is wrong; the message lists every mistake that was found.

    Attributes:
        problems: the mistakes one by one, each with `place`, `key` and `message`; may be empty.
    """

    problems: tuple[Any, ...] = ()


class MissingDependencyError(PrefectxError, ImportError):
    """A package that a chosen store, format or runner needs is not installed."""


class TargetError(PrefectxError):
    """A target cannot be filled, leaves its folder, or is claimed by two different calls."""


class StoreError(PrefectxError):
    """A store cannot do what was asked: look, save, load or delete."""


class SaveError(StoreError):
    """An output could not be saved; what was there before is as it was."""


class CorruptItemError(StoreError):
    """A saved output cannot be read back."""


class UpstreamError(PrefectxError):
    """A call was not run because one of its inputs failed."""


class ServerError(PrefectxError):
    """The Prefect API that was chosen does not answer."""


class WorkerError(PrefectxError):
    """A call has no result: its worker died while running it, or could not run it."""
