"""NumPy arrays: one in `.npy`, several by name in `.npz`. Neither holds pickles."""

from __future__ import annotations

import zipfile
from types import ModuleType
from typing import IO, TYPE_CHECKING, BinaryIO, cast

from prefectx.formats.base import Format, FormatError, type_name
from prefectx.imports import require

if TYPE_CHECKING:
    from prefectx.formats.library_types import Array, ArrayType


def _numpy() -> ModuleType:
    return require("numpy", "for .npy and .npz files")


def _dump_array(data: object, stream: IO[bytes]) -> None:
    numpy = _numpy()
    if type(data) not in (numpy.ndarray, numpy.memmap):
        raise FormatError(f"it holds a NumPy array, not {type_name(data)}")
    array = cast("Array", data)
    if array.dtype.hasobject:
        raise FormatError("an array of Python objects would have to be pickled: use .pkl")
    header = numpy.lib.format.descr_to_dtype(numpy.lib.format.dtype_to_descr(array.dtype))
    if not _is_same_type(array.dtype, header):
        raise FormatError(f"its type {array.dtype!r} would come back as {header!r}")
    try:
        numpy.lib.format.write_array(stream, array, allow_pickle=False)
    except OSError as error:
        if error.errno is None:
            # NumPy does not tell why it could not write; another write raises the reason.
            stream.write(bytes(8192))
            stream.flush()
        raise


def _is_same_type(one: ArrayType, other: ArrayType) -> bool:
    """Tell whether two types are equal in their fields, titles and metadata too."""
    if one != other or one.metadata != other.metadata or one.type is not other.type:
        return False
    if one.isalignedstruct != other.isalignedstruct:
        return False
    if one.subdtype is not None and other.subdtype is not None:
        return _is_same_type(one.subdtype[0], other.subdtype[0])
    if one.fields is None or other.fields is None:
        return True
    return list(one.fields) == list(other.fields) and all(
        _is_same_type(found[0], other.fields[name][0]) and found[1:] == other.fields[name][1:]
        for name, found in one.fields.items()
    )


def _load_array(stream: IO[bytes]) -> Array:
    array: Array = _numpy().lib.format.read_array(stream, allow_pickle=False)
    return array


def _map_array(path: str) -> object:
    return _numpy().load(path, mmap_mode="r", allow_pickle=False)


class _WriteOnly:
    """A stream without positions: a compressed one says that it can go back, and cannot."""

    def __init__(self, stream: BinaryIO) -> None:
        self.write = stream.write
        self.flush = stream.flush


def _dump_arrays(data: object, stream: BinaryIO) -> None:
    if type(data) is not dict:
        raise FormatError(f"it holds a dict of NumPy arrays by name, not {type_name(data)}")
    with zipfile.ZipFile(cast("IO[bytes]", _WriteOnly(stream)), "w") as archive:
        for name, array in data.items():
            if not isinstance(name, str) or "\0" in name:
                raise FormatError(f"the array's name {name!r} is not text that a zip file can hold")
            # Without the time of writing: equal arrays give equal files.
            entry = zipfile.ZipInfo(f"{name}.npy")
            with archive.open(entry, "w", force_zip64=True) as member:
                _dump_array(array, member)


def _load_arrays(stream: BinaryIO) -> dict[str, Array]:
    arrays = {}
    with zipfile.ZipFile(stream) as archive:
        for name in archive.namelist():
            with archive.open(name) as member:
                arrays[name.removesuffix(".npy")] = _load_array(member)
    return arrays


NPY = Format(".npy", _dump_array, _load_array, load_mapped=_map_array)
NPZ = Format(".npz", _dump_arrays, _load_arrays)
