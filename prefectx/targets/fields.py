"""Fields, what the templates of one call may name."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from prefectx.arguments.fingerprint import short_hash
from prefectx.runtime import current_values

if TYPE_CHECKING:
    from prefectx.calls.resolved_task import Recipe


class Fields(dict[str, Any]):
    """What the templates of one call may name; the first that has a name wins.

    The arguments themselves are in the dict, the rest is made when it is asked for.

    Parameters:
        recipe: the recipe of the called task.
        arguments: the arguments of the call by name, defaults applied.
        flow: gives the name of the flow that makes the call, None outside a flow.

    Attributes:
        arguments: as the templates see them.
        is_automatic: whether the base was made from the arguments.
    """

    __slots__ = ("_flow", "_recipe", "arguments", "is_automatic")

    def __init__(
        self, recipe: Recipe, arguments: dict[str, Any], flow: Callable[[], str | None]
    ) -> None:
        super().__init__(arguments)
        self.arguments = arguments
        self.is_automatic = False
        self._recipe = recipe
        self._flow = flow
        if recipe.task.binder.variadic:
            self.update(recipe.task.binder.fields(arguments))

    def __missing__(self, name: str) -> Any:
        context = self.context
        if name in context:
            return context[name]
        value = _BUILT_IN[name](self)
        if value is None:
            raise KeyError(name)
        return value

    @property
    def context(self) -> Mapping[str, Any]:
        """The values set at run time, before those of the configuration."""
        values, configured = current_values(), self._recipe.options.context
        return {**configured, **values} if values and configured else values or configured

    def names(self) -> set[str]:
        """Return the names that there are."""
        absent = {"flow"} if self._flow() is None else set()
        return {*self, *self.context, *_BUILT_IN} - absent

    def _base(self) -> str:
        self.is_automatic = True
        return self._recipe.automatic_base().fill(self.arguments)


_BUILT_IN: Mapping[str, Callable[[Fields], Any]] = {
    "funcname": lambda fields: fields._recipe.task.fn.__name__,
    "name": lambda fields: fields._recipe.task.name,
    "flow": lambda fields: fields._flow(),
    "module": lambda fields: fields._recipe.task.fn.__module__,
    "base": Fields._base,
    "ext": lambda fields: fields._recipe.suffix,
    "now": lambda fields: datetime.datetime.now(),
    "today": lambda fields: datetime.date.today(),
    "arguments": lambda fields: short_hash(fields.arguments),
}
