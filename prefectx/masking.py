"""Hides passwords, tokens and other secrets in text: by their names, and by how they look."""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import SequenceMatcher
from functools import lru_cache

MASK = "***"

# A name is secret if one of these is in it, whatever is around: db_password, x-api-key, authToken.
_PARTS = (
    *("password", "passwd", "passphrase", "passcode", "secret", "credential", "token", "cookie"),
    *("apikey", "accesskey", "accountkey", "authkey", "encryptionkey", "licensekey", "masterkey"),
    *("privatekey", "sharedkey", "signingkey", "sshkey", "storagekey", "subscriptionkey"),
    *("bearer", "oauth", "webhook", "sessionid", "connectionstring", "connstr", "signature"),
)
# A name is secret if one of these is a word of it: DB_PASS, AUTH, but not compass or author.
_WORDS = frozenset(
    (
        *("auth", "authentication", "authorization", "cred", "creds", "csrf", "hmac", "jwt"),
        *("mfa", "otp", "pass", "passes", "passw", "passwrd", "pat", "pin", "psk", "psw"),
        *("pswd", "pw", "pwd", "pwds", "sas", "sig", "xsrf"),
    )
)
# A name that ends in `key` is secret, if the word before is none of these.
_HARMLESS_KEYS = frozenset(
    (
        *("cache", "column", "dict", "foreign", "group", "grouping", "index", "join"),
        *("lookup", "merge", "order", "partition", "primary", "public", "row", "sort"),
        *("sorting", "tls"),
    )
)
_OFTEN_MISSPELT = ("password", "passphrase", "credential", "credentials")
_OFTEN_TWISTED = ("token", "secret", "passwd")
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")

_IN_URL = re.compile(r"(://[^\s:/@\"']*:)[^\s\"']+(@)")
_TOKEN_IN_URL = re.compile(r"(https?://)[^\s:/@\"']+(@)|(://)[^\s:/@\"']{20,}(@)")
_IN_QUERY = re.compile(r"([?&;])([\w.-]+)(=)([^&;\s\"']+)")
_ASSIGNED = re.compile(r"([\w.-]*[A-Za-z][\w.-]*)\"?'?\s*[=:]\s*(?!//)")
_VALUE = re.compile(
    r"\"[^\"]*\"|'[^']*'|(?:Bearer |Basic )?(?:(?!;[\w ]+=)[^\s,}\]])+"  # a=x;b=y are two
)
_OPTION = re.compile(r"(?<!\S)(--?)([\w-]+)( +)([^\s\"'=:-][^\s\"']*)")
# What says by its form that it is a secret: an authorization, keys and tokens of known services.
_SHAPES = re.compile(
    r"(?<=Bearer )[\w.~+/=-]{8,}|(?<=Basic )[\w+/=-]{8,}"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----(?:.|\n)*?(?:-----END [A-Z ]*-----|$)"
    r"|\bey[JI][\w-]{8,}\.[\w-]{8,}\.[\w-]*"
    r"|\b(?:gh[opsur]_|github_pat_|glpat-|xox[abeprs]-|pypi-|hf_|npm_|dop_v1_)[\w-]{10,}"
    r"|\bsk[-_][\w-]{16,}|\b(?:AKIA|ASIA)[A-Z0-9]{16}\b|\bAIza[\w-]{30,}"
)


@lru_cache(maxsize=4096)
def is_secret(key: str) -> bool:
    """Return whether the name of a key says that its value is secret."""
    words = [word.lower() for word in _WORD.findall(key)]
    whole = "".join(words)
    # What is cut into tokens is no secret.
    if any(part in whole.replace("tokeni", "") for part in _PARTS):
        return True
    if len(words) > 1 and words[-1] in ("key", "keys") and words[-2] not in _HARMLESS_KEYS:
        return True
    return any(word in _WORDS or _is_misspelt(word) for word in (*words, whole))


def _is_misspelt(word: str) -> bool:
    near = (SequenceMatcher(None, word, known).ratio() for known in _OFTEN_MISSPELT)
    if len(word) > 4 and any(ratio >= 0.84 for ratio in near):
        return True
    letters = word[:1], sorted(word)
    return any(letters == (known[0], sorted(known)) for known in _OFTEN_TWISTED)


def mask_urls(text: str) -> str:
    """Hide passwords and tokens in URLs."""
    if "://" not in text:
        return text
    text = _IN_URL.sub(rf"\1{MASK}\2", text)
    text = _TOKEN_IN_URL.sub(lambda found: f"{found[1] or found[3]}{MASK}@", text)
    return _IN_QUERY.sub(lambda found: _hidden(found, MASK), text)


def mask(text: str) -> str:
    """Hide passwords in URLs, values assigned to secret names (`token = "x"`), known tokens."""
    text = _SHAPES.sub(MASK, mask_urls(text))
    text = _OPTION.sub(lambda found: _hidden(found, MASK), text)
    parts, at = [], 0
    for found in _ASSIGNED.finditer(text):
        value = _VALUE.match(text, found.end()) if is_secret(found[1]) else None
        if value is not None and found.start() >= at:
            parts.append(f'{text[at : found.end()]}"{MASK}"')
            at = value.end()
    return "".join((*parts, text[at:]))


def _hidden(found: re.Match[str], shown: str) -> str:
    return f"{found[1]}{found[2]}{found[3]}{shown}" if is_secret(found[2]) else found[0]


def masked(value: object, key: str = "") -> object:
    """Return `value` with its secrets hidden, also those in tables and lists."""
    # pydantic's SecretStr and SecretBytes, without importing them.
    is_wrapped = hasattr(value, "get_secret_value")
    if is_wrapped or (value is not None and not isinstance(value, bool) and is_secret(key)):
        return MASK
    if isinstance(value, Mapping):
        return {name: masked(part, str(name)) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(masked(part, key) for part in value)
    return mask(value) if isinstance(value, str) else value
