"""What might be wrong with each part of a payload, as its schema tells it."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from greenroom.data.schemas import Schemas, other

Path = tuple["str | int", ...]
#: Stands for a field that is left out.
MISSING = object()

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
TYPES = {
    "too_small": {"greater_than", "greater_than_equal"},
    "too_large": {"less_than", "less_than_equal"},
    "too_many_digits": {"decimal_max_digits", "decimal_whole_digits"},
    "too_many_places": {"decimal_max_places"},
    "not_past": {"date_past", "datetime_past"},
    "not_future": {"date_future", "datetime_future"},
    "not_aware": {"timezone_aware"},
    "not_naive": {"timezone_naive"},
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


#: Texts of a format that is read as a time, each with how it may be wrong: no schema tells the bounds of one.
_TIMES: dict[str, tuple[tuple[str, str], ...]] = {
    "date": (
        ("too_small", "0001-01-01"),
        ("too_large", "9999-12-31"),
        ("not_past", "9999-12-31"),
        ("not_future", "0001-01-01"),
    ),
    "date-time": (
        ("too_small", "0001-01-02T00:00:00Z"),
        ("too_small", "0001-01-02T00:00:00"),
        ("too_large", "9999-12-30T00:00:00Z"),
        ("too_large", "9999-12-30T00:00:00"),
        ("not_past", "9999-12-30T00:00:00Z"),
        ("not_future", "0001-01-02T00:00:00Z"),
        ("not_aware", "2026-01-31T12:00:00"),
        ("not_naive", "2026-01-31T12:00:00Z"),
    ),
    "time": (("too_small", "00:00:00"), ("too_large", "23:59:59.999999")),
    "duration": (("too_small", "-P99999D"), ("too_large", "P99999D")),
}
#: How many digits of a decimal number are tried.
_MOST_DIGITS = 40
#: Formats that tell how a text is shown, and refuse none.
_SHOWN = frozenset({"password", "binary"})


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that may be wrong.

    :param path: where.
    :param name: what.
    :param place: what of the payload is put in the place of another value.
    :param value: by what.
    """

    path: Path
    name: str
    place: Path
    value: Any


def faults(schemas: Schemas, schema: Any, value: Any) -> Iterator[Fault]:
    """Everything that might be wrong with a payload."""
    yield from _faults(schemas, schema, value, ())


def changed(base: Any, path: Path, value: Any) -> Any:
    """A payload with one thing changed."""
    if not path:
        return value
    result = copy.deepcopy(base)
    holder = result
    for part in path[:-1]:
        holder = holder[part]
    if value is MISSING:
        del holder[path[-1]]
    else:
        holder[path[-1]] = copy.deepcopy(value)
    return result


def _faults(schemas: Schemas, schema: Any, value: Any, path: Path) -> Iterator[Fault]:
    """Everything that might be wrong with a part of the payload."""
    schema = schemas.resolved(schema)
    branches = schemas.branches(schema)
    if path:
        yield Fault(path, "null", path, None)
    yield from (Fault(path, fault, path, wrong) for fault, wrong in _of_ways(branches, value))
    for branch in branches:
        if isinstance(value, dict) and _is_of(branch, value):
            yield from _in_object(schemas, branch, value, path)
            break
    if schema.get("discriminator"):
        yield from _of_other_ways(schemas, branches, value, path)
    if isinstance(value, list):
        for branch in branches:
            if branch.get("type") == "array":
                yield from _in_list(schemas, branch, value, path)


def _of_ways(branches: list[dict[str, Any]], value: Any) -> Iterator[tuple[str, Any]]:
    """What might be wrong with a single value that may be of several kinds."""
    if len(branches) == 1:
        yield from _of(branches[0], value)
    elif _is_of_decimal(branches):
        yield from _of_decimal(branches, value)
    else:
        yield from (("none_of_them", one) for one in _NOTHING_LIKE_IT)
        for branch in branches:
            yield from (one for one in _of(branch, value) if one[0] in TYPES)


def _of_other_ways(
    schemas: Schemas, branches: list[dict[str, Any]], value: Any, path: Path
) -> Iterator[Fault]:
    """What is wrong with an object that another field says to be of another kind."""
    for branch in branches:
        if isinstance(value, dict) and not _is_of(branch, value):
            its = schemas.value(branch)
            for fault in _in_object(schemas, branch, its, ()):
                wrong = changed(its, fault.place, fault.value)
                yield Fault((*path, *fault.path), fault.name, path, wrong)


def _in_object(
    schemas: Schemas, schema: Mapping[str, Any], value: dict[str, Any], path: Path
) -> Iterator[Fault]:
    required = schema.get("required") or ()
    for name, inner in (schema.get("properties") or {}).items():
        if name in required and name in value:
            yield Fault((*path, name), "missing", (*path, name), MISSING)
        if name in value:
            yield from _faults(schemas, inner, value[name], (*path, name))
    more = schema.get("additionalProperties")
    if more is False:
        unexpected = (*path, "unexpected")
        yield Fault(unexpected, "extra", unexpected, "x")
    least, most = schema.get("minProperties", 0), schema.get("maxProperties", LONGEST)
    if least:
        yield Fault(path, "too_few", path, dict(list(value.items())[: least - 1]))
    if value and most < LONGEST:
        first = next(iter(value.values()))
        many = {f"{number}{number}": first for number in range(most + 1 - len(value))}
        yield Fault(path, "too_many", path, {**value, **many})
    if isinstance(more, Mapping):
        for name in (one for one in value if one not in (schema.get("properties") or {})):
            yield from _faults(schemas, more, value[name], (*path, name))


def _in_list(
    schemas: Schemas, schema: Mapping[str, Any], value: list[Any], path: Path
) -> Iterator[Fault]:
    if schema.get("minItems"):
        yield Fault(path, "too_few", path, value[: schema["minItems"] - 1])
    most = schema.get("maxItems", LONGEST)
    if most < LONGEST and isinstance(schema.get("items"), Mapping):
        item = schemas.resolved(schema["items"])
        items = list(value)
        while len(items) <= most:
            one = schemas.value(schema["items"])
            items.append(other(one, items, item) if one in items else one)
        yield Fault(path, "too_many", path, items)
    prefix = schema.get("prefixItems") or []
    if prefix and most == len(prefix):
        yield Fault(path, "too_many", path, [*value, value[-1]])
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
    yield from _TIMES.get(str(schema.get("format")), ())
    if "format" in schema and schema["format"] not in _SHOWN:
        name = str(schema["format"]).replace("-", "_")
        article = "an" if name[0] in "aeio" else "a"
        yield f"not_{article}_{name}", "no such thing"
        yield f"not_{article}_{name}", ""


def _is_of_decimal(branches: list[dict[str, Any]]) -> bool:
    """Whether a value is a decimal number, which may come as a text."""
    if [one.get("type") for one in branches] != ["number", "string"]:
        return False
    return branches[1].keys() <= {"type", "pattern"}


def _of_decimal(branches: list[dict[str, Any]], value: Any) -> Iterator[tuple[str, Any]]:
    """Its schema doesn't tell how many digits it may have."""
    yield from _of(branches[0], value)
    whole = str(value).partition(".")[0]
    for number in range(1, _MOST_DIGITS):
        digits = "1" * number
        yield "too_many_digits", digits
        yield "too_many_places", f"{whole}.{digits}"
        yield "too_many_places", f"0.{digits}"


def _is_of(schema: Mapping[str, Any], value: dict[str, Any]) -> bool:
    """Whether an object is likely to be of that way of a union: its fixed fields are those."""
    properties = schema.get("properties") or {}
    return (schema.get("type") == "object" or bool(properties)) and all(
        value.get(name) == inner["const"] for name, inner in properties.items() if "const" in inner
    )
