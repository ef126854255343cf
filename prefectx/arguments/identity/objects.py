"""Objects of any class: by class and state, as pickle takes them apart."""

from __future__ import annotations

import copyreg
import functools
import pickle
import sys
from collections.abc import Iterable, Mapping
from typing import Any

from prefectx.arguments.identity.form import Form, Unidentifiable
from prefectx.arguments.identity.names import (
    defining_module,
    is_canonical,
    library_version,
    public_name,
)

_PROTOCOL = 4


def object_form(value: object) -> Form:
    """Identify an object by its class, its state, and the version of the library it is from.

    Raises:
        Unidentifiable: its state cannot be read.
    """
    kind = type(value)
    reduced = _reduced(value)
    if isinstance(reduced, str):
        return _global_form(value, reduced)
    make, arguments, *rest = reduced
    state, items, pairs = (*rest, None, None, None)[:3]
    if isinstance(value, BaseException) and not state:
        # It has an empty one once somebody has looked, else none.
        state = None
    # Plain objects are made by `copyreg.__newobj__`, which says nothing.
    maker = [] if getattr(make, "__name__", None) == "__newobj__" else [make]
    return Form(
        "object",
        [
            kind,
            *_counted([*maker, *arguments]),
            *_counted(_state(kind, state)),
            *_counted(items or ()),
            *_counted(part for pair in pairs or () for part in pair),
        ],
        library=library_version(defining_module(kind)),
    )


def subclass_form(value: object, base: type, form: Form) -> Form:
    """Identify an object of a subclass of a type that has a form.

    Parameters:
        value: the object.
        base: the type.
        form: identifies what the object is as one of the base's.
    """
    kind = type(value)
    own = ("__reduce__", "__reduce_ex__", "__getstate__")
    if any(getattr(kind, name, None) is not getattr(base, name, None) for name in own):
        return object_form(value)
    state = getattr(value, "__dict__", None)
    module = defining_module(kind)
    version = None if is_canonical(module) else library_version(module)
    return Form("subclass", [kind, form, *_state(kind, state)], library=version)


def _reduced(value: object) -> Any:
    # For exceptions libraries register what takes the traceback along.
    is_error = isinstance(value, BaseException)
    reduce = None if is_error else copyreg.dispatch_table.get(type(value))
    try:
        return reduce(value) if reduce else value.__reduce_ex__(_PROTOCOL)
    except Exception as error:  # whatever an object's own method raises
        raise Unidentifiable(value, f"{error}" or type(error).__name__) from error


def _global_form(value: object, name: str) -> Form:
    """Identify what is pickled by its name."""
    module = getattr(value, "__module__", None) or pickle.whichmodule(value, name)  # type: ignore[attr-defined]  # public but not in typeshed
    try:
        found = functools.reduce(getattr, name.split("."), sys.modules[module])
    except (AttributeError, KeyError):
        found = None
    if found is not value:
        raise Unidentifiable(value, "its name does not lead back to it")
    return Form("global", public_name(value, module, name))


def _state(kind: type, state: object) -> list[object]:
    """Sort attributes by name: in what order they were set does not count."""
    if type(state) is tuple and len(state) == 2 and isinstance(state[1], dict):
        first, slots = state
        if first is None or isinstance(first, dict):
            state = {**(first or {}), **slots}
    if not isinstance(state, Mapping):
        return [state]
    try:
        names = sorted(state)
    except TypeError:
        return [state]
    return [
        part
        for name in names
        if not isinstance(getattr(kind, str(name), None), functools.cached_property)
        for part in (name, state[name])
    ]


def _counted(values: Iterable[object]) -> list[object]:
    parts = list(values)
    return [len(parts), *parts]
