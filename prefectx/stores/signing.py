"""Signatures of outputs, so that only outputs saved with a secret key are ever loaded."""

from __future__ import annotations

import hashlib
import hmac
import os

from prefectx.errors import ConfigError

VARIABLE = "PREFECTX_SIGNING_KEY"


class SigningKey:
    """A secret key. It is never pickled or written to a disk: a pickle holds only its mark.

    After unpickling, the key comes from the environment variable `PREFECTX_SIGNING_KEY`.

    Parameters:
        secret: the key; at least 32 random characters are recommended.
    """

    def __init__(self, secret: str) -> None:
        self._secret: str | None = secret
        self._mark = hashlib.sha256(b"prefectx\0" + secret.encode()).hexdigest()[:16]

    def sign(self, *parts: str | bytes) -> str:
        """Return the signature of an output's parts, such as its place and its bytes, in hex.

        Raises:
            ConfigError: this process does not have the key.
        """
        secret = self._secret or os.environ.get(VARIABLE)
        if secret is None or SigningKey(secret)._mark != self._mark:
            raise ConfigError(
                f"this process does not have the signing key: set {VARIABLE} in its environment "
                "to the key of the flow"
            )
        signature = hmac.new(secret.encode(), digestmod=hashlib.sha256)
        for part in parts:
            content = part.encode(errors="surrogatepass") if isinstance(part, str) else part
            # The length first, so that no bytes can move from one part to the next.
            signature.update(b"%d:" % len(content))
            signature.update(content)
        return signature.hexdigest()

    def is_signature(self, found: str | bytes | None, *parts: str | bytes) -> bool:
        """Tell whether `found` is the signature of these parts, in constant time."""
        given = found.encode(errors="replace") if isinstance(found, str) else found or b""
        return hmac.compare_digest(given, self.sign(*parts).encode())

    def __getstate__(self) -> dict[str, str | None]:
        return {"_secret": None, "_mark": self._mark}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SigningKey) and other._mark == self._mark

    def __hash__(self) -> int:
        return hash(self._mark)

    def __repr__(self) -> str:
        return "SigningKey(...)"
