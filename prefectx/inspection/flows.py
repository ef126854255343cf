"""Finds the flow that a command names: `FILE.py`, `FILE.py:flow` or `package.module:flow`."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from prefectx.errors import PrefectxError
from prefectx.inspection.errors import FlowNotFoundError
from prefectx.inspection.loading import import_failure, name_and_root
from prefectx.settings import did_you_mean
from prefectx.tasks.flow import Flow


class FlowName:
    """What a command names.

    Parameters:
        text: `FILE.py`, `FILE.py:flow` or `package.module:flow`.

    Attributes:
        file: the file, None for a module.
        module: the module, None for a file.
        flow: the name of the flow, None: the only one there.
        folder: the folder of the program.
    """

    def __init__(self, text: str) -> None:
        place, colon, flow = text.rpartition(":")
        if not colon or flow.endswith(".py"):
            place, flow = text, ""
        self.text = text
        self.flow = flow or None
        is_file = place.endswith(".py") or "/" in place
        self.file = Path(place).absolute() if is_file else None
        self.module = None if is_file else place

    @property
    def folder(self) -> Path:
        """The folder of the program: that of the file, else the working directory."""
        return Path.cwd() if self.file is None else self.file.parent

    def load(self) -> Flow[..., Any]:
        """Import the program, and return the flow.

        Raises:
            FlowNotFoundError: there is no such file, module or flow, or several flows.
        """
        module = self._import()
        flows = {
            name: value
            for name, value in vars(module).items()
            if isinstance(value, Flow) and not name.startswith("_")
        }
        if self.flow is not None:
            found = flows.get(self.flow)
            found = found or next((f for f in flows.values() if f.name == self.flow), None)
            if found is None:
                advice = did_you_mean(self.flow, flows)
                raise FlowNotFoundError(f"{self.text}: there is no flow {self.flow!r}{advice}")
            return found
        own = {n: f for n, f in flows.items() if f.fn.__module__ == module.__name__} or flows
        if not own:
            raise FlowNotFoundError(
                f"{self.text}: no flow is there; decorate its function with @prefectx.flow"
            )
        if len({id(flow) for flow in own.values()}) > 1:
            place = self.text.removesuffix(":")
            named = ", ".join(f"{place}:{name}" for name in own)
            raise FlowNotFoundError(f"{self.text} has {len(own)} flows; name one: {named}")
        return next(iter(own.values()))

    def _import(self) -> ModuleType:
        if self.file is None:
            name, root = str(self.module), Path.cwd()
        elif self.file.is_file():
            name, root = name_and_root(self.file.resolve())
        else:
            raise FlowNotFoundError(f"{self.text}: file not found")
        for folder in (str(Path.cwd()), str(root)):
            if folder not in sys.path:
                sys.path.insert(0, folder)
        try:
            known = sys.modules.get(name)
            if self.file is None:
                return importlib.import_module(name)
            if known is not None and Path(known.__file__ or "").resolve() == self.file.resolve():
                return known
            if package := name.rpartition(".")[0]:
                importlib.import_module(package)
            spec = importlib.util.spec_from_file_location(name, self.file)
            assert spec is not None
            assert spec.loader is not None
            module = sys.modules[name] = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
        except ModuleNotFoundError as error:
            if self.file is None and error.name and name.startswith(error.name):
                raise FlowNotFoundError(f"{self.text}: there is no module {error.name!r}") from None
            raise self._failure(error) from error
        except PrefectxError:
            raise
        except Exception as error:
            raise self._failure(error) from error
        return module

    def _failure(self, error: BaseException) -> PrefectxError:
        problem = import_failure((self.file or Path(str(self.module))).resolve(), error)
        return PrefectxError(f"{problem.place.name}: {problem.message}")
