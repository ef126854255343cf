"""Recipe, what one task's options come to: its mode, its templates and its store."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from prefectx.calls.fast_path import Finder, NoFinder
from prefectx.errors import ConfigError, StoreError, TargetError
from prefectx.formats import known_suffix
from prefectx.item import Item, Store
from prefectx.modes import get_mode, load_engine
from prefectx.stores import make_store
from prefectx.stores.files.filestore import Filestore
from prefectx.targets.default_name import AutomaticBase
from prefectx.targets.fields import Fields
from prefectx.targets.template import Part, Template, compile_template, contained

if TYPE_CHECKING:
    from prefectx.settings import Settings
    from prefectx.tasks.task import Task


class Recipe:
    """The options of one task under one Settings, made ready for its calls.

    Parameters:
        task: the task.
        settings: the settings in force.

    Attributes:
        options: the resolved options.
        mode: the mode of the task's calls.
        engine: the module that runs them.
        signature: where the function is defined, and the names of its parameters.
        is_bare: whether its calls are nothing but calls of the function.
        is_closed: whether the arguments suffice to fill the target, while nothing is set at run
            time.
        finder: the short way to finished calls.
        keeps: whether outputs are kept and finished calls skipped.
        target: the compiled target, None where no output is kept.
        run_name: the compiled name of the runs, None where Prefect is to make it.
        store: where the outputs are kept; without a target it means nothing.
        suffix: the suffix of the format, for the field `{ext}`.

    Raises:
        ConfigError: where the options name a store or a format that there is not.
        TargetError: where the target is no template.
    """

    __slots__ = (
        "_folded",
        "_folded_store",
        "engine",
        "finder",
        "is_bare",
        "is_closed",
        "keeps",
        "mode",
        "options",
        "run_name",
        "settings",
        "signature",
        "store",
        "suffix",
        "target",
        "task",
    )

    task: Task[..., Any]

    def __init__(self, task: Task[..., Any], settings: Settings) -> None:
        self.task = task
        self.settings = settings
        self.options = settings.options(task.name, task.keywords)
        self.mode = get_mode(self.options.mode)
        self.engine = load_engine(self.mode)
        self.signature = (task.qualified_name, task.binder.names)
        self.keeps = self.mode.keeps
        # A function that saves its own output needs to know where in every mode.
        has_target = self.keeps or not self.options.save
        self.target = self._compile(self.options.target) if has_target else None
        self.is_bare = self.target is None and not self.keeps
        self.run_name = self._compile(self._chosen_run_name())
        self.suffix: str = "." + (self.options.format or "pkl").lstrip(".")
        self.store = self._make_store(self.options.format) if self.target else Filestore()
        self._check_suffix()
        self.is_closed = False
        self._folded, self._folded_store = self.target, self.store
        self.finder: Finder = NoFinder(self.store)
        if self.target is not None:
            self._check_lock()
            self._fold()
            self.finder = self._make_finder()

    def item(self, lookup: dict[str, Any]) -> Item:
        """Fill the target of a call.

        Parameters:
            lookup: the arguments of the call where they suffice (`is_closed`), else its Fields.

        Raises:
            TargetError: where a field is missing or the target leaves its folder.
        """
        if type(lookup) is dict:
            template, store = self._folded, self._folded_store
        else:
            template, store = self.target, self.store
        assert template is not None
        try:
            filled = contained(template, template.fill(lookup))
        except TargetError as error:
            raise TargetError(f"{self._where(template)}: {error}") from error
        if type(lookup) is Fields and lookup.is_automatic:
            store = self._pickle_store()
        return Item(store, store.locate(self.options.root, filled))

    def _fold(self) -> None:
        """Fill for good what is the same in every call, so that the arguments suffice."""
        own = {*self.task.binder.signature.parameters, *self.options.context}
        base = self.automatic_base()
        known: dict[str, str | Part] = {
            "base": base,
            "ext": self.suffix,
            "name": self.task.name,
            "funcname": self.task.fn.__name__,
            "module": self.task.fn.__module__,
        }
        assert self.target is not None
        self._folded = self.target.fold({n: known[n] for n in known.keys() - own})
        self._folded_store = self._pickle_store() if base in self._folded.parts else self.store
        needed = set(self._folded.names())
        self.is_closed = (
            not self.task.binder.variadic and needed <= own - self.options.context.keys()
        )

    def _make_finder(self) -> Finder:
        options, template, store = self.options, self._folded, self._folded_store
        assert template is not None
        always_looks = self.mode.skips and not options.refresh and options.on_corrupt == "error"
        is_known = type(store).locate in (Filestore.locate, Store.locate)
        if not (always_looks and is_known and self.is_closed and self.task.binder.is_simple):
            return NoFinder(store)
        location = store.locate(options.root, place := f"{template.prefix}x")
        if not (template.is_normal and location.endswith(place)):
            return NoFinder(store)
        before, shared = location.removesuffix(place), options.shared
        return Finder(self.signature, self.task.binder.bind, template, store, before, shared)

    def automatic_base(self) -> AutomaticBase:
        """Return what names the calls of the task."""
        return AutomaticBase(self.task.fn.__name__, self.task.hidden_arguments)

    def _pickle_store(self) -> Store:
        """Return the store for a target that ends in an automatic base.

        A base such as `a.csv` is a name made from arguments, not a wish for CSV.
        """
        assert self.target is not None
        by_name = not self.target.tail and not self.options.format
        return (
            self._make_store(".pkl")
            if by_name and isinstance(self.store, Filestore)
            else self.store
        )

    def _chosen_run_name(self) -> str | None:
        name = self.options.task_run_name
        if not isinstance(name, str):
            return None
        # Where prefectx only stands by, Prefect names its runs as it always does.
        chosen = self.mode.keeps or self.options.sources["task_run_name"].layer != "default"
        return name if chosen else None

    def _make_store(self, suffix: str | None) -> Store:
        options = self.options
        return make_store(
            options.store or "file",
            self.settings.stores,
            format=suffix,
            fsync=options.fsync,
            allow_pickle=options.allow_pickle,
        )

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

    def _check_lock(self) -> None:
        """Refuse `lock = true` where the store has no locks, before anything is run."""
        if not (self.options.lock and self.keeps and self.target):
            return
        try:
            self.store.lock(self.store.locate(self.options.root, f"{self.target.prefix}x"))
        except (StoreError, NotImplementedError) as error:
            raise ConfigError(f"{self._where(self.target)}: {error}") from error

    def _where(self, template: Template) -> str:
        return f"task {self.task.name!r}, target {template.text!r}"
