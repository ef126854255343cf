"""The engines by their modules; each is imported when it is first needed."""

from __future__ import annotations

import importlib

from prefectx.engines.protocol import Engine


class Engines(dict[str, Engine]):
    """Maps the name of a module to its `ENGINE`."""

    def __missing__(self, module: str) -> Engine:
        engine: Engine = importlib.import_module(module).ENGINE
        self[module] = engine
        return engine


ENGINES = Engines()
