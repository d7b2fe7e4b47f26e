"""Valid bodies of requests: the plainest that a model or a schema takes, different each time where it may be."""

from __future__ import annotations

import copy
import difflib
from typing import Any

from greenroom.data.invalid import adapter_of, valid_payload
from greenroom.data.schemas import Schemas
from greenroom.facts.errors import Code, GreenroomError

#: The formats of texts in which a number can be put.
_ADDRESSES = {"email", "idn-email"}
_LONGEST = 60


def of_model(model: Any, given: dict[str, Any], number: int) -> Any:
    """A payload that a Pydantic model, or another type that Pydantic validates, takes.

    :param given: fields, by their names or aliases.
    :param number: different for each payload of a test.
    :raises GreenroomError: if there is none, or the model refuses what is given.
    """
    from pydantic import ValidationError
    from pydantic_core import to_jsonable_python

    adapter = adapter_of(model)
    schema = adapter.json_schema(mode="validation")
    schemas = Schemas(schema)
    own = _by_alias(model, to_jsonable_python(given, by_alias=True), schemas)
    try:
        base = valid_payload(model)
    except GreenroomError as error:
        if not own:
            raise GreenroomError(
                Code.PAYLOAD,
                error.what,
                "Pass the fields that it wants: make.payload(..., name=...).",
            ) from None
        base = schemas.value(schema)  # What is given is perhaps what was missing.
    if own and not isinstance(base, dict):
        name = getattr(model, "__name__", model)
        raise GreenroomError(
            Code.PAYLOAD,
            f"{name} is a {type(base).__name__} in JSON, and has no fields {', '.join(own)}.",
            "Ask for it without fields, and change what comes.",
        )
    varied = _varied(schemas, schema, copy.deepcopy(base), number)
    for candidate in (varied, base):
        payload = {**candidate, **own} if own else candidate
        try:
            adapter.validate_json(_dumps(payload))
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            continue
        return payload
    place = ".".join(map(str, first["loc"])) or "the whole"
    raise GreenroomError(
        Code.PAYLOAD,
        f"{getattr(model, '__name__', model)} refuses what it was given: {place}: {first['msg']}.",
        "Pass other values, and those that must go with them.",
    )


def of_schema(root: dict[str, Any], schema: Any, given: dict[str, Any], number: int) -> Any:
    """A payload that a JSON schema describes.

    :param root: the document that it refers into.
    """
    schemas = Schemas(root)
    payload = _varied(schemas, schema, schemas.value(schema), number)
    return {**payload, **given} if given else payload


def properties_of(model: Any) -> dict[str, bool]:
    """The fields of a payload, each with whether it must be there."""
    from pydantic import TypeAdapter

    root = TypeAdapter(model).json_schema(mode="validation")
    schema = Schemas(root).resolved(root)
    required = schema.get("required") or ()
    return {name: name in required for name in schema.get("properties") or {}}


def _by_alias(model: Any, given: dict[str, Any], schemas: Schemas) -> dict[str, Any]:
    """What was given, by the names that a payload has."""
    fields = getattr(model, "model_fields", {})
    known = set(schemas.resolved(schemas.root).get("properties") or {})
    found = {}
    for name, value in given.items():
        field = fields.get(name)
        alias = (field.validation_alias or field.alias) if field is not None else None
        key = alias if isinstance(alias, str) else name
        if key not in known and known and not _takes_more(model):
            near = difflib.get_close_matches(key, sorted(known), n=1)
            hint = f"Did you mean {near[0]}?" if near else f"There are: {', '.join(sorted(known))}."
            raise GreenroomError(
                Code.PAYLOAD, f"{getattr(model, '__name__', model)} has no field {name}.", hint
            )
        found[key] = value
    return found


def _takes_more(model: Any) -> bool:
    return (getattr(model, "model_config", None) or {}).get("extra") == "allow"


def _varied(schemas: Schemas, schema: Any, payload: Any, number: int) -> Any:
    """Its free texts with a number in them, so that what must be unique is."""
    resolved = schemas.resolved(schema)
    if isinstance(payload, dict):
        properties = resolved.get("properties") or {}
        for name in payload.keys() & properties.keys():
            payload[name] = _varied(schemas, properties[name], payload[name], number)
        return payload
    ways = schemas.branches(resolved)
    told = ways[0] if ways else {}
    if not isinstance(payload, str) or told.get("type") != "string":
        return payload
    if any(word in told for word in ("enum", "const", "pattern")):
        return payload
    if told.get("format") in _ADDRESSES:
        return f"{number}{payload}"
    varied = f"{payload}-{number}"
    fits = len(varied) <= min(told.get("maxLength", _LONGEST), _LONGEST)
    return varied if "format" not in told and fits else payload


def _dumps(payload: Any) -> str:
    import json

    return json.dumps(payload)
