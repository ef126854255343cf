"""Signatures of files: small files beside the outputs, `.prefectx-*.sig`."""

from __future__ import annotations

import hashlib
import hmac
from pathlib import Path
from typing import BinaryIO

from prefectx.stores.error_messages import not_signed
from prefectx.stores.files.leftovers import HIDDEN
from prefectx.stores.files.protocol import Files
from prefectx.stores.files.types import read_types, version_of
from prefectx.stores.signing import SigningKey


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
        fsync: write the signature to the disk first.
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
        place = _place(self._location, self._signature)
        with self._files.replacing(place, fsync=self._fsync) as path:
            Path(path).write_text(self._signature)

    def __enter__(self) -> Signed:
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if error is None and self._replaced not in (None, self._signature):
            assert self._replaced is not None
            self._files.delete(_place(self._location, self._replaced))


def delete_signed(key: SigningKey, files: Files, location: str, *, typed: bool = False) -> None:
    """Remove an output and its signature."""
    signature = _present(key, files, location, typed=typed)
    files.delete(location)
    if signature is not None:
        files.delete(_place(location, signature))


def _present(key: SigningKey, files: Files, location: str, *, typed: bool) -> str | None:
    """Return the signature that the output at `location` has, if it has one; None without it."""
    try:
        with files.reading(location) as path, Path(path).open("rb") as stream:
            types = None
            if typed:
                types, _ = read_types(files, location, version_of(stream))
                stream.seek(0)
            return _sign(key, location, stream, types)
    except OSError:
        return None


def _sign(key: SigningKey, location: str, stream: BinaryIO, types: bytes | None) -> str:
    made = hashlib.sha256()
    while block := stream.read(1 << 20):
        made.update(block)
    parts = [made.digest()]
    if types is not None:
        parts.append(hashlib.sha256(types).digest())
    return key.sign(_signed_name(location), *parts)


def verify_signature(
    key: SigningKey, files: Files, location: str, stream: BinaryIO, types: bytes | None = None
) -> None:
    """Verify the signature of an output.

    Parameters:
        key: the key that must have signed it.
        files: where the output is.
        location: the location of the output.
        stream: its bytes.
        types: the types that are kept beside it.

    Raises:
        CorruptItemError: it has no valid signature.
    """
    signature = _sign(key, location, stream, types)
    try:
        with files.reading(_place(location, signature)) as beside:
            genuine = hmac.compare_digest(Path(beside).read_bytes(), signature.encode())
    except FileNotFoundError:
        genuine = False
    if not genuine:
        raise not_signed(location)


def _signed_name(location: str) -> str:
    # Not the whole path, so that a folder of outputs can be moved.
    return "/".join(location.rsplit("/", 2)[-2:])


def _place(location: str, signature: str) -> str:
    # Half of it is the name; the other half, in the file, cannot be guessed from a listing.
    return f"{location.rpartition('/')[0]}/{HIDDEN}{signature[:32]}.sig"
