"""Engines: what runs calls and flows. Each implements the protocol and is imported when needed."""

from __future__ import annotations

import importlib
from typing import cast

from prefectx.engines.protocol import Engine, Result

__all__ = ["ENGINES", "Engine", "Result"]


class Engines(dict[str, Engine]):
    """The engines by their modules; a module is imported when its engine is first asked for."""

    def __missing__(self, module: str) -> Engine:
        engine = cast(Engine, importlib.import_module(module).ENGINE)
        self[module] = engine
        return engine


ENGINES = Engines()
