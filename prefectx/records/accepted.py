"""Changes of code that somebody accepted: in a file to commit, so that they hold for everybody."""

from __future__ import annotations

import contextlib
import functools
import os
import tomllib
from collections.abc import Iterable
from pathlib import Path
from uuid import uuid4

from prefectx.errors import ConfigError
from prefectx.records.staleness import Accepted

FILE_NAME = "prefectx.accepted.toml"
_HEAD = """\
# Changes of code that change no output, made by `prefectx accept`; commit this file.
# By symbol: the fingerprint before = the fingerprint after. Lines may be merged in any order.
"""


def accepted_in(folder: str) -> Accepted:
    """Return the changes of code that count as none.

    Parameters:
        folder: the folder of the configuration.

    Raises:
        ConfigError: the file is not what `prefectx accept` writes.
    """
    path = f"{folder}/{FILE_NAME}"
    try:
        return _read(path, os.stat(path).st_mtime_ns)  # noqa: PTH116  # on the way of each task
    except FileNotFoundError:
        return {}


@functools.lru_cache(maxsize=16)
def _read(path: str, _: int) -> Accepted:
    try:
        found = tomllib.loads(Path(path).read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: {error}; restore it, or delete it and accept again") from error
    for symbol, changes in found.items():
        is_table = isinstance(changes, dict)
        if not is_table or not all(isinstance(value, str) for value in changes.values()):
            raise ConfigError(f"{path}: [{symbol!r}] is no table of fingerprints")
    return found


def accept(folder: str, changes: Iterable[tuple[str, str, str]]) -> str:
    """Add changes of code to those that count as none.

    Parameters:
        folder: the folder of the configuration.
        changes: of each the symbol, and its fingerprints before and after.

    Returns:
        The path of the file.
    """
    known = {symbol: dict(found) for symbol, found in accepted_in(folder).items()}
    for symbol, before, after in changes:
        known.setdefault(symbol, {})[before] = after
    tables = (
        f'["{symbol}"]\n' + "".join(f'{old} = "{new}"\n' for old, new in sorted(found.items()))
        for symbol, found in sorted(known.items())
    )
    path = Path(folder, FILE_NAME)
    temporary = path.with_name(f".prefectx-{uuid4().hex}.tmp")
    try:
        temporary.write_text(_HEAD + "\n" + "\n".join(tables), "utf-8")
        temporary.replace(path)
    finally:
        with contextlib.suppress(FileNotFoundError):
            temporary.unlink()
    return str(path)
