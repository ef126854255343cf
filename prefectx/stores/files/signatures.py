"""Signatures of files: small files beside the outputs, `.prefectx-*.sig`."""

from __future__ import annotations

import hashlib
import hmac
from pathlib import Path

from prefectx.stores.error_messages import not_signed
from prefectx.stores.files.local import HIDDEN
from prefectx.stores.files.protocol import Files
from prefectx.stores.signing import SigningKey


def write_signature(
    key: SigningKey,
    files: Files,
    location: str,
    temporary: str,
    types: bytes | None = None,
    *,
    fsync: bool,
) -> None:
    """Sign a file, with the types that are kept beside it, before it is moved to `location`.

    The name of the signature is made from it, so that it never changes: whichever of several
    writers wins, the output that is there has its signature.
    """
    with Path(temporary).open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").digest()
    signature = key.sign(_signed_name(location), *_signed_content(digest, types))
    with files.replacing(_place(location, signature), fsync=fsync) as path:
        Path(path).write_text(signature)


def verify_signature(
    key: SigningKey, files: Files, location: str, content: bytes, types: bytes | None = None
) -> None:
    """Verify the signature of a file.

    Parameters:
        key: the key that must have signed it.
        files: where the output is.
        location: the location of the output.
        content: the bytes of the file.
        types: the types that are kept beside it.

    Raises:
        CorruptItemError: it has no valid signature.
    """
    digest = hashlib.sha256(content).digest()
    signature = key.sign(_signed_name(location), *_signed_content(digest, types))
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


def _signed_content(digest: bytes, types: bytes | None) -> list[bytes]:
    return [digest] if types is None else [digest, hashlib.sha256(types).digest()]


def _place(location: str, signature: str) -> str:
    # Half of it is the name; the other half, in the file, cannot be guessed from a listing.
    return f"{location.rpartition('/')[0]}/{HIDDEN}{signature[:32]}.sig"
