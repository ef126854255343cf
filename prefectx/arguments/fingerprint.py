"""Stable fingerprints: equal arguments have equal ones, in every process and on every machine."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Collection, Mapping
from functools import lru_cache
from types import FunctionType
from typing import NamedTuple, TypeVar

from prefectx.arguments.identity.form import ATOMS, Unidentifiable
from prefectx.arguments.identity.makers import IDENTITIES
from prefectx.arguments.identity.means import is_means
from prefectx.arguments.identity.names import leads_back, qualified_name
from prefectx.arguments.identity.places import Folders
from prefectx.arguments.identity.walk import Walk
from prefectx.errors import TargetError
from prefectx.futures import Future, item_of
from prefectx.item import Item, Store

T = TypeVar("T")

SCHEME = 1
"""The number of the way in which fingerprints are made; those of two schemes cannot be compared."""

_LONGEST_KEPT = 64


def fingerprint(value: object, folders: Folders = ()) -> bytes:
    """Return 16 bytes that stand for a value: its type, and all of its content.

    Parameters:
        value: any object; containers and objects are entered.
        folders: the root and the project's folder: paths count relative to them.

    Raises:
        Unidentifiable: the value, or a part of it, cannot be told from others of its type.
    """
    return Walk(folders).digest(value)


class Stamp(NamedTuple):
    """A fingerprint to store, with what it depends on.

    Attributes:
        scheme: the number of the way in which it was made.
        digest: the fingerprint, in hexadecimal digits.
        libraries: names and versions of the libraries whose objects are in the value, sorted.
    """

    scheme: int
    digest: str
    libraries: tuple[str, ...] = ()

    @classmethod
    def of(cls, value: object, folders: Folders = ()) -> Stamp:
        """Make the stamp of a value.

        Raises:
            Unidentifiable: the value, or a part of it, cannot be told from others of its type.
        """
        walk = Walk(folders)
        digest = walk.digest(value).hex()
        return cls(SCHEME, digest, tuple(sorted(walk.libraries)))

    def is_same(self, other: Stamp) -> bool | None:
        """Tell whether two stamps are of one value, None if unknown.

        Other schemes and other versions of a library say nothing: neither yes nor no.
        """
        if self == other:
            return True
        is_comparable = self.scheme == other.scheme and self.libraries == other.libraries
        return False if is_comparable else None


def short_hash(
    arguments: Mapping[str, object], folders: Folders = (), ignored: Collection[str] = ()
) -> str:
    """Return 16 hexadecimal digits that stand for the arguments of a call.

    Parameters:
        arguments: name to value; their order does not count.
        folders: the root and the project's folder: paths count relative to them.
        ignored: the names of arguments that do not count.

    Raises:
        TargetError: an argument has no identity.
    """
    counted = {name: value for name, value in sorted(arguments.items()) if name not in ignored}
    try:
        return fingerprint(counted, folders).hex()[:16]
    except Unidentifiable:
        raise _refusal(counted, folders) from None


def comparable(value: object, folders: Folders = ()) -> object:
    """Return a small object that is equal for equal values, to compare calls.

    Returns:
        A short scalar itself; of anything else a tuple with its fingerprint, or if it has none,
        with something that is equal for that very object only. Of loggers, locks and connections,
        which do not count, an empty tuple.
    """
    kind = type(value)
    if kind in ATOMS and (kind not in (str, bytes) or len(value) <= _LONGEST_KEPT):  # type: ignore[arg-type]  # mypy does not narrow by type()
        return value
    item = item_of(value) if issubclass(kind, (Item, Future)) else None
    if item is not None and (item.location[:1] == "/" or "://" in item.location):
        return "item", _store_fingerprint(item.store), item.location
    if is_means(value):
        return ()
    try:
        return (fingerprint(value, folders),)
    except Unidentifiable:
        return (Itself(value),)


@lru_cache(maxsize=256)
def _store_fingerprint(store: Store) -> bytes:
    return fingerprint(Item(store, ""))


class Itself:
    """Stands for an object without identity: equal only if it stands for the very same object.

    Parameters:
        value: the object; it is not kept alive if it can be referred to weakly.
    """

    __slots__ = ("_find",)

    def __init__(self, value: object) -> None:
        self._find: Callable[[], object]
        try:
            self._find = weakref.ref(value)
        except TypeError:
            self._find = lambda: value

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Itself):
            return NotImplemented
        value = self._find()
        return value is not None and value is other._find()

    __hash__ = object.__hash__


# A closure may change while it is in use: what a function is stays what it was at its first call.
CALLEES: weakref.WeakKeyDictionary[Callable[..., object], object] = weakref.WeakKeyDictionary()


def callee_identity(function: Callable[..., object]) -> str | tuple[str, object]:
    """Return what identifies a called function: where it is defined, if that is enough.

    Returns:
        `package.module:function`, the same however the file was loaded. For a function that this
        does not identify (a closure, a lambda, one behind a decorator without `functools.wraps`,
        one that was redefined), a partial or a callable object also its fingerprint.
    """
    if isinstance(function, (FunctionType, type)):
        name = ":".join(qualified_name(function))
        if isinstance(function, FunctionType) and leads_back(function):
            return name
    else:
        inner = getattr(function, "func", function)
        thing = inner if isinstance(getattr(inner, "__qualname__", None), str) else type(inner)
        name = f"{thing.__module__}:{thing.__qualname__}"
    try:
        return name, CALLEES.setdefault(function, _fingerprint_or_itself(function))
    except TypeError:  # it cannot be referred to weakly, or not be a key
        return name, _fingerprint_or_itself(function)


def _fingerprint_or_itself(function: Callable[..., object]) -> object:
    try:
        return fingerprint(function).hex()
    except Unidentifiable:
        return Itself(function)


def register_identity(kind: type[T], function: Callable[[T], object]) -> None:
    """Say what identifies the objects of a type, for fingerprints and automatic names.

    Parameters:
        kind: the type; its subclasses are included.
        function: takes an object and returns what identifies it, such as a tuple of its settings.

    Raises:
        TypeError: `kind` is no class, or one whose values cannot count otherwise.
    """
    IDENTITIES.register(kind, function)


def _refusal(arguments: Mapping[str, object], folders: Folders) -> TargetError:
    for name, value in arguments.items():
        try:
            fingerprint(value, folders)
        except Unidentifiable as error:
            part = f", in {name}{error.path}," if error.path else ""
            why = f" ({error.reason})" if error.reason else ""
            return TargetError(
                f"the argument {name!r} has no identity that would tell calls apart: a"
                f" {error.kind.__module__}.{error.kind.__qualname__}{part} is not known by its"
                f" content{why}; name a target that tells the calls apart, leave the argument out"
                f' with ignore = ["{name}"], or say what identifies it with'
                " prefectx.register_identity"
            )
    raise AssertionError("every argument has an identity")
