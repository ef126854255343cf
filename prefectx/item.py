"""Item, a reference to an output, and Store, the base class of places that keep outputs.

In one file, as each is described by the other; it is long by its docstrings.
"""

from __future__ import annotations

import html
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, NamedTuple, NoReturn, cast

from typing_extensions import TypeVar

from prefectx.lazy_outputs import lazy_output
from prefectx.masking import MASK, is_secret, mask_urls
from prefectx.planned_outputs import planned

R_co = TypeVar("R_co", covariant=True, default=Any)


@dataclass(frozen=True, slots=True)
class ItemInfo:
    """What a store knows of an output without reading it.

    Attributes:
        size: stored size in bytes, None if unknown.
        saved: time of saving, with time zone, None if unknown.
    """

    size: int | None = None
    saved: datetime | None = None


# Size in bytes and time of change in nanoseconds, each None if the store does not know it.
OutputState = tuple[int | None, int | None]


class Written(NamedTuple):
    """What was written, before it becomes the output.

    Attributes:
        version: a fingerprint of its bytes.
        size: their number.
        mtime: the file's time of change in nanoseconds, None if it will have another one.
    """

    version: str
    size: int
    mtime: int | None


# Takes what a store has written, just before it becomes the output; stores may leave it out.
WRITTEN: ContextVar[Callable[[Written], None] | None] = ContextVar("prefectx_written", default=None)


class Store(ABC):
    """A place that keeps outputs. Subclass it and write the four abstract methods.

    A store is small and picklable, as every item holds its store. Two stores of one class with
    equal attributes are equal.
    """

    @abstractmethod
    def exists(self, location: str) -> bool:
        """Tell whether a complete output is at `location`."""

    @abstractmethod
    def save(self, location: str, data: object) -> None:
        """Save `data` at `location`, completely or not at all; replace an earlier output.

        Raises:
            SaveError: if it cannot be saved; an earlier output stays.
        """

    @abstractmethod
    def load(self, location: str) -> Any:
        """Read the output at `location`.

        Raises:
            FileNotFoundError: if there is none.
            CorruptItemError: if it cannot be read.
        """

    @abstractmethod
    def delete(self, location: str) -> None:
        """Delete the output at `location`, if there is one."""

    def exists_many(self, locations: Iterable[str]) -> set[str]:
        """Return those of `locations` that exist; override it if asking one by one is slow."""
        return {location for location in locations if self.exists(location)}

    def list(self, prefix: str = "") -> Iterator[str]:
        """Yield the locations that begin with `prefix`.

        Raises:
            NotImplementedError: if the store cannot list.
        """
        raise NotImplementedError(f"{type(self).__name__} cannot list its outputs")

    def info(self, location: str) -> ItemInfo:
        """Return size and time of the output at `location`, as far as the store knows them."""
        return ItemInfo()

    def version(self, location: str) -> str | None:
        """Return what changes whenever the output at `location` does, None if nothing is known.

        By default its size and time of saving.
        """
        info = self.info(location)
        if info.saved is None:
            return None
        return f"{info.size}-{info.saved.timestamp():.6f}"

    def check(self, location: str) -> None:  # noqa: B027  # most stores have nothing to check
        """Tell before anything runs that nothing can be kept at `location`; it must be cheap.

        Raises:
            StoreError: if nothing can, as its bucket does not exist.
        """

    def locate(self, root: str, target: str) -> str:
        """Return the location of a filled target; a store without files ignores `root`."""
        return target

    def suffix(self, location: str) -> str:
        """Return the suffix of the location that says its format (`.json.gz`)."""
        return ""

    def lock(self, location: str) -> AbstractContextManager[None]:
        """Return a context manager that holds the lock of `location`, on all hosts.

        The lock ends with the process that holds it, even if that is killed.

        Raises:
            NotImplementedError: if the store has no locks.
        """
        raise NotImplementedError(
            f"lock = true is not possible in {self!r}, which has no locks: choose another store, "
            "or write its method `lock`"
        )

    def aside(self, location: str) -> AbstractContextManager[str]:
        """Return a context for a function that writes the output at `location` itself.

        It gives the location to write to; what is there becomes the output when the block ends
        without an error. A store that cannot do that gives `location`.
        """
        return nullcontext(location)

    def fspath(self, location: str) -> str:
        """Return the local path of `location`.

        Raises:
            TypeError: if it is not a local file.
        """
        raise TypeError(f"{location!r} in {self!r} is not a local file")

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and vars(self) == vars(other)

    def __hash__(self) -> int:
        return hash(type(self))

    def __repr__(self) -> str:
        settings = ", ".join(
            f"{key}={MASK if is_secret(key) and isinstance(value, str) else value!r}"
            for key, value in vars(self).items()
            if not key.startswith("_")
        )
        return mask_urls(f"{type(self).__name__}({settings})")


# Compared with an item only by mistake, by who takes it for its data.
_PLAIN = (int, float, complex, str, bytes, bytearray, list, tuple, dict, set, frozenset)
# What data can do and a reference cannot.
_OPERATORS = (
    "bool len iter reversed contains getitem setitem delitem lt le gt ge int float complex "
    "round neg pos abs invert add radd sub rsub mul rmul matmul rmatmul truediv rtruediv floordiv "
    "rfloordiv mod rmod divmod rdivmod pow rpow lshift rlshift rshift rrshift and rand or ror "
    "xor rxor"
)


class Item(Generic[R_co]):
    """A reference to an output: its store and its location, but not its data.

    What only data can do, such as `len`, iteration, arithmetic, or a comparison with plain data, is
    a `TypeError`.

    Parameters:
        store: the store of the output.
        location: its path, URL or key there.
        version: the fingerprint of the bytes that it stands for, None if unknown.
        state: size and time of change, in nanoseconds, of what has this version.
    """

    __slots__ = ("__weakref__", "_location", "_state", "_store", "_version")

    def __init__(
        self,
        store: Store,
        location: str,
        version: str | None = None,
        state: OutputState | None = None,
    ) -> None:
        self._store = store
        self._location = location
        self._version = version
        self._state = state

    @property
    def store(self) -> Store:
        """The store of the output."""
        return self._store

    @property
    def location(self) -> str:
        """Its path, URL or key there."""
        return self._location

    @property
    def version(self) -> str | None:
        """The fingerprint of the bytes that it stands for, None if unknown."""
        return self._version

    @property
    def state(self) -> OutputState | None:
        """Size in bytes and time of change in nanoseconds of what has this version."""
        return self._state

    def stands_for(self, version: str | None, state: OutputState | None) -> None:
        """Take note of the version that was made or found, and the state of what has it."""
        self._version = version
        self._state = state

    @property
    def name(self) -> str:
        """The last part of the location: `a.json` of `working/a.json`."""
        return self.location.rstrip("/").rpartition("/")[2]

    @property
    def stem(self) -> str:
        """The name without the suffix of its format: `a` of `working/a.json`."""
        return self.name.removesuffix(self.store.suffix(self.location)) or self.name

    def exists(self) -> bool:
        """Tell whether the output exists."""
        plan = planned()
        known = None if plan is None else plan.exists(self)
        return self.store.exists(self.location) if known is None else known

    def load(self) -> R_co:
        """Read the output; that of a lazy call is made first."""
        lazy = lazy_output(self)
        if lazy is not None:
            lazy.make()
        self._check_planned()
        return cast(R_co, self.store.load(self.location))

    def save(self, data: object) -> None:
        """Save `data` as the output, or replace it; a plan only takes note of it."""
        plan = planned()
        if plan is not None:
            plan.save(self)
        else:
            self.store.save(self.location, data)

    def delete(self) -> None:
        """Delete the output, so that its task runs again; a plan only takes note of it."""
        plan = planned()
        if plan is not None:
            plan.delete(self)
        else:
            self.store.delete(self.location)

    def info(self) -> ItemInfo:
        """Return its size and the time of saving."""
        self._check_planned()
        return self.store.info(self.location)

    @property
    def final(self) -> Item[R_co]:
        """The output that exists, for functions that continue one: the item itself.

        It differs for the item that `current_target()` gives, which lies aside until the function
        has returned.
        """
        return self

    def _check_planned(self) -> None:
        plan = planned()
        if plan is not None:
            plan.check(self)

    def __fspath__(self) -> str:
        self._check_planned()
        return self.store.fspath(self.location)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Item):
            if isinstance(other, _PLAIN):
                self._is_no_data()
            return NotImplemented
        return self.location == other.location and self.store == other.store

    def __hash__(self) -> int:
        return hash(self.location)

    def _is_no_data(self, *_: object) -> NoReturn:
        raise TypeError(
            f"{self!r} refers to an output and is not its data: use prefectx.load(...) to get the "
            "data, or give the item to a task, which receives its data"
        )

    def __reduce__(self) -> tuple[type[Item[R_co]], tuple[object, ...]]:
        if self._version is None:
            return Item, (self.store, self.location)
        return Item, (self.store, self.location, self._version, self._state)

    def __repr__(self) -> str:
        return f"Item({mask_urls(self.location)!r})"

    def _repr_html_(self) -> str:
        info = self.info() if self.exists() else None
        state = "not there" if info is None else f"{info.size or 0:,} bytes, saved {info.saved}"
        location, state = html.escape(mask_urls(self.location)), html.escape(state)
        return f"<code>{location}</code> <small>{state}</small>"


for _operator in _OPERATORS.split():
    setattr(Item, f"__{_operator}__", Item._is_no_data)
