"""Fields: what the templates of one call may name."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from prefectx.arguments.fingerprint import short_hash
from prefectx.arguments.signature import Arguments
from prefectx.run_context import current_values, run_began
from prefectx.targets.default_name import DefaultName


@dataclass(frozen=True, slots=True)
class TaskFields:
    """What the calls of one task have in common.

    Attributes:
        constants: the fields that are the same in all calls: `funcname`, `name`, `module`, `ext`.
        context: the values of the configuration's `[context]`.
        default_name: makes `base` if nobody sets it.
        keywords: the name of the function's `**kwargs`, whose names are fields too.
        folders: the root and the project's folder: paths count relative to them.
        ignored: the arguments that do not count in `arguments`.
        timezone: the zone of `now` and `today`, None for the machine's.
    """

    constants: Mapping[str, str]
    context: Mapping[str, object]
    default_name: DefaultName
    keywords: str | None
    folders: tuple[str, ...] = ()
    ignored: Collection[str] = ()
    timezone: str | None = None


class Fields(dict[str, Any]):
    """What the templates of one call may name; the first that has a name wins.

    The arguments themselves are in the dict, the rest is made when it is asked for.

    Parameters:
        task: what all calls of the task have in common.
        arguments: the arguments of the call by name, defaults applied.
        flow: gives the name of the flow that makes the call, None outside a flow.

    Attributes:
        is_automatic: whether the base was made from the arguments.
    """

    __slots__ = ("_arguments", "_flow", "_task", "is_automatic")

    def __init__(
        self, task: TaskFields, arguments: Arguments, flow: Callable[[], str | None]
    ) -> None:
        super().__init__(arguments)
        self.is_automatic = False
        self._arguments = arguments
        self._task = task
        self._flow = flow
        more = arguments.get(task.keywords) if task.keywords else None
        if isinstance(more, Mapping):
            self.update({name: more[name] for name in more if name not in arguments})

    def __missing__(self, name: str) -> Any:
        context = self.context
        if name in context:
            return context[name]
        if name in self._task.constants:
            return self._task.constants[name]
        value = _MADE[name](self)
        if value is None:
            raise KeyError(name)
        return value

    @property
    def context(self) -> Mapping[str, object]:
        """The values set at run time, before those of the configuration."""
        values, configured = current_values(), self._task.context
        return {**configured, **values} if values and configured else values or configured

    def names(self) -> set[str]:
        """Return the names that can be used."""
        absent = {"flow"} if self._flow() is None else set()
        return {*self, *self.context, *self._task.constants, *_MADE} - absent

    def _now(self) -> datetime.datetime:
        """Return when the flow run began, outside one the present time, without its zone."""
        zone = None if self._task.timezone is None else ZoneInfo(self._task.timezone)
        when = run_began() or datetime.datetime.now(datetime.UTC)
        return when.astimezone(zone).replace(tzinfo=None)

    def _base(self) -> str:
        self.is_automatic = True
        return self._task.default_name.fill(self._arguments)


_MADE: Mapping[str, Callable[[Fields], object]] = {
    "flow": lambda fields: fields._flow(),
    "base": Fields._base,
    "now": Fields._now,
    "today": lambda fields: fields._now().date(),
    "arguments": lambda fields: short_hash(
        fields._arguments, fields._task.folders, fields._task.ignored
    ),
}
