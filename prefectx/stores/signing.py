"""Signatures of outputs, so that only what was saved with a secret key is ever loaded."""

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

    def sign(self, *parts: str | bytes) -> str:
        """Return the signature of an output's parts, such as its place and its bytes, in hex.

        Raises:
            ConfigError: where this process does not have the key.
        """
        made = hmac.new(self._key(), digestmod=hashlib.sha256)
        for part in parts:
            content = part.encode(errors="surrogatepass") if isinstance(part, str) else part
            # With its length, so that no part can lend bytes to the next.
            made.update(b"%d:" % len(content))
            made.update(content)
        return made.hexdigest()

    def is_signature(self, found: str | bytes | None, *parts: str | bytes) -> bool:
        """Tell whether `found` is the signature of these parts, in a time that tells no more."""
        given = found.encode(errors="replace") if isinstance(found, str) else found or b""
        return hmac.compare_digest(given, self.sign(*parts).encode())

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
