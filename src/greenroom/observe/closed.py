"""Fields that a declared model doesn't have: JSON Schema lets them pass, and clients never learn of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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


def unknown_fields(
    document: Mapping[str, Any], schema: Any, value: Any
) -> Iterator[tuple[str, str, Any]]:
    """The fields that no schema of theirs names: the place of each one's object, its name, its value.

    A schema that allows additional properties, or that names none, is content with all.
    """
    yield from _unknown(document, [schema], value, "", 0)


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


def _unknown(
    document: Mapping[str, Any], schemas: list[Any], value: Any, where: str, depth: int
) -> Iterator[tuple[str, str, Any]]:
    if depth > DEEPEST or not isinstance(value, (dict, list)):
        return
    flat = list(_flat(document, schemas))
    if isinstance(value, list):
        items = [one["items"] for one in flat if isinstance(one.get("items"), dict)]
        if not items or any("prefixItems" in one for one in flat):
            return
        for number, inner in enumerate(value[:ITEMS]):
            yield from _unknown(document, items, inner, f"{where}/{number}", depth + 1)
        return
    objects = [one for one in flat if _describes_an_object(one)]
    is_open = not objects or any(_is_open(one) for one in objects)
    for name, inner in value.items():
        known = [
            one["properties"][name] for one in objects if name in (one.get("properties") or {})
        ]
        if known:
            yield from _unknown(document, known, inner, f"{where}/{escaped(name)}", depth + 1)
        elif not is_open:
            yield where, name, inner


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
