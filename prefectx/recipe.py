"""Recipe, what one task's options come to: its mode, its templates and its store."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from prefectx.errors import ConfigError, TargetError
from prefectx.fingerprint import short_hash
from prefectx.formats import known_suffix
from prefectx.item import Item, Store
from prefectx.modes import get_mode
from prefectx.stores import make_store
from prefectx.stores.files import Filestore
from prefectx.target import Template, automatic_base, compile_template, contained

if TYPE_CHECKING:
    from prefectx.settings import Settings
    from prefectx.tasks import Task


class Recipe:
    """The options of one task under one Settings, made ready for its calls.

    Parameters:
        task: the task.
        settings: the settings in force.

    Attributes:
        options: the resolved options.
        mode: the mode of the task's calls.
        target: the compiled target, None where no output is kept.
        run_name: the compiled name of the runs, None where Prefect is to make it.
        store: where the outputs are kept.
        suffix: the suffix of the format, for the field `{ext}`.

    Raises:
        ConfigError: where the options name a store or a format that there is not.
        TargetError: where the target is no template.
    """

    __slots__ = ("mode", "options", "run_name", "settings", "store", "suffix", "target", "task")

    def __init__(self, task: Task[..., Any], settings: Settings) -> None:
        self.task = task
        self.settings = settings
        self.options = settings.options(task.name, task.keywords)
        self.mode = get_mode(self.options.mode)
        self.target = self._compile(self.options.target) if self.mode.keeps else None
        self.run_name = self._compile(self._chosen_run_name())
        self.suffix: str = "." + (self.options.format or "pkl").lstrip(".")
        self.store = self._make_store(self.options.format)
        self._check_suffix()

    def item(self, fields: Fields) -> Item | None:
        """Fill the target of a call.

        Raises:
            TargetError: where a field is missing or the target leaves its folder.
        """
        template = self.target
        if template is None:
            return None
        try:
            filled = contained(template, template.fill(fields))
        except TargetError as error:
            raise TargetError(f"{self._where(template)}: {error}") from error
        store = self._make_store(".pkl") if self._is_pickled(fields) else self.store
        return Item(store, store.locate(self.options.root, filled))

    def _is_pickled(self, fields: Fields) -> bool:
        # An automatic base such as `a.csv` is a name made from arguments, not a wish for CSV.
        assert self.target is not None
        return (
            fields.is_automatic
            and not self.target.tail
            and self.options.format is None
            and isinstance(self.store, Filestore)
        )

    def _chosen_run_name(self) -> str | None:
        name = self.options.task_run_name
        if not isinstance(name, str):
            return None
        # Where prefectx only stands by, Prefect names its runs as it always does.
        chosen = self.mode.keeps or self.options.sources["task_run_name"].layer != "default"
        return name if chosen else None

    def _make_store(self, suffix: str | None) -> Store:
        stores, fsync = self.settings.stores, self.options.fsync
        return make_store(self.options.store or "file", stores, format=suffix, fsync=fsync)

    def _compile(self, text: str | None) -> Template | None:
        try:
            return None if text is None else compile_template(text)
        except TargetError as error:
            raise TargetError(f"task {self.task.name!r}: {error}") from error

    def _check_suffix(self) -> None:
        if self.target is None or self.options.format or not isinstance(self.store, Filestore):
            return
        ending = "x" + self.target.tail
        suffix = PurePosixPath(ending).suffix
        if suffix and not known_suffix(ending):
            raise ConfigError(
                f"{self._where(self.target)}: there is no format for {suffix!r}; register one with"
                " prefectx.register_format, or name one with format="
            )

    def _where(self, template: Template) -> str:
        return f"task {self.task.name!r}, target {template.text!r}"


class Fields:
    """What the templates of one call may name; the first that has a name wins.

    Parameters:
        recipe: the recipe of the called task.
        arguments: the arguments of the call by name, defaults applied.
        context: the values set at run time or in the configuration.
        flow: the name of the flow that makes the call, None outside a flow.

    Attributes:
        is_automatic: whether the base was made from the arguments.
    """

    __slots__ = ("_arguments", "_context", "_flow", "_named", "_recipe", "is_automatic")

    def __init__(
        self,
        recipe: Recipe,
        arguments: dict[str, Any],
        context: Mapping[str, Any],
        flow: str | None,
    ) -> None:
        self._recipe = recipe
        self._arguments = arguments
        self._named = recipe.task.binder.fields(arguments)
        self._context = context
        self._flow = flow
        self.is_automatic = False

    def __getitem__(self, name: str) -> Any:
        if name in self._named:
            return self._named[name]
        if name in self._context:
            return self._context[name]
        value = _BUILT_IN[name](self)
        if value is None:
            raise KeyError(name)
        return value

    def names(self) -> set[str]:
        """Return the names that there are."""
        absent = {"flow"} if self._flow is None else set()
        return {*self._named, *self._context, *_BUILT_IN} - absent

    def _base(self) -> str:
        self.is_automatic = True
        task = self._recipe.task
        return automatic_base(
            self._arguments, hidden=task.hidden_arguments, default=task.fn.__name__
        )


_BUILT_IN: Mapping[str, Callable[[Fields], Any]] = {
    "funcname": lambda fields: fields._recipe.task.fn.__name__,
    "name": lambda fields: fields._recipe.task.name,
    "flow": lambda fields: fields._flow,
    "module": lambda fields: fields._recipe.task.fn.__module__,
    "base": Fields._base,
    "ext": lambda fields: fields._recipe.suffix,
    "now": lambda fields: datetime.datetime.now(),
    "today": lambda fields: datetime.date.today(),
    "arguments": lambda fields: short_hash(fields._arguments),
}
