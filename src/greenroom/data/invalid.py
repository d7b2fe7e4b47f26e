"""The payloads that a model must refuse, each with a name and the error that it's refused with."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from greenroom.data.repairs import repaired
from greenroom.data.schemas import Schemas, other
from greenroom.facts.errors import Code, GreenroomError

Path = tuple["str | int", ...]
#: How many fields of the plainest payload may have to be mended.
MOST_REPAIRS = 20
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
#: What Pydantic calls a fault; another word means that something else was refused. The others have no
#: word of their own.
_TYPES = {
    "too_small": {"greater_than", "greater_than_equal"},
    "too_large": {"less_than", "less_than_equal"},
    "not_a_multiple": {"multiple_of"},
    "too_short": {"string_too_short", "bytes_too_short", "too_short"},
    "too_long": {"string_too_long", "bytes_too_long", "too_long"},
    "too_few": {"too_short", "missing"},
    "too_many": {"too_long"},
    "not_of_the_pattern": {"string_pattern_mismatch"},
    "extra": {"extra_forbidden", "unexpected_keyword_argument"},
}
#: The longest text or list that is made, in characters or items.
LONGEST = 100_000
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


def invalid(model: Any, *, valid: Any = None) -> list[Case]:
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
    base = _base(model, adapter, schemas.root, valid)
    cases: dict[str, Case] = {}
    # What is wrong with the whole comes last.
    faults = sorted(_faults(schemas, schemas.root, base, ()), key=lambda one: not one[0])
    for path, fault, value in faults:
        name = f"{'.'.join(map(str, path))}-{fault}" if path else fault
        if name in cases:
            continue
        payload = _with(base, path, value)
        error = _error(adapter, payload)
        if error is not None and error["type"] in _TYPES.get(fault, {error["type"]}):
            cases[name] = Case(name, payload, tuple(error["loc"]), str(error["type"]))
    return list(cases.values())


def valid_payload(model: Any) -> Any:
    """The plainest payload that a model takes, and always the same.

    :raises GreenroomError: if there is none.
    """
    from pydantic import TypeAdapter

    adapter: Any = TypeAdapter(model)
    return _base(model, adapter, _schema(adapter, model), None)


def _base(model: Any, adapter: Any, schema: dict[str, Any], valid: Any) -> Any:
    """A valid payload: the one that is given, or the plainest, or one of the schema's examples.

    :raises GreenroomError: if there is none.
    """
    from pydantic_core import to_jsonable_python

    if valid is not None:
        base = to_jsonable_python(valid, by_alias=True)
        refused = _refused(model, adapter, base)
        if refused is not None:
            raise _no_valid_payload(model, base, refused, is_given=True)
        return base
    first: tuple[Any, dict[str, Any]] | None = None
    for by_example in (False, True):
        try:
            base = Schemas(schema, by_example=by_example).value(schema)
        except RecursionError:
            raise GreenroomError(
                Code.PAYLOAD,
                f"there is no payload of {_name(model)}: it needs itself.",
                "Make the field that leads back optional.",
            ) from None
        for _ in range(MOST_REPAIRS):
            refused = _refused(model, adapter, base)
            if refused is None:
                return base
            first = first or (copy.deepcopy(base), refused)
            if not repaired(base, refused):
                break
    assert first is not None
    raise _no_valid_payload(model, *first, is_given=False)


def _refused(model: Any, adapter: Any, base: Any) -> dict[str, Any] | None:
    """The error of what should be valid. Raises GreenroomError if the model's own code fails on it."""
    try:
        return _first_error(adapter, base)
    except Exception as error:
        raise GreenroomError(
            Code.PAYLOAD,
            f"a validator of {_name(model)} raised {type(error).__name__}: {error}",
            "It was given a payload made of the schema; give a valid one: invalid(Model, valid={...}).",
        ) from error


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
            yield from (
                (path, fault, wrong) for fault, wrong in _of(branch, value) if fault in _TYPES
            )
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
        if name in required and name in value:
            yield (*path, name), "missing", _MISSING
        if name in value:
            yield from _faults(schemas, inner, value[name], (*path, name))
    more = schema.get("additionalProperties")
    if more is False:
        yield (*path, "unexpected"), "extra", "x"
    if isinstance(more, Mapping):
        for name in (one for one in value if one not in (schema.get("properties") or {})):
            yield from _faults(schemas, more, value[name], (*path, name))


def _in_list(
    schemas: Schemas, schema: Mapping[str, Any], value: list[Any], path: Path
) -> Iterator[tuple[Path, str, Any]]:
    if schema.get("minItems"):
        yield path, "too_few", value[: schema["minItems"] - 1]
    most = schema.get("maxItems", LONGEST)
    if most < LONGEST and isinstance(schema.get("items"), Mapping):
        item = schemas.resolved(schema["items"])
        items = list(value)
        while len(items) <= most:
            one = schemas.value(schema["items"])
            items.append(other(one, items, item) if one in items else one)
        yield path, "too_many", items
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
    step = schema.get("multipleOf", 1)
    for word, fault, by in (
        ("minimum", "too_small", -step),
        ("exclusiveMinimum", "too_small", 0),
        ("maximum", "too_large", step),
        ("exclusiveMaximum", "too_large", 0),
    ):
        if word in schema:
            yield fault, schema[word] + by
    if "multipleOf" in schema and isinstance(value, (int, float)):
        yield "not_a_multiple", value + 1
        yield "not_a_multiple", value + schema["multipleOf"] / 2
    if schema.get("type") == "string":
        yield from _of_text(schema, value)


def _of_text(schema: Mapping[str, Any], value: Any) -> Iterator[tuple[str, Any]]:
    text = value if isinstance(value, str) else "text"
    least, most = schema.get("minLength", 0), schema.get("maxLength", LONGEST)
    if least:
        yield "too_short", (text * least)[: least - 1]
    if most < LONGEST:
        yield "too_long", ((text or "t") * (most + 1))[: most + 1]
    if "pattern" in schema:
        odd = [*_ODD, f"{text}!", f"!{text}", f"{text[:-1]}!", f"!{text[1:]}"]
        fitting = [(one * max(1, least))[: max(most, 1)] for one in odd]
        yield from (("not_of_the_pattern", one) for one in fitting)
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
    """The first error of a payload; None if it's taken, or the model's own code fails on it."""
    try:
        return _first_error(adapter, payload)
    except Exception:  # noqa: BLE001 - whatever a validator raises: then it's no refusal
        return None


def _first_error(adapter: Any, payload: Any) -> dict[str, Any] | None:
    """The first error of a payload, as FastAPI has it validated; None if it's taken."""
    from pydantic import ValidationError

    try:
        # FastAPI validates a body so, which changes the word for one that is no object.
        adapter.validate_python(payload, from_attributes=True)
    except ValidationError as error:
        first: dict[str, Any] = dict(error.errors(include_url=False)[0])
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
