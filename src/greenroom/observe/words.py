"""What is wrong with a value, in words: the validator's errors, told to a reader."""

from __future__ import annotations

import json
from typing import Any

from greenroom.facts.pointer import escaped

_WIDTH = 100


def told(error: Any) -> tuple[str, str, str]:
    """Where an error is, what was expected and what came, in words."""
    where = "".join(f"/{escaped(part)}" for part in error.instance_path)
    if error.kind.name == "required":
        return f"{where}/{escaped(error.kind.property)}", "a required field", "nothing"
    branches = [branch[0] for branch in getattr(error.kind, "context", ()) if branch]
    if branches:
        # Of several ways that a value may take, the one that it went furthest on is what was meant.
        furthest = max(branches, key=lambda one: len(one.instance_path))
        if len(furthest.instance_path) > len(error.instance_path):
            return told(furthest)
        expected = " or ".join(dict.fromkeys(_expected(one) for one in branches))
        return where, expected, shown(error.instance)
    return where, _expected(error), shown(error.instance)


def _expected(error: Any) -> str:
    kind = error.kind
    word = _WORDS.get(kind.name)
    if word is None:
        return first_line(error)
    if kind.name == "required":
        return f"{word} {kind.property}"
    detail = getattr(kind, "value", None)
    if detail is None:
        return word
    named = detail if isinstance(detail, (list, tuple)) else [detail]
    if kind.name == "type":
        return " or ".join(_TYPES.get(one, str(one)) for one in named)
    return f"{word} {', '.join(str(one) if kind.name == 'format' else shown(one) for one in named)}"


_TYPES = {
    "integer": "an integer",
    "number": "a number",
    "string": "a string",
    "boolean": "a boolean",
    "array": "a list",
    "object": "an object",
    "null": "null",
}
_WORDS = {
    "type": "a",
    "enum": "one of",
    "const": "exactly",
    "format": "the format",
    "pattern": "a text that matches",
    "minimum": "at least",
    "maximum": "at most",
    "exclusiveMinimum": "more than",
    "exclusiveMaximum": "less than",
    "minLength": "a length of at least",
    "maxLength": "a length of at most",
    "minItems": "a number of items of at least",
    "maxItems": "a number of items of at most",
    "multipleOf": "a multiple of",
    "uniqueItems": "items that are all different",
    "additionalProperties": "no such field",
    "falseSchema": "nothing",
    "required": "an object with the field",
}


def shown(value: Any, width: int = _WIDTH) -> str:
    """A value as JSON, shortened."""
    text = json.dumps(value, ensure_ascii=False, default=str, sort_keys=False)
    return text if len(text) <= width else f"{text[: width - 3]}..."


def first_line(error: BaseException) -> str:
    """An error's text without what follows."""
    return (str(error).strip().splitlines() or [""])[0][:_WIDTH]
