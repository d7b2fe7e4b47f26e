"""A text that matches a regular expression, the shortest that is easily found."""

from __future__ import annotations

import re
from importlib import import_module
from typing import Any

# No stub describes them.
words: Any = import_module("re._constants")
parser: Any = import_module("re._parser")

#: What characters are tried where any will do.
_ANY = "a0A-_ " + "".join(map(chr, range(33, 127)))
_CATEGORIES = {
    words.CATEGORY_DIGIT: "0",
    words.CATEGORY_NOT_DIGIT: "a",
    words.CATEGORY_SPACE: " ",
    words.CATEGORY_NOT_SPACE: "a",
    words.CATEGORY_WORD: "a",
    words.CATEGORY_NOT_WORD: "-",
}


def matching(pattern: str) -> str | None:
    """A text that the pattern is found in; None if none is found easily."""
    try:
        parsed = parser.parse(pattern)
        text = "".join(_text(*node) for node in parsed)
        return text if re.search(pattern, text) else None
    except (re.error, NotImplementedError, RecursionError):
        return None


def matching_of(pattern: str, least: int, most: float) -> str | None:
    """A text of such a length, in characters, that the pattern is found in; None if none is found easily."""
    found = matching(pattern)
    if found is None or least <= len(found) <= most:
        return found
    more = least - len(found)
    candidates = [
        found[:place] + found[place : place + 1] * (more + 1) + found[place + 1 :]
        for place in reversed(range(len(found)))
    ] or ["a" * least]
    return next((one for one in candidates if _fits(pattern, one, least, most)), None)


def _fits(pattern: str, text: str, least: int, most: float) -> bool:
    return least <= len(text) <= most and re.search(pattern, text) is not None


def _text(kind: Any, value: Any) -> str:  # noqa: PLR0911 - a kind each
    if kind is words.LITERAL:
        return chr(value)
    if kind is words.NOT_LITERAL:
        return "b" if value == ord("a") else "a"
    if kind is words.ANY:
        return "a"
    if kind is words.AT:
        return ""
    if kind is words.IN:
        return _one_of(value)
    if kind is words.BRANCH:
        return "".join(_text(*node) for node in value[1][0])
    if kind is words.SUBPATTERN:
        return "".join(_text(*node) for node in value[3])
    if kind in {words.MAX_REPEAT, words.MIN_REPEAT, words.POSSESSIVE_REPEAT}:
        least, most, inner = value
        times = least or (1 if most else 0)
        return "".join(_text(*node) for node in inner) * times
    raise NotImplementedError(str(kind))


def _one_of(options: Any) -> str:
    if options[0][0] is words.NEGATE:
        refused = re.compile(_class(options[1:]))
        found = next((one for one in _ANY if not refused.match(one)), None)
        if found is None:
            raise NotImplementedError(refused.pattern)
        return found
    kind, value = options[0]
    if kind is words.RANGE:
        return chr(value[0])
    if kind is words.CATEGORY:
        return _CATEGORIES[value]
    return chr(value)


def _class(options: Any) -> str:
    """A set of characters, written again."""
    parts = []
    for kind, value in options:
        if kind is words.RANGE:
            parts.append(f"{re.escape(chr(value[0]))}-{re.escape(chr(value[1]))}")
        elif kind is words.CATEGORY:
            parts.append({v: k for k, v in _WRITTEN.items()}[value])
        else:
            parts.append(re.escape(chr(value)))
    return f"[{''.join(parts)}]"


_WRITTEN = {
    r"\d": words.CATEGORY_DIGIT,
    r"\D": words.CATEGORY_NOT_DIGIT,
    r"\s": words.CATEGORY_SPACE,
    r"\S": words.CATEGORY_NOT_SPACE,
    r"\w": words.CATEGORY_WORD,
    r"\W": words.CATEGORY_NOT_WORD,
}
