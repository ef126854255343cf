"""NumPy arrays: one in `.npy`, several by name in `.npz`. Never pickled inside."""

from __future__ import annotations

import zipfile
from typing import Any, BinaryIO

from prefectx.formats.base import Format, FormatError, type_name
from prefectx.imports import require


def _numpy() -> Any:
    return require("numpy", "for .npy and .npz files")


def _checked(data: Any) -> Any:
    numpy = _numpy()
    if type(data) not in (numpy.ndarray, numpy.memmap):
        raise FormatError(f"it holds a NumPy array, not {type_name(data)}")
    if data.dtype.hasobject:
        raise FormatError("an array of Python objects would have to be pickled: use .pkl")
    return data


def _dump_array(data: Any, stream: BinaryIO) -> None:
    try:
        _numpy().lib.format.write_array(stream, _checked(data), allow_pickle=False)
    except OSError as error:
        if error.errno is None:
            # NumPy does not tell why it could not write; the system does, if asked once more.
            stream.write(bytes(8192))
            stream.flush()
        raise


def _load_array(stream: BinaryIO) -> Any:
    return _numpy().lib.format.read_array(stream, allow_pickle=False)


def _map_array(path: str) -> Any:
    return _numpy().load(path, mmap_mode="r", allow_pickle=False)


def _dump_arrays(data: Any, stream: BinaryIO) -> None:
    if type(data) is not dict:
        raise FormatError(f"it holds a dict of NumPy arrays by name, not {type_name(data)}")
    with zipfile.ZipFile(stream, "w") as archive:
        for name, array in data.items():
            with archive.open(_member(name), "w", force_zip64=True) as member:
                _dump_array(array, member)  # type: ignore[arg-type]  # IO[bytes] will do


def _load_arrays(stream: BinaryIO) -> dict[str, Any]:
    with zipfile.ZipFile(stream) as archive:
        return {
            name.removesuffix(".npy"): _load_member(archive, name) for name in archive.namelist()
        }


def _load_member(archive: zipfile.ZipFile, name: str) -> Any:
    with archive.open(name) as member:
        return _load_array(member)  # type: ignore[arg-type]  # IO[bytes] will do


def _member(name: Any) -> str:
    if not isinstance(name, str) or "\0" in name:
        raise FormatError(f"the array's name {name!r} is not text that a zip file can hold")
    return f"{name}.npy"


NPY = Format(".npy", _dump_array, _load_array, load_mapped=_map_array)
NPZ = Format(".npz", _dump_arrays, _load_arrays)
