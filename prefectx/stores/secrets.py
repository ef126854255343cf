"""Settings of stores that hold passwords: workers get them, saved outputs do not."""

from __future__ import annotations

from collections.abc import Iterable
from contextvars import ContextVar
from typing import Generic, TypeVar, cast

from prefectx.errors import ConfigError
from prefectx.masking import masked

Value = TypeVar("Value", bound=object)

# True while an output is pickled, which others may read: secrets are left out. Any other pickle is
# a message to a process of the same user.
WITHHELD: ContextVar[bool] = ContextVar("prefectx_withheld", default=False)


class KnownSecrets:
    """The secret settings of the stores that this process made, by what is shown of them."""

    def __init__(self) -> None:
        self._values: dict[str, object] = {}

    def add(self, shown: object, value: object) -> None:
        """Remember a setting."""
        self._values[repr(shown)] = value

    def find(self, shown: object) -> object:
        """Return the setting of which this is shown, None if unknown."""
        # Slow to import, and needed only where an item of a saved output is used.
        from prefectx import settings

        defined = settings.current().stores.values()
        given: Iterable[object] = (v for each in defined for v in each.arguments.values())
        for value in given:
            if masked(value) == shown:
                return value
        return self._values.get(repr(shown))

    def reset(self) -> None:
        """Forget all settings."""
        self._values.clear()


KNOWN = KnownSecrets()


class Secret(Generic[Value]):
    """A setting that may hold passwords, such as a URL or the options of a client.

    Pickled in an output it has no secrets. They come from the store in this process's
    configuration of which the same is shown, or from one that was made in this process.

    Parameters:
        value: the setting.
    """

    def __init__(self, value: Value) -> None:
        self._value: Value | None = value
        self.shown: object = masked(value)
        if self.shown != value:
            KNOWN.add(self.shown, value)

    def get(self) -> Value:
        """Return the setting.

        Raises:
            ConfigError: it came with an output, and this process does not have its secrets.
        """
        if self._value is None:
            found = KNOWN.find(self.shown)
            if found is None:
                raise ConfigError(
                    f"this process does not have the password of {self.shown}: an item in a saved "
                    "output comes without it. Define a store with the same setting, and with the "
                    "password, as [stores.NAME]"
                )
            self._value = cast(Value, found)
        assert self._value is not None
        return self._value

    def __getstate__(self) -> dict[str, object]:
        is_kept = WITHHELD.get() and self._value != self.shown
        return {"_value": None if is_kept else self._value, "shown": self.shown}

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret) or self.shown != other.shown:
            return False
        return None in (self._value, other._value) or self._value == other._value

    def __hash__(self) -> int:
        return hash(repr(self.shown))

    def __repr__(self) -> str:
        return f"Secret({self.shown!r})"
