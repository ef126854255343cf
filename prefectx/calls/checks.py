"""Checks of a task's options that are made before anything runs."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePosixPath

from prefectx.arguments.signature import Signature
from prefectx.errors import ConfigError
from prefectx.formats import known_suffix
from prefectx.item import Store
from prefectx.settings import Options
from prefectx.stores import Filestore
from prefectx.targets.template import Template


def check_target(template: Template, store: Store, options: Options, *, keeps: bool) -> None:
    """Refuse a target that the store, or the other options, make no sense of.

    Parameters:
        template: the target.
        store: where outputs are kept.
        options: the options of the task.
        keeps: whether outputs are kept in the task's mode.

    Raises:
        ConfigError: if a folder is to be saved into, or no format has the target's suffix.
        StoreError: if there are no locks at the target, and `lock = true`.
        NotImplementedError: if the store has no locks at all.
    """
    if isinstance(store, Filestore):
        if template.text.endswith("/") and options.save:
            raise ConfigError(
                "a target that ends in / is a folder, which the function fills itself: set"
                " save = false, and write to prefectx.current_target()"
            )
        ending = "x" + template.tail.rstrip("/")
        suffix = PurePosixPath(ending).suffix
        is_file = not (template.text.endswith("/") or options.format)
        if is_file and suffix and not known_suffix(ending):
            raise ConfigError(
                f"no format is known for {suffix!r}; register one with prefectx.register_format,"
                " or name one with format="
            )
    if options.lock and keeps:
        store.lock(store.locate(options.root, f"{template.prefix}x"))


def check_ignored(names: Iterable[str], signature: Signature) -> None:
    """Refuse to ignore an argument that the function does not have.

    Raises:
        ConfigError: if there is no such argument; it lists those of the function.
    """
    for name in names:
        if name not in signature.names and not signature.keywords:
            known = ", ".join(signature.names) or "none"
            raise ConfigError(f"ignore names {name!r}, but the function has the arguments {known}")
