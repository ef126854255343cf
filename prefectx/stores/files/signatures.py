"""Signatures of files: small files beside the outputs, `.prefectx-*.sig`."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import time
from pathlib import Path

from prefectx.stores.error_messages import not_signed
from prefectx.stores.files.leftovers import HIDDEN
from prefectx.stores.files.protocol import Files
from prefectx.stores.signing import SigningKey

# Seconds between the attempts to read an output that is being replaced.
_PAUSES = (0.001, 0.01, 0.05)


class Signed:
    """The signature of an output that is being replaced, as a context around the replacing.

    The name of a signature is made from it, so that it never changes: whichever of several
    writers wins, the output that is there has its signature. That of the output that was replaced
    is removed at the end.

    Parameters:
        key: the key to sign with.
        files: where the output is.
        location: the location of the output.
        fsync: write signatures to the disk first.
    """

    def __init__(self, key: SigningKey, files: Files, location: str, *, fsync: bool) -> None:
        self._key = key
        self._files = files
        self._location = location
        self._fsync = fsync
        self._signature: str | None = None
        self._replaced: str | None = None

    def write(self, temporary: str) -> None:
        """Sign a file before it is moved to its location."""
        self._replaced = _present(self._key, self._files, self._location)
        self._signature = _sign(self._key, self._location, temporary)
        _write(self._files, self._location, self._signature, fsync=self._fsync)

    def __enter__(self) -> Signed:
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if error is not None or self._signature is None:
            return
        # Another writer may have replaced an equal output, and removed the signature with it.
        if not self._files.exists(_place(self._location, self._signature)):
            _write(self._files, self._location, self._signature, fsync=self._fsync)
        if self._replaced is not None and self._replaced != self._signature:
            _remove(self._key, self._files, self._location, self._replaced)


def delete_signed(key: SigningKey, files: Files, location: str) -> None:
    """Remove an output and its signature."""
    signature = _present(key, files, location)
    files.delete(location)
    if signature is not None:
        _remove(key, files, location, signature)


def _write(files: Files, location: str, signature: str, *, fsync: bool) -> None:
    with files.replacing(_place(location, signature), fsync=fsync) as path:
        Path(path).write_text(signature)


def _remove(key: SigningKey, files: Files, location: str, signature: str) -> None:
    files.delete(_place(location, signature))
    if _present(key, files, location) == signature:
        # Another writer has just put an equal output there.
        _write(files, location, signature, fsync=True)


def _present(key: SigningKey, files: Files, location: str) -> str | None:
    """Return the signature that fits what is at `location`; None if nothing is there."""
    try:
        if not files.exists(location):
            return None
        with files.reading(location) as path:
            return _sign(key, location, path)
    except OSError:
        return None


def _sign(key: SigningKey, location: str, path: str) -> str:
    with Path(path).open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").digest()
    return key.sign(_signed_name(location), digest)


def read_signed(key: SigningKey, files: Files, location: str, path: str) -> bytes:
    """Return the content of a file, read once: what is returned is what was verified.

    Parameters:
        key: the key that must have signed it.
        files: where the output is.
        location: the location of the output.
        path: a local path with its content.

    Raises:
        CorruptItemError: it has no valid signature.
    """
    content, pauses = Path(path).read_bytes(), iter(_PAUSES)
    while True:
        signature = key.sign(_signed_name(location), hashlib.sha256(content).digest())
        place = _place(location, signature)
        # Behind URLs reading what is not there is tried several times.
        if files.exists(place):
            with contextlib.suppress(FileNotFoundError), files.reading(place) as beside:
                if hmac.compare_digest(Path(beside).read_bytes(), signature.encode()):
                    return content
        # The output may have been replaced since it was read, and its signature with it.
        with files.reading(location) as again:
            newer = Path(again).read_bytes()
        if newer == content:
            pause = next(pauses, None)
            if pause is None:
                raise not_signed(location)
            time.sleep(pause)
        content = newer


def _signed_name(location: str) -> str:
    # Not the whole path, so that a folder of outputs can be moved.
    return "/".join(location.rsplit("/", 2)[-2:])


def _place(location: str, signature: str) -> str:
    # Half of it is the name; the other half, in the file, cannot be guessed from a listing.
    return f"{location.rpartition('/')[0]}/{HIDDEN}{signature[:32]}.sig"
