"""What the code of a task consists of."""

from __future__ import annotations

from collections.abc import Mapping
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import Any, NamedTuple

from prefectx.arguments.fingerprint import fingerprint
from prefectx.arguments.identity.form import Unidentifiable
from prefectx.records.code.references import Chain

_CODE = (FunctionType, type, ModuleType, BuiltinFunctionType)


def digest_of(value: Any) -> str | None:
    """Return a fingerprint of a value, None if it cannot be told from others."""
    try:
        return fingerprint(value).hex()
    except Unidentifiable:
        return None


def task_function(thing: object) -> object:
    """Return the function of a task or flow, None if it is neither."""
    is_ours = type(thing).__module__.partition(".")[0] in ("prefectx", "prefect")
    return getattr(thing, "fn", None) if is_ours else None


class Global(NamedTuple):
    """The value of a global that no source tells of.

    Attributes:
        namespace: the globals of the function that uses it.
        chain: its name, and the attributes taken of it.
        value: the value.
        digest: its fingerprint; None of code, which is told by which object it is.
    """

    namespace: Mapping[str, object]
    chain: Chain
    value: object
    digest: str | None

    @classmethod
    def read(cls, namespace: Mapping[str, object], chain: Chain) -> Global:
        """Return the value that a name with attributes has now."""
        value: object = namespace.get(chain[0])
        for name in chain[1:]:
            if not isinstance(value, ModuleType):
                break
            value = getattr(value, name, None)
        is_code = isinstance(value, _CODE) or task_function(value) is not None
        return cls(namespace, chain, value, None if is_code else digest_of(value))

    def holds(self) -> bool:
        """Tell whether it is still what it was."""
        now = Global.read(self.namespace, self.chain)
        return now.value is self.value if self.digest is None else now.digest == self.digest


class Code(NamedTuple):
    """The code of a task.

    Attributes:
        digest: a fingerprint of all of it.
        own: that of the task's function alone, None if unknown.
        symbols: that of each symbol of the project that it refers to; None: unknown, as the
            source is not that of the loaded code.
        sources: the source text of each known fingerprint.
        outdated: the symbols whose source was changed after the code was loaded.
        imports: the top-level modules that the code uses and that are not of the project.
        referrers: of each symbol one that refers to it, empty for the function itself.
        globals: the globals that no source tells of, as those of a notebook, which may change.
    """

    digest: str
    own: str | None
    symbols: Mapping[str, str | None]
    sources: Mapping[str, str]
    outdated: frozenset[str] = frozenset()
    imports: frozenset[str] = frozenset()
    globals: tuple[Global, ...] = ()
    referrers: Mapping[str, str] = {}

    def holds(self) -> bool:
        """Tell whether the globals without a source are still what they were."""
        return all(each.holds() for each in self.globals)
