"""Which object is the app: a module and an attribute, and who says so."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Target:
    """The app's address.

    :param module: the dotted module.
    :param attribute: the attribute, dotted if nested; None means: look for the app in the module.
    :param factory: whether the attribute is called to make the app.
    :param path: the folder that must be importable.
    :param source: where the choice comes from, in the header's words.
    :param keywords: what a factory is called with.
    """

    module: str
    attribute: str | None
    factory: bool
    path: Path
    source: str
    keywords: tuple[tuple[str, object], ...] = ()

    def __str__(self) -> str:
        if self.attribute is None:
            return self.module
        said = ", ".join(f"{name}={value!r}" for name, value in self.keywords)
        return f"{self.module}:{self.attribute}" + (f"({said})" if self.factory else "")


def parse(text: str, path: Path, source: str) -> Target:
    """Read `module:attribute`, `module:factory()` or `module:factory(testing=True)`."""
    module, _, attribute = text.partition(":")
    name, bracket, _ = attribute.partition("(")
    return Target(
        module, name, bool(bracket), path, source, _keywords(attribute) if bracket else ()
    )


def _keywords(call: str) -> tuple[tuple[str, object], ...]:
    parsed = ast.parse(call, mode="eval").body
    assert isinstance(parsed, ast.Call)
    return tuple((str(one.arg), ast.literal_eval(one.value)) for one in parsed.keywords)
