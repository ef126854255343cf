"""The errors of stores that keep outputs in formats: what went wrong, and what to do."""

from __future__ import annotations

import errno
import os
import pickle

from prefectx.errors import (
    ConfigError,
    CorruptItemError,
    MissingDependencyError,
    SaveError,
    StoreError,
)
from prefectx.formats import Format, FormatError, type_name
from prefectx.masking import mask_urls

# These say everything already, or are not about the output: they are raised as they are.
UNWRAPPED = (ConfigError, MissingDependencyError, StoreError, MemoryError)
_ADVICE = {
    errno.ENOSPC: "free some space, or choose another root",
    errno.EDQUOT: "free some space, or choose another root",
    errno.EACCES: "get permission to write there, or choose another root",
    errno.EPERM: "get permission to write there, or choose another root",
    errno.EROFS: "choose another root",
    errno.ENAMETOOLONG: "choose a shorter target",
    errno.EISDIR: "choose another target, or remove the folder",
    errno.ENOTDIR: "choose another target: a file is where a folder should be",
    errno.EEXIST: "choose another target: a file is where a folder should be",
}


def save_error(location: str, suffix: str, data: object, error: Exception) -> SaveError:
    """Make the error for an output that could not be saved."""
    reason = error.strerror if isinstance(error, OSError) else None
    reason = reason or str(error) or type(error).__name__
    what = f"cannot save {type_name(data)} as {suffix} at {mask_urls(location)}"
    return SaveError(f"{what}: {mask_urls(reason)}; {_advice(location, error)}")


def _advice(location: str, error: Exception) -> str:
    if isinstance(error, FormatError):
        return "return what it can hold, or choose another format (.pkl takes any object)"
    if isinstance(error, SaveError):
        return "choose another target"
    if isinstance(error, FileNotFoundError):
        missing = os.path.dirname(str(error.filename))  # noqa: PTH120  # may be a URL
        if missing == location.rpartition("/")[0]:
            return "its folder was removed while it was saved: run again"
        return "no folder can be made there: choose another root"
    if isinstance(error, OSError) and error.errno in _ADVICE:
        return _ADVICE[error.errno]
    # Of what is defined in a function Python 3.13 says only: "Can't get local object".
    is_unpicklable = any(word in str(error) for word in ("pickle", "local object"))
    if is_unpicklable or isinstance(error, pickle.PicklingError):
        return "return plain data instead, or give the task another format or target=None"
    return "choose another format or target"


def load_error(location: str, format: Format, error: Exception) -> StoreError:
    """Make the error for an output that exists but cannot be read."""
    where = mask_urls(location)
    if isinstance(error, OSError) and error.errno is not None:
        return StoreError(f"cannot read {where}: {error.strerror}; the output is untouched")
    if format.runs_code and isinstance(error, ImportError | AttributeError):
        return CorruptItemError(
            f"{where} ({format.suffix}) refers to something that cannot be imported: {error}. "
            "The file may be intact: was a class moved or renamed, or is a package not installed "
            "here? Restore it, or delete the file and run again"
        )
    return CorruptItemError(
        f"{where} cannot be read as {format.suffix}: {type(error).__name__}: {error}. "
        "Delete it and run again: its task recreates it"
    )


def pickle_refused(location: str) -> StoreError:
    """Make the error for a pickle if `allow_pickle = false`."""
    return StoreError(
        f"{mask_urls(location)} is a pickle, and allow_pickle = false: loading a pickle can run "
        "any code. Give the target the suffix of another format, such as .json or .parquet"
    )


def not_signed(where: str) -> CorruptItemError:
    """Make the error for an output without a valid signature."""
    return CorruptItemError(
        f"{mask_urls(where)} is not signed with this signing key, or was changed after it was "
        "signed. If you do not know who wrote it, delete it and run again"
    )
