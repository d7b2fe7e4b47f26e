"""The payloads that a model must refuse, each with a name and the error that it's refused with."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from greenroom.data.schemas import Schemas
from greenroom.facts.errors import Code, GreenroomError

Path = tuple["str | int", ...]
#: Stands for a field that is left out.
_MISSING = object()

#: Of each type of JSON: how its fault is called, and what isn't of it, nor read as it.
_WRONG: dict[str, tuple[tuple[str, Any], ...]] = {
    "string": (("not_a_string", {}), ("not_a_string", 12345)),
    "integer": (("not_a_number", "x"), ("not_whole", 1.5), ("not_a_number", {})),
    "number": (("not_a_number", "x"), ("not_a_number", {})),
    "boolean": (("not_a_boolean", "x"), ("not_a_boolean", {})),
    "array": (("not_a_list", "x"), ("not_a_list", 1)),
    "object": (("not_an_object", "x"), ("not_an_object", [])),
}
#: What no way of a union is likely to take.
_NOTHING_LIKE_IT = ({"no": "such"}, ["x"], "x", -1.5, True, 0)
#: Texts that most patterns refuse.
_ODD = ("", "!", " ", "ß?", "a" * 300, "0")


@dataclass(frozen=True, slots=True)
class Case:
    """A payload that must be refused.

    :param name: the place and the fault: `price-not_a_number`. It is the test's id.
    :param payload: the whole body.
    :param loc: where Pydantic finds the first error; FastAPI puts `"body"` before it.
    :param type: Pydantic's word for it: `"string_too_short"`.
    """

    name: str
    payload: Any
    loc: Path
    type: str

    def __str__(self) -> str:
        return self.name

    @property
    def __name__(self) -> str:
        return self.name


def invalid(model: Any, *, valid: Mapping[str, Any] | None = None) -> list[Case]:
    """The payloads that a model must refuse: always the same ones, in the same order.

    Each differs in one thing from a valid payload: a field that is missing, null, of another type, out of
    bounds by one, too short or too long by one, not of the pattern or the format, none of the allowed
    values, or one too many. The model itself is asked about each: what it takes isn't in the list.

    :param model: a Pydantic model, or another type that Pydantic can validate.
    :param valid: a valid payload, for a model whose own validators refuse what its schema allows.
    :raises GreenroomError: if no valid payload can be made, or `valid` isn't one.
    """
    from pydantic import TypeAdapter

    adapter: Any = TypeAdapter(model)
    schemas = Schemas(_schema(adapter, model))
    base: Any = dict(valid) if valid is not None else schemas.value(schemas.root)
    refused = _error(adapter, base)
    if refused is not None:
        raise _no_valid_payload(model, base, refused, is_given=valid is not None)
    cases: dict[str, Case] = {}
    for path, fault, value in _faults(schemas, schemas.root, base, ()):
        payload = _with(base, path, value)
        error = _error(adapter, payload)
        name = f"{'.'.join(map(str, path))}-{fault}" if path else fault
        if error is not None and name not in cases:
            cases[name] = Case(name, payload, tuple(error["loc"]), str(error["type"]))
    return list(cases.values())


def _faults(
    schemas: Schemas, schema: Any, value: Any, path: Path
) -> Iterator[tuple[Path, str, Any]]:
    """Everything that might be wrong with a part of the payload: where, its name, the value."""
    schema = schemas.resolved(schema)
    branches = schemas.branches(schema)
    if path:
        yield path, "null", None
    if len(branches) == 1:
        yield from ((path, fault, wrong) for fault, wrong in _of(branches[0], value))
    else:
        yield from ((path, "none_of_them", one) for one in _NOTHING_LIKE_IT)
    for branch in branches:
        if isinstance(value, dict) and _is_of(branch, value):
            yield from _in_object(schemas, branch, value, path)
            break
    if isinstance(value, list):
        for branch in branches:
            if branch.get("type") == "array":
                yield from _in_list(schemas, branch, value, path)


def _in_object(
    schemas: Schemas, schema: Mapping[str, Any], value: dict[str, Any], path: Path
) -> Iterator[tuple[Path, str, Any]]:
    required = schema.get("required") or ()
    for name, inner in (schema.get("properties") or {}).items():
        if name in required:
            yield (*path, name), "missing", _MISSING
        if name in value:
            yield from _faults(schemas, inner, value[name], (*path, name))
    yield (*path, "unexpected"), "extra", "x"
    more = schema.get("additionalProperties")
    if isinstance(more, Mapping):
        for name in value.keys() - (schema.get("properties") or {}).keys():
            yield from _faults(schemas, more, value[name], (*path, name))


def _in_list(
    schemas: Schemas, schema: Mapping[str, Any], value: list[Any], path: Path
) -> Iterator[tuple[Path, str, Any]]:
    if schema.get("minItems"):
        yield path, "too_few", value[: schema["minItems"] - 1]
    if "maxItems" in schema and value:
        yield path, "too_many", (value * (schema["maxItems"] + 1))[: schema["maxItems"] + 1]
    prefix = schema.get("prefixItems") or []
    for number, inner in enumerate(value[: len(prefix) + 1]):
        one = prefix[number] if number < len(prefix) else schema.get("items")
        if isinstance(one, Mapping):
            yield from _faults(schemas, one, inner, (*path, number))


def _of(schema: Mapping[str, Any], value: Any) -> Iterator[tuple[str, Any]]:
    """What might be wrong with a single value."""
    if "const" in schema or schema.get("enum"):
        yield "not_allowed", "no such value"
        yield "not_allowed", -12345
    else:
        yield from _WRONG.get(str(schema.get("type")), ())
    for word, step in (("minimum", -1), ("exclusiveMinimum", 0)):
        if word in schema:
            yield "too_small", schema[word] + step
    for word, step in (("maximum", 1), ("exclusiveMaximum", 0)):
        if word in schema:
            yield "too_large", schema[word] + step
    if "multipleOf" in schema and isinstance(value, (int, float)):
        yield "not_a_multiple", value + schema["multipleOf"] / 2
    if schema.get("type") == "string":
        yield from _of_text(schema, value)


def _of_text(schema: Mapping[str, Any], value: Any) -> Iterator[tuple[str, Any]]:
    text = value if isinstance(value, str) else "text"
    if schema.get("minLength"):
        yield "too_short", (text * schema["minLength"])[: schema["minLength"] - 1]
    if "maxLength" in schema:
        yield "too_long", (text * (schema["maxLength"] + 1) or "t")[: schema["maxLength"] + 1]
    if "pattern" in schema:
        yield from (("not_of_the_pattern", odd) for odd in (*_ODD, f"{text}!", f"!{text}"))
    if "format" in schema:
        name = str(schema["format"]).replace("-", "_")
        article = "an" if name[0] in "aeio" else "a"
        yield f"not_{article}_{name}", "no such thing"
        yield f"not_{article}_{name}", ""


def _is_of(schema: Mapping[str, Any], value: dict[str, Any]) -> bool:
    """Whether an object is likely to be of that way of a union: its fixed fields are those."""
    properties = schema.get("properties") or {}
    return (schema.get("type") == "object" or bool(properties)) and all(
        value.get(name) == inner["const"] for name, inner in properties.items() if "const" in inner
    )


def _with(base: Any, path: Path, value: Any) -> Any:
    """The payload with one thing changed."""
    if not path:
        return value
    changed = copy.deepcopy(base)
    holder = changed
    for part in path[:-1]:
        holder = holder[part]
    if value is _MISSING:
        del holder[path[-1]]
    else:
        holder[path[-1]] = copy.deepcopy(value)
    return changed


def _error(adapter: Any, payload: Any) -> dict[str, Any] | None:
    """The first error of a payload, as FastAPI has it validated; None if it's taken."""
    from pydantic import ValidationError

    try:
        # FastAPI validates a body so, which changes the word for one that is no object.
        adapter.validate_python(payload, from_attributes=True)
    except ValidationError as error:
        first: dict[str, Any] = dict(error.errors(include_url=False, include_context=False)[0])
        return first
    return None


def _schema(adapter: Any, model: Any) -> dict[str, Any]:
    from pydantic.errors import PydanticInvalidForJsonSchema

    try:
        schema: dict[str, Any] = adapter.json_schema()
    except PydanticInvalidForJsonSchema as error:
        raise GreenroomError(
            Code.PAYLOAD,
            f"there is no JSON schema of {_name(model)}: {str(error).splitlines()[0]}",
            "Payloads are made from the schema, so each of its fields needs one.",
        ) from None
    return schema


def _no_valid_payload(
    model: Any, payload: Any, error: dict[str, Any], *, is_given: bool
) -> GreenroomError:
    place = ".".join(map(str, error["loc"])) or "the whole"
    what = (
        "the payload that was given"
        if is_given
        else f"the payload {payload!r}, made of its schema,"
    )
    return GreenroomError(
        Code.PAYLOAD,
        f"{what} is refused by {_name(model)}: {place}: {error['msg']}.",
        "Give a valid one: invalid(Model, valid={...}).",
    )


def _name(model: Any) -> str:
    return str(getattr(model, "__name__", model))
