"""The forms of NumPy's arrays, scalars and types."""

from __future__ import annotations

import sys
from typing import Any

from xxhash import xxh3_128_digest

from prefectx.arguments.identity.form import Form, Maker, Unidentifiable
from prefectx.arguments.identity.objects import object_form, subclass_form

# Of the 16 bytes of an extended double on x86 the last 6 are whatever was there before.
_EXTENDED_MANTISSA = 63


def maker_of(kind: type, *, is_exact: bool) -> Maker | None:
    """Return what makes the form of a NumPy type's values, None if it has no form of its own.

    Parameters:
        kind: the type, or a base of it.
        is_exact: whether it is the values' own type.
    """
    numpy = sys.modules["numpy"]
    if kind is numpy.ndarray:
        return array_form if is_exact else _subclass
    if kind is numpy.ma.MaskedArray:
        return _masked if is_exact else object_form
    if kind is numpy.dtype:
        return dtype_form
    if kind is numpy.ufunc:
        return _ufunc
    if kind is numpy.generic:
        return _scalar
    if kind is numpy.random.Generator:
        return lambda generator: Form("numpy.Generator", (generator.bit_generator,))
    if kind is numpy.random.BitGenerator:
        return _bit_generator
    if kind is numpy.random.SeedSequence:
        return lambda seeds: Form("numpy.SeedSequence", (seeds.state,))
    if kind is numpy.random.RandomState:
        return lambda state: Form("numpy.RandomState", (state.get_state(legacy=False),))
    return None


def array_form(array: Any) -> Form:
    """Identify an array by type, shape and elements; their order in memory does not count."""
    return Form("numpy.array", (dtype_form(array.dtype), array.shape, elements_form(array)))


def elements_form(array: Any) -> Form:
    """Identify the elements of an array, row by row, without its type and shape."""
    dtype = array.dtype
    if dtype.names is not None:
        return Form("numpy.records", [elements_form(array[name]) for name in dtype.names])
    if dtype.hasobject or dtype.kind == "T":
        return Form("numpy.objects", array.ravel().tolist())
    numpy = sys.modules["numpy"]
    whole = numpy.ascontiguousarray(array)
    if dtype.char in "gG" and numpy.finfo(dtype).nmant == _EXTENDED_MANTISSA:
        whole = whole.view("u1").reshape(-1, 16)[:, :10]
        whole = numpy.ascontiguousarray(whole)
    return Form("numpy.elements", (digest_of(whole),))


def digest_of(array: Any) -> bytes:
    """Return a digest of the bytes of an array that is contiguous."""
    if array.dtype.kind in "mMUSV":
        # These cannot be seen as a buffer, or not when they are empty.
        array = array.reshape(-1).view("u1") if array.size and array.dtype.itemsize else array
    return xxh3_128_digest(array.data if array.dtype.kind not in "mMUSV" else b"")


def dtype_form(dtype: Any) -> Form:
    """Identify a dtype, of records by names, places and types of the fields."""
    extra = (dict(dtype.metadata),) if dtype.metadata else ()
    if dtype.kind == "T":
        missing = getattr(dtype, "na_object", Unidentifiable)
        return Form("numpy.dtype", ("StringDType", getattr(dtype, "coerce", None), missing, *extra))
    if dtype.subdtype is not None:
        inner, shape = dtype.subdtype
        return Form("numpy.dtype", (dtype_form(inner), shape, *extra))
    if dtype.fields is None:
        return Form("numpy.dtype", (dtype.str, *extra))
    fields = [
        Form("numpy.field", (name, dtype_form(dtype.fields[name][0]), *dtype.fields[name][1:]))
        for name in dtype.names or ()
    ]
    return Form("numpy.dtype", (dtype.itemsize, dtype.isalignedstruct, *fields, *extra))


def _subclass(array: Any) -> Form:
    base = sys.modules["numpy"].ndarray
    return subclass_form(array, base, array_form(array.view(base)))


def _masked(array: Any) -> Form:
    mask = sys.modules["numpy"].ma.getmaskarray(array)
    return Form("numpy.masked array", (array.data, mask, array.fill_value, array.hardmask))


def _scalar(scalar: Any) -> Form:
    kind = type(scalar)
    array = sys.modules["numpy"].asarray(scalar)
    form = Form("numpy.scalar", (dtype_form(array.dtype), elements_form(array)))
    root = kind.__module__.partition(".")[0]
    return form if root == "numpy" else Form("numpy.subclass", (kind, form))


def _ufunc(function: Any) -> Form:
    numpy = sys.modules["numpy"]
    name = function.__name__
    for module in ("numpy", "scipy.special"):
        if getattr(sys.modules.get(module, numpy), name, None) is function:
            return Form("numpy.ufunc", (module, name))
    raise Unidentifiable(function, "its name does not lead back to it")


def _bit_generator(bits: Any) -> Form:
    parts = (type(bits).__name__, bits.state, getattr(bits, "seed_seq", None))
    return Form("numpy.BitGenerator", parts)
