"""Fields that a declared model doesn't have: JSON Schema lets them pass, and clients never learn of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from greenroom.facts.pointer import at, escaped

#: The depth to which bodies are looked into.
DEEPEST = 40
#: How many items of a list are looked at: the others are like them.
ITEMS = 500


def inlined(document: Mapping[str, Any], schema: Any, depth: int = 2) -> Any:
    """A schema with what it refers to in place, for a reader.

    :param depth: how many references deep; a schema may refer to itself.
    """
    if isinstance(schema, list):
        return [inlined(document, one, depth) for one in schema]
    if not isinstance(schema, dict):
        return schema
    reference = schema.get("$ref")
    if depth and isinstance(reference, str) and reference.startswith("#/"):
        return inlined(document, at(document, reference[1:]), depth - 1)
    return {
        name: inlined(document, one, depth)
        for name, one in schema.items()
        if name != "title" or isinstance(one, dict)  # A field may be called so.
    }


def required(document: Mapping[str, Any], schema: Any) -> set[str]:
    """The fields that an object, or each item of a list, must have, whichever way it takes."""
    flat = list(_flat(document, [schema]))
    items = [one["items"] for one in flat if isinstance(one.get("items"), dict)]
    if items:
        flat = list(_flat(document, items))
    if any("anyOf" in one or "oneOf" in one for one in flat):
        return set()
    return {name for one in flat for name in one.get("required") or ()}


def names(document: Mapping[str, Any], schema: Any, name: str) -> bool:
    """Whether a schema, or one that it's made of, has a property of that name."""
    waiting, seen = [schema], set()
    while waiting:
        one = waiting.pop()
        if isinstance(one, list):
            waiting += one
        if not isinstance(one, dict) or id(one) in seen:
            continue
        seen.add(id(one))
        if name in (one.get("properties") or {}):
            return True
        reference = one.get("$ref")
        if isinstance(reference, str) and reference.startswith("#/"):
            waiting.append(at(document, reference[1:]))
        waiting += one.values()
    return False


@dataclass(frozen=True, slots=True)
class Shape:
    """What several schemas, one of which a value follows, say of its parts.

    :param fields: the fields that are named, each with what it may be.
    :param more: what other fields may be.
    :param is_open: whether other fields are allowed.
    :param items: what the items of a list may be; none if nothing is said of them.
    """

    fields: dict[str, list[Any]]
    more: list[Any]
    is_open: bool
    items: list[Any]


class Closed:
    """Finds the fields that no schema of theirs names.

    A schema that allows additional properties, or that names none, is content with all.

    :param document: the schemas; it doesn't change.
    """

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._document = document
        self._shapes: dict[tuple[int, ...], Shape] = {}

    def unknown_fields(
        self, schemas: list[Any], value: Any, where: str = "", depth: int = 0
    ) -> Iterator[tuple[str, str, Any]]:
        """The place of each one's object, its name, its value.

        :param schemas: those that the value may follow, parts of the document.
        """
        if depth > DEEPEST:
            return
        shape = self._shape(schemas)
        if isinstance(value, list):
            for number, inner in enumerate(value[:ITEMS] if shape.items else ()):
                if isinstance(inner, (dict, list)):
                    place = f"{where}/{number}"
                    yield from self.unknown_fields(shape.items, inner, place, depth + 1)
        elif isinstance(value, dict):
            for name, inner in value.items():
                known = shape.fields.get(name) or shape.more
                if not known and not shape.is_open:
                    yield where, name, inner
                elif known and isinstance(inner, (dict, list)):
                    place = f"{where}/{escaped(name)}"
                    yield from self.unknown_fields(known, inner, place, depth + 1)

    def _shape(self, schemas: list[Any]) -> Shape:
        key = tuple(map(id, schemas))
        if key not in self._shapes:
            self._shapes[key] = self._made(schemas)
        return self._shapes[key]

    def _made(self, schemas: list[Any]) -> Shape:
        flat = list(_flat(self._document, schemas))
        objects = [one for one in flat if _describes_an_object(one)]
        fields: dict[str, list[Any]] = {}
        for one in objects:
            for name, inner in (one.get("properties") or {}).items():
                fields.setdefault(name, []).append(inner)
        more = [one.get("additionalProperties") for one in objects]
        items = [one["items"] for one in flat if isinstance(one.get("items"), dict)]
        return Shape(
            fields,
            [one for one in more if isinstance(one, dict) and one],
            not objects or any(_is_open(one) for one in objects),
            [] if any("prefixItems" in one for one in flat) else items,
        )


def _flat(document: Mapping[str, Any], schemas: list[Any]) -> Iterator[dict[str, Any]]:
    """The schemas with those that they refer to, or are made of."""
    waiting, seen = list(schemas), set()
    while waiting:
        schema = waiting.pop()
        if not isinstance(schema, dict) or id(schema) in seen:
            continue
        seen.add(id(schema))
        yield schema
        reference = schema.get("$ref")
        if isinstance(reference, str) and reference.startswith("#/"):
            waiting.append(at(document, reference[1:]))
        for word in ("allOf", "anyOf", "oneOf"):
            waiting += schema.get(word) or []


def _describes_an_object(schema: dict[str, Any]) -> bool:
    return (
        "properties" in schema
        or "additionalProperties" in schema
        or "patternProperties" in schema
        or schema.get("type") == "object"
        # It says nothing at all, and so allows everything.
        or not schema.keys() - {"title", "description", "default", "examples"}
    )


def _is_open(schema: dict[str, Any]) -> bool:
    # What it forbids, the validation finds; what it allows is allowed.
    return (
        "additionalProperties" in schema
        or "patternProperties" in schema
        or (not schema.get("properties"))
    )
