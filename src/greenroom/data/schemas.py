"""A value that a JSON schema describes: the plainest one, and always the same."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from greenroom.data.patterns import matching, matching_of
from greenroom.facts.pointer import at

#: A text of each format that Pydantic writes into its schemas.
FORMATS = {
    "date": "2026-01-31",
    "date-time": "2026-01-31T12:00:00Z",
    "time": "12:00:00",
    "duration": "P1D",
    "email": "ann@example.com",
    "name-email": "Ann <ann@example.com>",
    "uri": "https://example.com/",
    "uuid": "00000000-0000-4000-8000-000000000001",
    "uuid1": "00000000-0000-1000-8000-000000000001",
    "uuid3": "00000000-0000-3000-8000-000000000001",
    "uuid4": "00000000-0000-4000-8000-000000000001",
    "uuid7": "00000000-0000-7000-8000-000000000001",
    "uuid5": "00000000-0000-5000-8000-000000000001",
    "ipv4": "127.0.0.1",
    "ipv6": "::1",
    "ipvanyaddress": "127.0.0.1",
    "ipvanyinterface": "127.0.0.1/8",
    "ipvanynetwork": "127.0.0.0/8",
    "ipv4network": "127.0.0.0/8",
    "ipv4interface": "127.0.0.1/8",
    "ipv6network": "::/128",
    "ipv6interface": "::1/128",
    "json-string": "{}",
    "base64": "YQ==",
    "base64url": "YQ==",
    "regex": "a",
    "binary": "a",
    "multi-host-uri": "postgresql://a:b@localhost/c",
}


class Schemas:
    """A schema with its definitions.

    :param root: the whole, as Pydantic writes it.
    :param by_example: whether the examples that stand in it are taken.
    """

    def __init__(self, root: dict[str, Any], *, by_example: bool = False) -> None:
        self.root = root
        self._by_example = by_example

    def resolved(self, schema: Any) -> dict[str, Any]:
        """A schema in the place of a reference to it, with what stands beside the reference."""
        seen: set[str] = set()
        while isinstance(schema, Mapping):
            reference = schema.get("$ref")
            if reference is None and len(schema.get("allOf") or ()) == 1:
                beside = {name: one for name, one in schema.items() if name != "allOf"}
                schema = {**self.resolved(schema["allOf"][0]), **beside}
                continue
            if reference is None or reference in seen:
                return dict(schema)
            seen.add(reference)
            beside = {name: one for name, one in schema.items() if name != "$ref"}
            schema = {**at(self.root, reference[1:]), **beside}
        return {}

    def branches(self, schema: Mapping[str, Any]) -> list[dict[str, Any]]:
        """The ways that a value may take, but for null; itself if there is one way."""
        ways = schema.get("anyOf") or schema.get("oneOf")
        if not ways:
            return [dict(schema)]
        resolved = [self.resolved(one) for one in ways]
        return [one for one in resolved if one.get("type") != "null"]

    def value(self, schema: Any, above: tuple[str, ...] = ()) -> Any:  # noqa: PLR0911 - a kind each
        """The plainest value.

        :param above: the references that it stands in: a schema may refer to itself.
        """
        reference = schema.get("$ref") if isinstance(schema, Mapping) else None
        above = (*above, reference) if reference else above
        schema = self.resolved(schema)
        if self._by_example and (schema.get("examples") or "example" in schema):
            return (schema.get("examples") or [schema.get("example")])[0]
        if "const" in schema:
            return schema["const"]
        if schema.get("enum"):
            return schema["enum"][0]
        if "anyOf" in schema or "oneOf" in schema:
            ways = schema.get("anyOf") or schema["oneOf"]
            open_ways = [one for one in ways if one.get("$ref") not in above]
            plain = [one for one in open_ways if self.resolved(one).get("type") != "null"]
            return self.value((plain or open_ways or [{}])[0], above)
        kind = schema.get("type")
        if isinstance(kind, list):
            kind = kind[0]
        if kind == "object" or "properties" in schema:
            return self._object(schema, above)
        if kind == "array":
            return self._array(schema, above)
        if kind == "string":
            return _text(schema)
        if kind in {"integer", "number"}:
            return _number(schema, whole=kind == "integer")
        return {"boolean": True, "null": None}.get(str(kind), "a")

    def _object(self, schema: Mapping[str, Any], above: tuple[str, ...]) -> dict[str, Any]:
        required = schema.get("required") or ()
        found = {}
        for name, inner in (schema.get("properties") or {}).items():
            if name in required or not self._leads_back(inner, above):
                found[name] = self.value(inner, above)
        more = schema.get("additionalProperties")
        if isinstance(more, Mapping) and more and not self._leads_back(more, above):
            # A dictionary: of one entry, or as many as it needs.
            keys = self.resolved(schema.get("propertyNames") or {})
            names = keys.get("enum") or []
            for number in range(max(1, schema.get("minProperties", 0))):
                key = str(self.value({"type": "string", **keys} if keys else {"const": "1"}))
                key = key if number == 0 else f"{key}{number}"
                found.setdefault(
                    names[number] if number < len(names) else key, self.value(more, above)
                )
        for pattern, inner in (schema.get("patternProperties") or {}).items():
            fitting = matching(pattern)
            if fitting is not None and not self._leads_back(inner, above):
                found.setdefault(fitting, self.value(inner, above))
        return found

    def _array(self, schema: Mapping[str, Any], above: tuple[str, ...]) -> list[Any]:
        found = [self.value(one, above) for one in schema.get("prefixItems") or ()]
        items = schema.get("items")
        least = schema.get("minItems", 0)
        if isinstance(items, Mapping):
            wanted = max(least, 0 if self._leads_back(items, above) else 1)
            wanted = min(wanted, schema.get("maxItems", wanted))
            while len(found) < wanted:
                one = self.value(items, above)
                found.append(other(one, found, self.resolved(items)) if one in found else one)
        return found

    def _leads_back(self, schema: Any, above: tuple[str, ...]) -> bool:
        """Whether a schema refers to one that it stands in, whichever way is taken."""
        if not isinstance(schema, Mapping):
            return False
        if schema.get("$ref") in above and schema.get("$ref"):
            return True
        ways = schema.get("anyOf") or schema.get("oneOf") or ()
        plain = [one for one in ways if one.get("type") != "null"]
        if plain:
            return all(self._leads_back(one, above) for one in plain)
        return isinstance(schema.get("items"), Mapping) and self._leads_back(schema["items"], above)


def _text(schema: Mapping[str, Any]) -> str:
    least, most = schema.get("minLength", 0), schema.get("maxLength", math.inf)
    if schema.get("pattern"):
        found = matching_of(schema["pattern"], least, most)
        if found is not None:
            return found
    text = FORMATS.get(str(schema.get("format")), "text")
    if len(text) < least:
        text += "t" * (least - len(text))
    return text[: int(most)] if len(text) > most else text


def _number(schema: Mapping[str, Any], *, whole: bool) -> int | float:
    step = schema.get("multipleOf", 1)
    low = schema.get("minimum", schema.get("exclusiveMinimum"))
    high = schema.get("maximum", schema.get("exclusiveMaximum"))
    value: int | float = 1
    if low is not None:
        value = math.ceil(low / step) * step
        if value <= low and "exclusiveMinimum" in schema and "minimum" not in schema:
            value += step
    elif high is not None:
        value = math.floor(high / step) * step
        if value >= high and "exclusiveMaximum" in schema and "maximum" not in schema:
            value -= step
    elif step != 1:
        value = step
    if high is not None and low is not None and not _between(schema, value):
        value = (low + high) / 2  # Between two whole numbers.
    return int(value) if whole or float(value).is_integer() else value


def _between(schema: Mapping[str, Any], value: float) -> bool:
    low, above = (schema.get(word, -math.inf) for word in ("minimum", "exclusiveMinimum"))
    high, below = (schema.get(word, math.inf) for word in ("maximum", "exclusiveMaximum"))
    return bool(low <= value <= high and above < value < below)


def other(value: Any, known: list[Any], schema: Mapping[str, Any]) -> Any:
    """Another value for a list whose items must differ."""
    if schema.get("enum"):
        return next((one for one in schema["enum"] if one not in known), value)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return value + len(known) * schema.get("multipleOf", 1)
    return f"{value}{len(known)}" if isinstance(value, str) else value
