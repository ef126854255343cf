"""Functions and classes: by name if the name identifies them, else by what they are made of."""

from __future__ import annotations

import enum
import functools
import itertools
import sys
from collections.abc import Mapping
from types import (
    BuiltinFunctionType,
    CellType,
    CodeType,
    FunctionType,
    GetSetDescriptorType,
    MemberDescriptorType,
    MethodType,
    ModuleType,
)
from typing import Any

from prefectx.arguments.identity.form import Form, Unidentifiable
from prefectx.arguments.identity.names import (
    depth_under_name,
    leads_back,
    module_name,
    qualified_name,
)

_VERSION = f"Python {sys.version_info.major}.{sys.version_info.minor}"
# What Python and the makers of dataclasses put into a class, and what says nothing of it.
_INCIDENTAL = frozenset(
    """
    __module__ __qualname__ __dict__ __weakref__ __slots__ __annotations__ __annotate__
    __annotate_func__ __annotations_cache__ __firstlineno__ __static_attributes__
    __abstractmethods__ _abc_impl __parameters__ __orig_bases__ __signature__
    __dataclass_fields__ __dataclass_params__ __attrs_attrs__ __attrs_own_setattr__ __attrs_props__
    __class_vars__ __private_attributes__ __new_member__ _new_member_ _member_map_ _member_names_
    _value2member_map_ _unhashable_values_ _unhashable_values_map_ _hashable_values_ _use_args_
    _value_repr_
    """.split()  # noqa: SIM905  # shorter, and easier to read
)
# A type that was made at run time, Py_TPFLAGS_HEAPTYPE.
_IS_MADE_IN_PYTHON = 1 << 9


def function_form(function: FunctionType) -> Form:
    """Identify a function by its name, or by code, defaults and closure."""
    name = qualified_name(function)
    depth = depth_under_name(function)
    if depth is not None:
        return Form("function", (*name, depth))
    return Form(
        "local function",
        (
            *name,
            function.__code__,
            function.__defaults__,
            function.__kwdefaults__,
            Form("closure", function.__closure__ or ()),
            attributes_form({k: v for k, v in function.__dict__.items() if k != "__wrapped__"}),
        ),
    )


def cell_form(cell: CellType) -> Form:
    """Identify a variable of a closure by its value."""
    try:
        return Form("cell", (cell.cell_contents,))
    except ValueError:
        return Form("empty cell")


def code_form(code: CodeType) -> Form:
    """Identify code by what it does: neither file nor lines count. Bytecode is Python's own."""
    names = (code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars)
    counts = (code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_flags)
    bytecode = (code.co_code, code.co_exceptiontable)
    return Form("code", (*bytecode, *counts, *names, code.co_consts), library=_VERSION)


def method_form(method: MethodType) -> Form:
    """Identify a bound method by its object and its function."""
    return Form("method", (method.__self__, method.__func__))


def builtin_form(function: BuiltinFunctionType) -> Form:
    """Identify a built-in function, or a built-in method by its object and name."""
    owner = function.__self__
    if owner is None or isinstance(owner, ModuleType):
        module = function.__module__ or getattr(owner, "__name__", "")
        return Form("built-in function", (module.lstrip("_"), function.__qualname__))
    return Form("built-in method", (owner, function.__name__))


def descriptor_form(descriptor: Any) -> Form:
    """Identify a method of a built-in class, such as `str.upper`."""
    return Form("descriptor", (descriptor.__objclass__, descriptor.__name__))


def partial_form(partial: functools.partial[object]) -> Form:
    """Identify a partial by its function and arguments."""
    return Form("partial", (partial.func, partial.args, partial.keywords, vars(partial)))


def cached_form(function: Any) -> Form:
    """Identify what `functools.lru_cache` made by its function: what it caches does not count."""
    return Form("cached function", (function.__wrapped__,))


def wrapping_form(wrapped: Any) -> Form:
    """Identify a class method or static method by its function."""
    return Form(type(wrapped).__name__, (wrapped.__func__,))


def property_form(prop: property) -> Form:
    """Identify a property by its functions."""
    return Form("property", (prop.fget, prop.fset, prop.fdel))


def module_form(module: ModuleType) -> Form:
    """Identify a module by its name."""
    return Form("module", (module_name(module.__name__, vars(module)),))


def class_form(cls: type) -> Form:
    """Identify a class by its name, or by its bases and members."""
    module, name = qualified_name(cls)
    if leads_back(cls) or module == "builtins" or not cls.__flags__ & _IS_MADE_IN_PYTHON:
        return Form("class", (module, name))
    return Form(
        "local class",
        (module, name, *cls.__bases__, attributes_form(_members(cls)), _fields(cls)),
    )


def attributes_form(attributes: Mapping[str, object]) -> Form:
    """Identify attributes by name; their order does not count."""
    pairs = sorted(attributes.items(), key=lambda pair: pair[0])
    return Form("attributes", list(itertools.chain.from_iterable(pairs)))


def _members(cls: type) -> dict[str, object]:
    """Return what a class defines itself; the members of an enum by their values."""
    members = {
        name: value
        for name, value in vars(cls).items()
        if name not in _INCIDENTAL
        and not name.startswith("__pydantic")
        and not isinstance(value, (MemberDescriptorType, GetSetDescriptorType))
    }
    if issubclass(cls, enum.Enum):
        return members | {name: member._value_ for name, member in cls.__members__.items()}
    return members


def _fields(cls: type) -> Form:
    """Identify the fields of a dataclass, attrs class or pydantic model by name and default."""
    for name in ("__dataclass_fields__", "__attrs_attrs__", "__pydantic_fields__"):
        fields = vars(cls).get(name)
        if fields is not None:
            named = fields.items() if isinstance(fields, dict) else ((f.name, f) for f in fields)
            return Form(
                "fields",
                [
                    part
                    for key, field in named
                    for part in (key, field.default, getattr(field, "default_factory", None))
                ],
            )
    return Form("fields")


def consumable_form(value: object) -> Form:
    """Refuse what changes when it is used."""
    raise Unidentifiable(value)
