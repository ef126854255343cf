"""Origin: what the outputs of one task's calls have in common; Stale: that one is out of date."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from prefectx.item import Store
from prefectx.records.staleness import Accepted, Cause


class Stale(NamedTuple):
    """An output that was made from something else than what it would be made from now.

    Attributes:
        causes: why.
        reaction: the strongest of what the options say to these causes: warn, rerun or error.
    """

    causes: tuple[Cause, ...]
    reaction: str

    def __str__(self) -> str:
        """Return the causes in words, the first three of them."""
        shown = "; ".join(cause.text for cause in self.causes[:3])
        left = len(self.causes) - 3
        return f"{shown}; and {left} more" if left > 0 else shown


class Origin(NamedTuple):
    """What the outputs of one task's calls have in common.

    Attributes:
        folder: the folder that the records belong to.
        store: reads and writes bytes there if it is a URL.
        task: the name of the task.
        function: where its function is defined: `package.module:function`.
        code: the fingerprint of the code, that of the function alone, and of its symbols.
        stale: what becomes of a stale output, by the cause.
        limit: the size in bytes above which a file's content is not read.
        packages: the installed packages whose code counts as the project's.
        versions: the versions of the packages that the code imports, if they are compared.
        is_shared: whether different calls may have one target.
        keep: how many earlier versions of an output are kept.
        is_temporary: whether the output is deleted when its flow has ended.
        is_lazy: whether it may be missing, and is made when it is needed.
        texts: absolute paths of files of which the text is kept, so that changes can be shown.
        accepted: changes of code that count as none.
    """

    folder: str
    store: Store | None
    task: str
    function: str
    code: tuple[str, str | None, Mapping[str, str | None]]
    stale: Mapping[str, str]
    limit: int | None
    packages: tuple[str, ...]
    versions: Mapping[str, str]
    is_shared: bool
    keep: int
    is_temporary: bool
    is_lazy: bool
    texts: frozenset[str]
    accepted: Accepted
