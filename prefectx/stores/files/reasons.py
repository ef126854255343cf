"""Why an output could not be saved or read, and what to do: the texts of the errors."""

from __future__ import annotations

import errno
import pickle

from prefectx.errors import CorruptItemError, MissingDependencyError, SaveError, StoreError
from prefectx.formats.base import Format, FormatError, type_name
from prefectx.stores.files.local import HIDDEN

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
    errno.ENOENT: "its folder was removed while it was saved: run again",
}


def save_error(location: str, suffix: str, data: object, error: Exception) -> SaveError:
    """Make the error for an output that could not be saved; the one before it is untouched."""
    what = f"cannot save {type_name(data)} as {suffix} at {location}"
    return SaveError(f"{what}: {_reason(error)}; {_advice(error)}")


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__


def _advice(error: Exception) -> str:
    if isinstance(error, FormatError):
        return "return what it can hold, or choose another format (.pkl takes any object)"
    if isinstance(error, SaveError):
        return "choose another target"
    if isinstance(error, FileNotFoundError) and HIDDEN not in str(error.filename):
        return "no folder can be made there: choose another root"
    if isinstance(error, OSError) and error.errno in _ADVICE:
        return _ADVICE[error.errno]
    if _is_unpicklable(error):
        return "return plain data instead, or give the task another format or target=None"
    return "choose another format or target"


def _is_unpicklable(error: Exception) -> bool:
    return isinstance(error, pickle.PicklingError) or "pickle" in str(error)


def load_error(location: str, format: Format, error: Exception) -> StoreError:
    """Make the error for an output that is there and cannot be read."""
    if isinstance(error, OSError) and error.errno is not None:
        return StoreError(f"cannot read {location}: {error.strerror}; the output is untouched")
    if format.runs_code and isinstance(error, ImportError | AttributeError):
        return CorruptItemError(
            f"{location} ({format.suffix}) may be whole, but what it holds cannot be found: "
            f"{error}. Was a class moved or renamed, or a package not installed here? "
            "Put it back, or delete the file and run again"
        )
    return CorruptItemError(
        f"{location} cannot be read as {format.suffix}: {type(error).__name__}: {error}. "
        "Delete it and run again, and its task will make it anew"
    )


def pickle_refused(location: str) -> StoreError:
    """Make the error for a pickle where none is allowed."""
    return StoreError(
        f"{location} is a pickle, and allow_pickle = false: loading one can run any code; give "
        "the target the suffix of another format, such as .json or .parquet"
    )


def not_signed(where: str) -> CorruptItemError:
    """Make the error for an output that is not signed as it must be."""
    return CorruptItemError(
        f"{where} is not signed with this signing key, or was changed since. Delete it and run "
        "again, if you do not know who wrote it"
    )


def is_passed_on(error: BaseException) -> bool:
    """Tell whether an error says all by itself, or is none of the output's."""
    return isinstance(error, MissingDependencyError | StoreError | MemoryError)
