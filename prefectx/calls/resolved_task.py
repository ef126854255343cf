"""ResolvedTask: a task's options, templates and store, ready for its calls.

It is long, as all that is made once for the calls of a task is made here.
"""

from __future__ import annotations

from collections.abc import Mapping

from prefectx.arguments.fingerprint import callee_identity
from prefectx.calls.attempts import function_of
from prefectx.calls.cache_keywords import with_cache_keywords
from prefectx.calls.checks import check_ignored, check_target
from prefectx.calls.fast_path import FastPath, NoFastPath
from prefectx.calls.lineages import Lineages
from prefectx.calls.redefinitions import interactive_version
from prefectx.calls.target_owners import Callee
from prefectx.calls.task_definition import TaskDefinition
from prefectx.calls.temporary import TEMPORARY
from prefectx.errors import ConfigError, StoreError, TargetError
from prefectx.item import Item, Store
from prefectx.masking import is_secret
from prefectx.modes import LOCAL, get_mode
from prefectx.settings import Settings
from prefectx.stores import Filestore, make_store
from prefectx.targets.default_name import DefaultName
from prefectx.targets.field import Part
from prefectx.targets.fields import Fields, TaskFields
from prefectx.targets.template import Template, compile_template


class ResolvedTask:
    """The options of one task under one Settings, made ready for its calls.

    Parameters:
        task: the task.
        settings: the settings in force.

    Attributes:
        options: the resolved options.
        mode: the mode of the task's calls.
        callee: what identifies the function, and the names of its parameters.
        folders: the root and the project's folder: paths count relative to them.
        version: a fingerprint of a function that is defined interactively, else None.
        target: the compiled target, None if no output is kept.
        store: where the outputs are kept; means nothing without a target.
        fields: what the templates of all calls have in common.
        run_name: the compiled name of the runs, None if Prefect makes it.
        function: what a call runs: the task's, without Prefect tried as Prefect's keywords say.
        lineages: makes what is recorded of the calls, None if nothing is.
        fast_path: the short way to calls with scalar arguments.
        is_closed: whether the arguments suffice to fill the target, as long as no context is set.
        is_bare: whether a call is nothing but a call of the function.
        is_lazy: whether a call runs only when its output is needed.
        is_awaited: whether a call gives a coroutine: generators of which nothing is kept stay.

    Raises:
        ConfigError: if the options name a store or a format that does not exist.
        TargetError: if the target is no template.
    """

    __slots__ = (
        "_folded",
        "_folded_store",
        "callee",
        "fast_path",
        "fields",
        "folders",
        "function",
        "is_awaited",
        "is_bare",
        "is_closed",
        "is_lazy",
        "lineages",
        "mode",
        "options",
        "run_name",
        "settings",
        "store",
        "target",
        "task",
        "version",
    )

    def __init__(self, task: TaskDefinition, settings: Settings) -> None:
        self.task = task
        self.settings = settings
        options = settings.options(task.name, task.keywords)
        self.mode = mode = get_mode(options.mode)
        if mode.keeps and task.prefect_keywords:
            options = with_cache_keywords(options, task.prefect_keywords, task.name)
        self.options = options
        self.version = interactive_version(task.fn)
        identity = callee_identity(task.fn)
        function, code = identity if isinstance(identity, tuple) else (identity, None)
        # The newest version of an interactive function takes the place of the older ones.
        code = code if self.version is None else None
        self.callee = Callee(function, task.name, code, task.signature.names)
        self.folders = (options.root, str(settings.folder))
        # A function that saves its own output needs to know where in every mode.
        has_target = mode.keeps or not options.save
        self.target = self._compile(options.target) if has_target else None
        self.function = task.fn if mode.is_prefect else function_of(task)
        is_kept = mode.keeps or self.target is not None
        self.is_bare = not is_kept and self.function is task.fn and mode.engine == LOCAL
        self.is_lazy = (
            mode.keeps and self.target is not None and (options.lazy or options.temporary)
        )
        if options.temporary and self.is_lazy:
            if not options.records:
                raise ConfigError(f"task {task.name!r}: temporary = true needs records = true")
            TEMPORARY.watch()
        self.is_awaited = task.isasync and not self.is_bare and (is_kept or not task.isgenerator)
        # Where prefectx only stands by, Prefect names its runs as it always does.
        named = mode.keeps or options.sources["task_run_name"].layer != "default"
        self.run_name = self._compile(options.task_run_name) if named else None
        self.store = self._make_store(options.format) if self.target else Filestore()
        if self.target is not None:
            try:
                check_target(self.target, self.store, options, keeps=mode.keeps)
                check_ignored(options.ignore, task.signature)
            except (ConfigError, StoreError, NotImplementedError) as error:
                raise ConfigError(f"{self._where(self.target)}: {error}") from error
            if mode.keeps:
                self._check_store(self.target)
        constants = {"funcname": task.__name__, "name": task.name, "module": task.__module__}
        constants["ext"] = "." + (options.format or "pkl").lstrip(".")
        hidden = task.hidden_arguments.union(filter(is_secret, task.signature.names))
        default_name = DefaultName(
            task.__name__, hidden, options.ignore, self.folders, self._name_in_base()
        )
        self.fields = TaskFields(
            constants, options.context, default_name, task.signature.keywords,
            timezone=settings.project.timezone,
        )  # fmt: skip
        self._fold(constants, default_name)
        self.lineages: Lineages | None = None
        if self.target is not None and mode.keeps and options.records:
            self.lineages = Lineages(task, function, options, self.store, self.target, self.folders)
        self.fast_path = self._make_fast_path()

    def locate(self, lookup: Mapping[str, object]) -> Item[object]:
        """Fill the target of a call.

        Parameters:
            lookup: the arguments of the call if they suffice (`is_closed`), else its Fields.

        Raises:
            TargetError: if a field is missing or the target leaves its folder.
        """
        is_open = isinstance(lookup, Fields)
        template, store = (
            (self.target, self.store) if is_open else (self._folded, self._folded_store)
        )
        assert template is not None
        try:
            filled = template.locate(lookup)
        except TargetError as error:
            raise TargetError(f"{self._where(template)}: {error}") from error
        if isinstance(lookup, Fields) and lookup.is_automatic:
            store = self._pickle_store()
        return Item(store, store.locate(self.options.root, filled))

    def _fold(self, constants: Mapping[str, str], default_name: DefaultName) -> None:
        """Fill for good what is the same in every call, so that the arguments suffice."""
        signature, context = self.task.signature, self.options.context
        own = {*signature.names, *context}
        known: dict[str, str | Part] = {**constants, "base": default_name}
        self._folded, self._folded_store, self.is_closed = self.target, self.store, False
        if self.target is None:
            return
        self._folded = self.target.fold({n: known[n] for n in known.keys() - own})
        if default_name in self._folded.parts:
            self._check_callee()
            self._folded_store = self._pickle_store()
        needed = set(self._folded.names())
        self.is_closed = not signature.variadic and needed <= own - context.keys()

    def _check_callee(self) -> None:
        """Refuse an automatic base for a callable object that could be taken for another."""
        if _is_nameless(self.task) and not isinstance(self.callee.code, str):
            raise ConfigError(
                f"task {self.task.name!r}: nothing tells the called {self.callee.function} from"
                " another one, as its content cannot be identified; give the task a name (name=),"
                " or make its class known with prefectx.register_identity"
            )

    def _make_fast_path(self) -> FastPath:
        options, template, store = self.options, self._folded, self._folded_store
        decides_by_existence = (
            self.mode.skips
            and not options.refresh
            and options.on_corrupt == "error"
            and self.version is None
            and options.max_age is None
        )
        is_simple = self.is_closed and self.task.signature.is_simple and not options.ignore
        is_simple = is_simple and (self.lineages is None or self.lineages.is_simple)
        is_known = type(store).locate in (Filestore.locate, Store.locate)
        if template is None or not (decides_by_existence and is_simple and is_known):
            return NoFastPath(store)
        place = f"{template.prefix}x"
        location = store.locate(options.root, place)
        if not location.endswith(place):
            return NoFastPath(store)
        return FastPath(
            self.callee,
            self.task.signature.bind,
            template,
            store,
            location.removesuffix(place),
            options.shared,
            self.lineages,
        )

    def _pickle_store(self) -> Store:
        """Return the store for a target that ends in a default name.

        A name such as `a.csv` is made from arguments, and asks for no CSV.
        """
        assert self.target is not None
        if self.target.tail or self.options.format or not isinstance(self.store, Filestore):
            return self.store
        return self._make_store(".pkl")

    def _make_store(self, suffix: str | None) -> Store:
        return make_store(
            self.options.store or "file",
            self.settings.stores,
            format=suffix,
            fsync=self.options.fsync,
            allow_pickle=self.options.allow_pickle,
        )

    def _compile(self, text: object) -> Template | None:
        try:
            return compile_template(text) if isinstance(text, str) else None
        except TargetError as error:
            raise TargetError(f"task {self.task.name!r}: {error}") from error

    def _name_in_base(self) -> str | None:
        """Return what stands before the arguments in a default name.

        The type of a partial or a callable object does not say which one it is.
        """
        code = self.callee.code
        if _is_nameless(self.task) and isinstance(code, str):
            return f"{self.task.name}-{code[:16]}"
        return self.task.given_name

    def _check_store(self, template: Template) -> None:
        """Find out before anything runs that nothing can be kept, as a bucket does not exist."""
        try:
            self.store.check(self.store.locate(self.options.root, f"{template.prefix}x"))
        except StoreError as error:
            raise type(error)(f"{self._where(template)}: {error}") from error

    def _where(self, template: Template) -> str:
        return f"task {self.task.name!r}, target {template.text!r}"


def _is_nameless(task: TaskDefinition) -> bool:
    """Tell whether a task is a partial or a callable object that was given no name."""
    return task.given_name is None and not hasattr(task.fn, "__qualname__")
