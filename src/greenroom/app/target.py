"""Which object is the app: a module and an attribute, and who says so."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Target:
    """The app's address.

    :param module: the dotted module.
    :param attribute: the attribute, dotted if nested; None means: look for the app in the module.
    :param factory: whether the attribute is called without arguments to make the app.
    :param path: the folder that must be importable.
    :param source: where the choice comes from, in the header's words.
    """

    module: str
    attribute: str | None
    factory: bool
    path: Path
    source: str

    def __str__(self) -> str:
        if self.attribute is None:
            return self.module
        return f"{self.module}:{self.attribute}" + ("()" if self.factory else "")


def parse(text: str, path: Path, source: str) -> Target:
    """Read `module:attribute` or `module:factory()`."""
    module, _, attribute = text.partition(":")
    factory = attribute.endswith("()")
    return Target(module, attribute.removesuffix("()"), factory, path, source)
