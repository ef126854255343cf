"""Item, a reference to an output, and Store, the contract for places where outputs are kept."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic

from typing_extensions import TypeVar

R_co = TypeVar("R_co", covariant=True, default=Any)


@dataclass(frozen=True, slots=True)
class ItemInfo:
    """What a store knows of an output without reading it.

    Attributes:
        size: size in bytes as it is kept, or None if the store cannot tell.
        saved: when the output was saved (with time zone), or None.
    """

    size: int | None = None
    saved: datetime | None = None


class Store(ABC):
    """Where outputs are kept and how. Subclass it and write the four abstract methods.

    A store is small and picklable: it travels to workers inside every item. Two stores of one
    class with equal attributes are the same store.
    """

    @abstractmethod
    def exists(self, location: str) -> bool:
        """Tell whether a whole output is kept at `location`."""

    @abstractmethod
    def save(self, location: str, data: object) -> None:
        """Keep `data` at `location`, replacing what is there; all of it or nothing.

        Raises:
            SaveError: if it cannot be kept; what was there before stays.
        """

    @abstractmethod
    def load(self, location: str) -> Any:
        """Read the output at `location` back.

        Raises:
            FileNotFoundError: if nothing is kept there.
            CorruptItemError: if what is kept cannot be read.
        """

    @abstractmethod
    def delete(self, location: str) -> None:
        """Remove the output at `location`; nothing happens if there is none."""

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
        """Tell size and time saved of the output at `location`, as far as the store knows."""
        return ItemInfo()

    def locate(self, root: str, target: str) -> str:
        """Turn a filled target into a location; a store that is not of files ignores `root`."""
        return target

    def suffix(self, location: str) -> str:
        """Return the part of the location's last name that says the format (`.json.gz`)."""
        return ""

    def lock(self, location: str) -> AbstractContextManager[None]:
        """Return a context in which no other thread, process or host has the lock of `location`.

        The lock ends with its holder, also when that is killed.

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
            f"{key}={value!r}" for key, value in vars(self).items() if not key.startswith("_")
        )
        return f"{type(self).__name__}({settings})"


class Item(Generic[R_co]):
    """A reference to an output: its store and its location, never its data.

    Parameters:
        store: where the output is kept.
        location: its path, URL or key there.
    """

    __slots__ = ("__weakref__", "_location", "_store")

    def __init__(self, store: Store, location: str) -> None:
        self._store = store
        self._location = location

    @property
    def store(self) -> Store:
        """Where the output is kept."""
        return self._store

    @property
    def location(self) -> str:
        """The path, URL or key of the output in its store."""
        return self._location

    @property
    def name(self) -> str:
        """The last part of the location: `a.json` of `working/a.json`."""
        return self.location.rstrip("/").rpartition("/")[2]

    @property
    def stem(self) -> str:
        """The name without the suffix that says its format: `a` of `working/a.json`."""
        name = self.name
        return name.removesuffix(self.store.suffix(self.location)) or name

    def exists(self) -> bool:
        """Tell whether the output is there."""
        return self.store.exists(self.location)

    def load(self) -> R_co:
        """Read the output."""
        data: R_co = self.store.load(self.location)
        return data

    def save(self, data: object) -> None:
        """Keep `data` as the output, replacing what is there."""
        self.store.save(self.location, data)

    def delete(self) -> None:
        """Remove the output, so that its task runs again."""
        self.store.delete(self.location)

    def info(self) -> ItemInfo:
        """Tell the output's size and the time it was saved."""
        return self.store.info(self.location)

    @property
    def final(self) -> Item[R_co]:
        """The output that exists, for functions that continue one: the item itself.

        It differs for the item that `current_target()` gives, which lies aside until the function
        has returned.
        """
        return self

    def __fspath__(self) -> str:
        return self.store.fspath(self.location)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Item):
            return NotImplemented
        return self.location == other.location and self.store == other.store

    def __hash__(self) -> int:
        return hash(self.location)

    def __reduce__(self) -> tuple[type[Item[R_co]], tuple[Store, str]]:
        return Item, (self.store, self.location)

    def __repr__(self) -> str:
        return f"Item({self.location!r})"

    def _repr_html_(self) -> str:
        import html

        info = self.info() if self.exists() else None
        state = "not there" if info is None else f"{info.size or 0:,} bytes, saved {info.saved}"
        return f"<code>{html.escape(self.location)}</code> <small>{html.escape(state)}</small>"


class AsideItem(Item[R_co]):
    """The item to write to, inside a function that saves its own output.

    Parameters:
        store: where the output will be kept.
        location: where to write it.
        final: the item of the output.
    """

    __slots__ = ("_final",)

    def __init__(self, store: Store, location: str, final: Item[R_co]) -> None:
        super().__init__(store, location)
        self._final = final

    @property
    def final(self) -> Item[R_co]:
        """The output that exists, for functions that continue one."""
        return self._final

    def __reduce__(self) -> tuple[type[Item[R_co]], tuple[Store, str]]:
        return self._final.__reduce__()
