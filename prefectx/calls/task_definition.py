"""What calls need of what users decorate."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from prefectx.arguments.signature import Signature


class TaskDefinition(Protocol):
    """A decorated function, as far as its calls need it; `prefectx.Task` is one."""

    name: str
    __name__: str
    fn: Callable[..., Any]
    isasync: bool
    isgenerator: bool

    @property
    def keywords(self) -> Mapping[str, object]:
        """The keywords of prefectx that the decorator was given."""

    @property
    def prefect_keywords(self) -> Mapping[str, object]:
        """The keywords of Prefect that the decorator was given."""

    @property
    def given_name(self) -> str | None:
        """The name that the task was given, None if it has that of the function."""

    @property
    def signature(self) -> Signature:
        """What binds arguments to the function's parameters."""

    @property
    def qualified_name(self) -> str:
        """Where the function is defined: `package.module:function`."""

    @property
    def hidden_arguments(self) -> frozenset[str]:
        """The arguments that a default name does not show: `self`, `*args`, `**kwargs`."""
