"""NumPy arrays: one in `.npy`, several by name in `.npz`. Neither holds pickles."""

from __future__ import annotations

import zipfile
from types import ModuleType
from typing import IO, TYPE_CHECKING, BinaryIO, cast

from prefectx.formats.base import Format, FormatError, type_name
from prefectx.imports import require

if TYPE_CHECKING:
    from prefectx.formats.library_types import Array


def _numpy() -> ModuleType:
    return require("numpy", "for .npy and .npz files")


def _dump_array(data: object, stream: IO[bytes]) -> None:
    numpy = _numpy()
    if type(data) not in (numpy.ndarray, numpy.memmap):
        raise FormatError(f"it holds a NumPy array, not {type_name(data)}")
    array = cast("Array", data)
    if array.dtype.hasobject:
        raise FormatError("an array of Python objects would have to be pickled: use .pkl")
    try:
        numpy.lib.format.write_array(stream, array, allow_pickle=False)
    except OSError as error:
        if error.errno is None:
            # NumPy does not tell why it could not write; another write raises the reason.
            stream.write(bytes(8192))
            stream.flush()
        raise


def _load_array(stream: IO[bytes]) -> Array:
    array: Array = _numpy().lib.format.read_array(stream, allow_pickle=False)
    return array


def _map_array(path: str) -> object:
    return _numpy().load(path, mmap_mode="r", allow_pickle=False)


def _dump_arrays(data: object, stream: BinaryIO) -> None:
    if type(data) is not dict:
        raise FormatError(f"it holds a dict of NumPy arrays by name, not {type_name(data)}")
    with zipfile.ZipFile(stream, "w") as archive:
        for name, array in data.items():
            if not isinstance(name, str) or "\0" in name:
                raise FormatError(f"the array's name {name!r} is not text that a zip file can hold")
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
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
