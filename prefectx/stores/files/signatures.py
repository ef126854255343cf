"""Signatures of files: small files beside the outputs, `.prefectx-*.sig`."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import io
import time
from pathlib import Path
from typing import BinaryIO

from prefectx.stores.error_messages import not_signed
from prefectx.stores.files.leftovers import HIDDEN
from prefectx.stores.files.protocol import Files
from prefectx.stores.files.types import read_types
from prefectx.stores.signing import SigningKey
from prefectx.versions import version_of_stream

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
        typed: types may be kept beside it, which are signed with it.
        fsync: write signatures to the disk first.
    """

    def __init__(
        self, key: SigningKey, files: Files, location: str, *, typed: bool = False, fsync: bool
    ) -> None:
        self._key = key
        self._files = files
        self._location = location
        self._typed = typed
        self._fsync = fsync
        self._signature: str | None = None
        self._replaced: str | None = None

    def write(self, temporary: str, types: bytes | None = None) -> None:
        """Sign a file, and the types beside it, before it is moved to its location."""
        self._replaced = _present(self._key, self._files, self._location, typed=self._typed)
        with Path(temporary).open("rb") as stream:
            self._signature = _sign(self._key, self._location, stream, types)
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
            _remove(self._key, self._files, self._location, self._replaced, typed=self._typed)


def delete_signed(key: SigningKey, files: Files, location: str, *, typed: bool = False) -> None:
    """Remove an output and its signature."""
    signature = _present(key, files, location, typed=typed)
    files.delete(location)
    if signature is not None:
        _remove(key, files, location, signature, typed=typed)


def _write(files: Files, location: str, signature: str, *, fsync: bool) -> None:
    with files.replacing(_place(location, signature), fsync=fsync) as path:
        Path(path).write_text(signature)


def _remove(key: SigningKey, files: Files, location: str, signature: str, *, typed: bool) -> None:
    files.delete(_place(location, signature))
    if _present(key, files, location, typed=typed) == signature:
        # Another writer has just put an equal output there.
        _write(files, location, signature, fsync=True)


def _present(key: SigningKey, files: Files, location: str, *, typed: bool) -> str | None:
    """Return the signature that fits what is at `location`; None if nothing is there."""
    try:
        if not files.exists(location):
            return None
        with files.reading(location) as path, Path(path).open("rb") as stream:
            types = _types_of(files, location, stream)[0] if typed else None
            return _sign(key, location, stream, types)
    except OSError:
        return None


def _types_of(files: Files, location: str, stream: BinaryIO) -> tuple[bytes | None, bool]:
    found = read_types(files, location, version_of_stream(stream))
    stream.seek(0)
    return found


def _sign(key: SigningKey, location: str, stream: BinaryIO, types: bytes | None) -> str:
    made = hashlib.sha256()
    while block := stream.read(1 << 20):
        made.update(block)
    parts = [made.digest()]
    if types is not None:
        parts.append(hashlib.sha256(types).digest())
    return key.sign(_signed_name(location), *parts)


def read_signed(
    key: SigningKey, files: Files, location: str, content: bytes, *, typed: bool = False
) -> tuple[bytes, bytes | None, bool]:
    """Return the content of an output and its types: what is returned is what was verified.

    Parameters:
        key: the key that must have signed it.
        files: where the output is.
        location: the location of the output.
        content: its bytes, as they were read.
        typed: types may be kept beside it.

    Returns:
        The bytes, the types (None if there are none), and whether these are of the bytes.

    Raises:
        CorruptItemError: it has no valid signature.
    """
    pauses = iter(_PAUSES)
    while True:
        stream = io.BytesIO(content)
        types, fits = _types_of(files, location, stream) if typed else (None, True)
        signature = _sign(key, location, stream, types)
        place = _place(location, signature)
        # Behind URLs reading what is not there is tried several times.
        if files.exists(place):
            with contextlib.suppress(FileNotFoundError), files.reading(place) as beside:
                if hmac.compare_digest(Path(beside).read_bytes(), signature.encode()):
                    return content, types, fits
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
