"""Our own files beside outputs: their names, and what killed processes leave of them."""
# pathlib costs more than the system calls that it wraps.
# ruff: noqa: PTH108, PTH116, PTH123

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import re
import time
import uuid

# The start of the names of our own files, which are not outputs.
HIDDEN = ".prefectx-"
# A temporary file of another machine, whose locks we may not see, is abandoned after these seconds.
_ABANDONED = 24 * 3600

# Of temporary files: machine, process, start of the process, number.
_TEMPORARY = re.compile(rf"{re.escape(HIDDEN)}([0-9a-f]{{8}})-[0-9]+-[0-9a-f]+-[0-9]+\.tmp")
_TEMPORARY_OF_EARLIER_VERSIONS = re.compile(rf"{re.escape(HIDDEN)}.+-[0-9]+-[0-9]+\.tmp")
_LOCK = re.compile(rf"{re.escape(HIDDEN)}[0-9a-f]{{24}}\.lock")


def is_same_file(path: str, descriptor: int) -> bool:
    """Tell whether an open file is still the one at `path`."""
    try:
        return os.path.samestat(os.stat(path), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def remove_abandoned(folder: str) -> None:
    """Remove the temporary files and the locks that killed processes left in a folder."""
    # The folder may forbid listing, another process may do the same, a file may be another user's.
    with contextlib.suppress(OSError):
        with os.scandir(folder) as entries:
            ours = [entry for entry in entries if entry.name.startswith(HIDDEN)]
        for entry in ours:
            with contextlib.suppress(OSError):
                _remove_if_abandoned(entry)


def _remove_if_abandoned(entry: os.DirEntry[str]) -> None:
    temporary = _TEMPORARY.fullmatch(entry.name)
    is_lock = _LOCK.fullmatch(entry.name)
    if not (temporary or is_lock or _TEMPORARY_OF_EARLIER_VERSIONS.fullmatch(entry.name)):
        return
    is_old = time.time() - entry.stat().st_mtime > _ABANDONED
    # Of another machine, or of this one before it was started, locks may not be seen.
    is_of_here = is_lock or (temporary is not None and temporary[1] == MACHINE)
    if not (is_of_here or is_old):
        return
    with open(entry.path, "rb") as stream:
        # Process ids mean nothing in another container; its locks hold here, too.
        is_free = try_lock(stream.fileno())
        if is_free is None:
            is_free = is_old and not is_lock
        if is_free and is_same_file(entry.path, stream.fileno()):
            os.unlink(entry.path)


def try_lock(descriptor: int) -> bool | None:
    """Lock a file while it is open; False if another process holds it, None without locks."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True


def _machine() -> str:
    """Return what identifies this machine since it was started; its containers share it."""
    try:
        with open("/proc/sys/kernel/random/boot_id") as stream:
            identity = stream.read()
    except OSError:
        identity = f"{os.uname().nodename} {uuid.getnode()}"
    return hashlib.sha256(identity.encode()).hexdigest()[:8]


MACHINE = _machine()
# A container that is started again has the same process ids.
STARTED = f"{time.time_ns():x}"
