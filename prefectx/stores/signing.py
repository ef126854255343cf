"""Signatures of outputs, so that only what was saved with a secret key is ever loaded.

A signature is a small file beside the output, named by what it signs. It is written before the
output is put in its place and nothing ever changes it, so that at any moment the output that is
there, whoever of several writers it is from, has one.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from typing import Any

from prefectx.errors import ConfigError

VARIABLE = "PREFECTX_SIGNING_KEY"


class SigningKey:
    """A secret key. It never travels or lies on a disk: a pickled one is a mere reference.

    Where a reference is unpickled, the key is taken from the environment, `PREFECTX_SIGNING_KEY`.

    Parameters:
        secret: the key; better at least 32 random characters.
    """

    def __init__(self, secret: str) -> None:
        self._secret: str | None = secret
        self._mark = hashlib.sha256(b"prefectx\0" + secret.encode()).hexdigest()[:16]

    def sign(self, location: str, content: bytes) -> str:
        """Return the signature of an output's bytes and of its name and folder, in hex.

        Raises:
            ConfigError: where this process does not have the key.
        """
        # Not of the whole path, so that a folder of outputs can move.
        place = "/".join(location.rsplit("/", 2)[-2:]).encode()
        message = b"%d:%b%b" % (len(place), place, content)
        return hmac.new(self._key(), message, hashlib.sha256).hexdigest()

    def _key(self) -> bytes:
        secret = self._secret or os.environ.get(VARIABLE)
        if secret is None or SigningKey(secret)._mark != self._mark:
            raise ConfigError(
                f"this process does not have the signing key: set {VARIABLE} in its environment "
                "to the key that the flow has"
            )
        return secret.encode()

    def __getstate__(self) -> dict[str, Any]:
        return {"_secret": None, "_mark": self._mark}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SigningKey) and other._mark == self._mark

    def __hash__(self) -> int:
        return hash(self._mark)

    def __repr__(self) -> str:
        return "SigningKey(...)"
