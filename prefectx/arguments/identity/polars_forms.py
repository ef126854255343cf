"""The forms of polars' frames, series and types."""

from __future__ import annotations

import importlib
import sys
from typing import Any

from prefectx.arguments.identity.form import Form, Maker, Unidentifiable
from prefectx.arguments.identity.pyarrow_forms import content_form

_PARAMETERS = ("time_unit", "time_zone", "precision", "scale", "shape")
# Arrow does not have them, or keeps them as numbers that mean something in one process only.
_NOT_FOR_ARROW = ("Categorical", "Enum", "Object", "Int128", "UInt128")


def maker_of(kind: type, *, is_exact: bool) -> Maker | None:
    """Return what makes the form of a polars type's values, None if it has no form of its own."""
    return _MAKERS.get(kind.__name__)


def series_form(series: Any) -> Form:
    """Identify a series by name, type and values; their chunks do not count."""
    return Form("polars.series", (series.name, type_form(series.dtype), _content(series)))


def type_form(dtype: Any) -> Form:
    """Identify a type with its parameters."""
    name = getattr(dtype, "__name__", type(dtype).__name__)
    parts = [getattr(dtype, parameter, None) for parameter in _PARAMETERS]
    inner = getattr(dtype, "inner", None)
    fields = getattr(dtype, "fields", None) or ()
    categories = getattr(dtype, "categories", None) if name == "Enum" else None
    return Form(
        "polars.type",
        (
            name,
            *parts,
            inner is not None and type_form(inner),
            categories is not None and categories.to_list(),
            *(part for field in fields for part in (field.name, type_form(field.dtype))),
        ),
    )


def _content(series: Any) -> Form:
    polars = sys.modules["polars"]
    if series.dtype == polars.Categorical:
        series = series.cast(polars.String)
    elif series.dtype == polars.Enum:
        series = series.to_physical().cast(polars.UInt32)
    if not any(name in repr(series.dtype) for name in _NOT_FOR_ARROW):
        try:
            importlib.import_module("pyarrow")
            return content_form(series.to_arrow())
        except (ModuleNotFoundError, NotImplementedError):
            pass
    return Form("polars.objects", series.to_list())


def _plan(plan: Any) -> Form:
    raise Unidentifiable(plan, "collect it, or pass what it is made from")


_MAKERS: dict[str, Maker] = {
    "Series": series_form,
    "DataFrame": lambda frame: Form(
        "polars.frame", (frame.height, *(series_form(column) for column in frame.get_columns()))
    ),
    "LazyFrame": _plan,
    "DataType": type_form,
    "DataTypeClass": type_form,
    "Schema": lambda schema: Form(
        "polars.schema", [part for name, kind in schema.items() for part in (name, type_form(kind))]
    ),
}
