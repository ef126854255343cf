"""Which form the values of a type have."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from prefectx.arguments.identity import functions, references, standard
from prefectx.arguments.identity.form import ATOMS, Form, Maker
from prefectx.arguments.identity.names import defining_module
from prefectx.arguments.identity.objects import object_form
from prefectx.futures import Future

T = TypeVar("T")

# A library's forms are imported when a value of it is met.
_LIBRARIES = {
    name: f"prefectx.arguments.identity.{name}_forms"
    for name in ("numpy", "pandas", "polars", "pyarrow")
}
_FAMILIES: dict[type, Maker] = {**standard.FAMILIES, **references.FAMILIES}


class Identities:
    """What programs registered: for a type the function that identifies its objects."""

    def __init__(self) -> None:
        self._functions: dict[type, Callable[[Any], object]] = {}

    def register(self, kind: type[T], function: Callable[[T], object]) -> None:
        """Identify the objects of a type, and of its subclasses, by what a function returns.

        Parameters:
            kind: the type.
            function: gives something that is equal for equal objects, such as a tuple of what
                they are made of.

        Raises:
            TypeError: `kind` is no type, or one of the types that count by their own value.
        """
        if not isinstance(kind, type) or kind in ATOMS or kind is object:
            raise TypeError(f"register_identity needs a class of its own, not {kind!r}")
        self._functions[kind] = function

    def clear(self) -> None:
        """Forget what was registered."""
        self._functions.clear()

    def maker_of(self, kind: type) -> Maker | None:
        """Return what makes the form of a type's values, None if it is not registered."""
        for base in kind.__mro__ if self._functions else ():
            if base in self._functions:
                return partial(_registered, self._functions[base])
        return None


IDENTITIES = Identities()


def maker_of(kind: type) -> Maker:
    """Return what makes the form of a type's values."""
    maker = IDENTITIES.maker_of(kind) or standard.EXACT.get(kind)
    if maker is not None:
        return maker
    if issubclass(kind, Future):  # engines register theirs
        return references.future_form
    for base in kind.__mro__:
        root = defining_module(base).partition(".")[0]
        maker = _FAMILIES.get(base) or standard.NAMED.get(f"{root}.{base.__name__}")
        if maker is None and root in _LIBRARIES:
            forms = importlib.import_module(_LIBRARIES[root])
            maker = forms.maker_of(base, is_exact=base is kind)
        if maker is not None:
            return maker
    # itertools' can be pickled before Python 3.14 only.
    if defining_module(kind) == "itertools":
        return functions.consumable_form
    return object_form


def _registered(function: Callable[[Any], object], value: object) -> Form:
    return Form("registered", (type(value), function(value)))
