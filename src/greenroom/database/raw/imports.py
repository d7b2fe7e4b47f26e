"""Do something with a module as soon as it is imported, and import nothing for it."""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections.abc import Callable, Sequence
from types import ModuleType


class AfterImport(importlib.abc.MetaPathFinder):
    """Calls once for each module: now if it's imported already, else right after its import.

    :param callbacks: what is called with which module, by its name.
    """

    def __init__(self, callbacks: dict[str, Callable[[ModuleType], None]]) -> None:
        self._waiting = dict(callbacks)
        self._asking: set[str] = set()

    def watch(self) -> None:
        """From now on, until `close`."""
        # None stands for a module that mustn't be imported.
        for name in [name for name in self._waiting if sys.modules.get(name) is not None]:
            self._waiting.pop(name)(sys.modules[name])
        sys.meta_path.insert(0, self)

    def close(self) -> None:
        """Stop watching."""
        self._waiting.clear()
        if self in sys.meta_path:
            sys.meta_path.remove(self)

    def find_spec(
        self,
        name: str,
        path: Sequence[str] | None,
        target: ModuleType | None = None,
    ) -> importlib.machinery.ModuleSpec | None:
        """The module's own spec, with its callback after its code."""
        if name not in self._waiting or name in self._asking:
            return None
        self._asking.add(name)  # The other finders are asked by the same function.
        try:
            spec = importlib.util.find_spec(name)
        finally:
            self._asking.discard(name)
        if spec is not None and spec.loader is not None:
            # It may only be asked for: whether it's imported shows when its code runs.
            spec.loader = _Loader(spec.loader, self._imported)
        return spec

    def _imported(self, module: ModuleType) -> None:
        callback = self._waiting.pop(module.__name__, None)
        if callback is not None:
            callback(module)


class _Loader(importlib.abc.Loader):
    def __init__(
        self, original: importlib.abc.Loader, callback: Callable[[ModuleType], None]
    ) -> None:
        self._original = original
        self._callback = callback

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType | None:
        return self._original.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        # Whoever asks the module for its loader later means its own.
        module.__loader__ = self._original
        if module.__spec__ is not None:
            module.__spec__.loader = self._original
        self._original.exec_module(module)
        self._callback(module)
