"""CHECK constraints, as far as they say something of one column: a range, a length, a choice, an order of two."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from greenroom.facts.mapped import Bounds

_NAME = r"(?:\w+\.)?[\"`\[]?(?P<{0}>[A-Za-z_]\w*)[\"`\]]?"
_VALUE = r"(?P<{0}>-?\d+(?:\.\d+)?|'(?:[^']|'')*'|\b(?:true|false)\b)(?:::[\w ]+)?"
_OPERATOR = r"(?P<op>>=|<=|<>|!=|>|<|=)"
_LENGTH = r"(?:char_length|character_length|length|len)\(\s*(?:(?:trim|btrim)\(\s*)?"


def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"\s*{pattern}\s*\Z", re.IGNORECASE)


_COMPARED = _compiled(rf"{_NAME.format('name')}\s*{_OPERATOR}\s*{_VALUE.format('value')}")
_TURNED = _compiled(rf"{_VALUE.format('value')}\s*{_OPERATOR}\s*{_NAME.format('name')}")
_TWO = _compiled(rf"{_NAME.format('name')}\s*{_OPERATOR}\s*{_NAME.format('other')}")
_BETWEEN = re.compile(
    rf"{_NAME.format('name')}\s+BETWEEN\s+{_VALUE.format('a')}\s+AND\s+{_VALUE.format('b')}",
    re.IGNORECASE,
)
_LONG = _compiled(
    rf"{_LENGTH}{_NAME.format('name')}\s*\)?\s*\)\s*{_OPERATOR}\s*{_VALUE.format('value')}"
)
_LONG_BETWEEN = re.compile(
    rf"{_LENGTH}{_NAME.format('name')}\s*\)?\s*\)\s+BETWEEN\s+{_VALUE.format('a')}\s+AND\s+"
    rf"{_VALUE.format('b')}",
    re.IGNORECASE,
)
_IN = _compiled(
    rf"{_NAME.format('name')}\s+(?:IN\s*\(|=\s*ANY\s*\(\s*ARRAY\s*\[)(?P<values>[^()]*?)\]?\s*\)?"
)
_IS_NULL = re.compile(r"\s*(?:\w+\.)?[\"`]?\w+[\"`]?\s+IS\s+NULL\s*\Z", re.IGNORECASE)
_DIFFER = ("<>", "!=")
_TURN = {">": "<", "<": ">", ">=": "<=", "<=": ">="}


@dataclass(slots=True)
class Read:
    """What was read of all CHECKs of a table.

    :param bounds: by column.
    :param ordered: pairs of columns whose first is less than the second; or equal, with True.
    :param apart: pairs of columns that differ.
    """

    bounds: dict[str, Bounds] = field(default_factory=dict)
    ordered: list[tuple[str, str, bool]] = field(default_factory=list)
    apart: list[tuple[str, str]] = field(default_factory=list)


def read(checks: Iterable[str]) -> Read:
    """Read CHECKs; what isn't understood says nothing."""
    found = Read()
    for text in checks:
        for term in _terms(text):
            _read(term, found)
    return found


def _terms(text: str) -> Iterator[str]:
    """What must hold together. `a IS NULL OR b` is b: greenroom gives a value."""
    text = _bare(text)
    text = _LONG_BETWEEN.sub(
        lambda m: f"length({m['name']}) >= {m['a']} AND length({m['name']}) <= {m['b']}", text
    )
    text = _BETWEEN.sub(lambda m: f"{m['name']} >= {m['a']} AND {m['name']} <= {m['b']}", text)
    parts = _split(text, "AND")
    if len(parts) > 1:
        for part in parts:
            yield from _terms(part)
        return
    ways = [way for way in map(_bare, _split(text, "OR")) if not _IS_NULL.match(way)]
    equal = [_COMPARED.match(way) for way in ways]
    names = {one["name"] for one in equal if one is not None and one["op"] == "="}
    if len(ways) > 1 and len(names) == 1 and all(one and one["op"] == "=" for one in equal):
        yield f"{names.pop()} IN ({', '.join(one['value'] for one in equal if one)})"
    elif len(ways) == 1 and ways[0] != text:
        yield from _terms(ways[0])
    elif len(ways) == 1:
        yield ways[0]


def _read(term: str, found: Read) -> None:
    if (one := _IN.match(term)) is not None:
        values = re.findall(_VALUE.format("v"), one["values"])
        before = found.bounds.get(one["name"], Bounds())
        choices = tuple(_literal(value) for value in values)
        found.bounds[one["name"]] = replace(before, choices=choices)
    elif (one := _LONG.match(term)) is not None:
        before = found.bounds.get(one["name"], Bounds())
        found.bounds[one["name"]] = _longer(before, one["op"], int(_literal(one["value"])))
    elif (one := _COMPARED.match(term)) is not None:
        _compare(found, one["name"], one["op"], _literal(one["value"]))
    elif (one := _TURNED.match(term)) is not None:
        _compare(found, one["name"], _TURN.get(one["op"], one["op"]), _literal(one["value"]))
    elif (one := _TWO.match(term)) is not None and one["op"] in _TURN:
        pair = (one["name"], one["other"])
        first, second = pair if one["op"].startswith("<") else pair[::-1]
        found.ordered.append((first, second, "=" in one["op"]))
    elif (one := _TWO.match(term)) is not None and one["op"] in _DIFFER:
        found.apart.append((one["name"], one["other"]))


def _compare(found: Read, name: str, operator: str, value: Any) -> None:
    before = found.bounds.get(name, Bounds())
    if operator in _DIFFER:
        if value == "":
            found.bounds[name] = replace(before, least=max(1, before.least))
    elif operator == "=":
        found.bounds[name] = replace(before, choices=(value,))
    elif operator.startswith(">"):
        if before.low is None or value > before.low or (value == before.low and operator == ">"):
            found.bounds[name] = replace(before, low=value, above=operator == ">")
    elif before.high is None or value < before.high or (value == before.high and operator == "<"):
        found.bounds[name] = replace(before, high=value, below=operator == "<")


def _longer(before: Bounds, operator: str, length: int) -> Bounds:
    if operator == "=":
        return replace(before, least=length, most=length)
    if operator in _DIFFER:
        return replace(before, least=max(before.least, length + 1))
    if operator.startswith(">"):
        return replace(before, least=max(before.least, length + (operator == ">")))
    most = length - (operator == "<")
    return replace(before, most=most if before.most is None else min(before.most, most))


def _literal(text: str) -> Any:
    if text.startswith("'"):
        return text[1:-1].replace("''", "'")
    if text.lower() in {"true", "false"}:
        return text.lower() == "true"
    return Decimal(text) if "." in text else int(text)


def _bare(text: str) -> str:
    """The text without parentheses around the whole."""
    text = text.strip()
    while text.startswith("(") and text.endswith(")") and _closes_at_end(text):
        text = text[1:-1].strip()
    return text


def _closes_at_end(text: str) -> bool:
    depth = 0
    for place, letter in _outside_of_texts(text):
        depth += {"(": 1, ")": -1}.get(letter, 0)
        if depth == 0:
            return place == len(text) - 1
    return False


def _split(text: str, word: str) -> list[str]:
    """The parts between a word that stands outside of parentheses and of texts."""
    parts, start, depth = [], 0, 0
    for place, letter in _outside_of_texts(text):
        depth += {"(": 1, ")": -1}.get(letter, 0)
        end = place + len(word)
        if (
            depth == 0
            and place >= start
            and text[place:end].upper() == word
            and not (text[place - 1 : place].isalnum() or text[end : end + 1].isalnum())
        ):
            parts.append(text[start:place])
            start = end
    return [*parts, text[start:]]


def _outside_of_texts(text: str) -> Iterator[tuple[int, str]]:
    quoted = False
    for place, letter in enumerate(text):
        if letter == "'":
            quoted = not quoted
        elif not quoted:
            yield place, letter
