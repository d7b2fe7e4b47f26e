"""Schemas of OpenAPI 3.0 in the words of 3.1, which are JSON Schema's of 2020-12."""

from __future__ import annotations

from typing import Any

from greenroom.facts.pointer import at


def modern(document: dict[str, Any]) -> dict[str, Any]:
    """The document in the words of OpenAPI 3.1.

    After the OpenAPI Specification 3.0.3, "Schema Object": `nullable`, and bounds that are exclusive
    by a boolean. What Pydantic says of a dictionary's keys is left out where it isn't of texts: the keys
    of JSON are always texts.
    """
    old = str(document.get("openapi", "")).startswith("3.0")
    converted = _with_text_keys(document, _converted(document) if old else document)
    assert isinstance(converted, dict)
    return converted


def _with_text_keys(document: dict[str, Any], value: Any) -> Any:
    if isinstance(value, list):
        return [_with_text_keys(document, one) for one in value]
    if not isinstance(value, dict):
        return value
    kept = {name: _with_text_keys(document, one) for name, one in value.items()}
    keys = value.get("propertyNames")
    if isinstance(keys, dict) and "type" not in value.get("properties", {}):
        reference = keys.get("$ref", "")
        said = at(document, reference[1:]) if reference.startswith("#/") else keys
        if isinstance(said, dict) and said.get("type", "string") != "string":
            del kept["propertyNames"]
    return kept


def _converted(value: Any) -> Any:
    if isinstance(value, list):
        return [_converted(one) for one in value]
    if not isinstance(value, dict):
        return value
    schema = {name: _converted(one) for name, one in value.items()}
    for bound, exclusive in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        is_exclusive = schema.get(exclusive)
        if isinstance(is_exclusive, bool):
            del schema[exclusive]
            if is_exclusive and bound in schema:
                schema[exclusive] = schema.pop(bound)
    nullable = schema.get("nullable")
    if isinstance(nullable, bool):  # A field may be called so.
        del schema["nullable"]
    return {"anyOf": [schema, {"type": "null"}]} if nullable is True else schema


def without_required(document: Any) -> Any:
    """The document with no field that has to be there: for answers that may leave some out."""
    if isinstance(document, list):
        return [without_required(one) for one in document]
    if not isinstance(document, dict):
        return document
    return {
        name: without_required(one)
        for name, one in document.items()
        if name != "required" or not isinstance(one, list)
    }
