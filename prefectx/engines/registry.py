"""The engines by their modules; each is imported when it is first asked for."""

from __future__ import annotations

import importlib

from prefectx.engines.protocol import Engine


class Engines(dict[str, Engine]):
    """Gives the `ENGINE` of a module."""

    def __missing__(self, module: str) -> Engine:
        engine: Engine = importlib.import_module(module).ENGINE
        self[module] = engine
        return engine


ENGINES = Engines()
