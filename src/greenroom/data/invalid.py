"""The payloads that a model must refuse, each with a name and the error that it's refused with."""

from __future__ import annotations

import copy
import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from greenroom.data.faults import TYPES, Path, changed, faults
from greenroom.data.repairs import repaired
from greenroom.data.schemas import Schemas
from greenroom.facts.errors import Code, GreenroomError

#: How many fields of the plainest payload may have to be mended.
MOST_REPAIRS = 20


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
    adapter = adapter_of(model)
    schemas = Schemas(_schema(adapter, model))
    base = _base(model, adapter, schemas.root, valid)
    cases: dict[str, Case] = {}
    # What is wrong with the whole comes last.
    for fault in sorted(faults(schemas, schemas.root, base), key=lambda one: not one.path):
        name = f"{'.'.join(map(str, fault.path))}-{fault.name}" if fault.path else fault.name
        if name in cases:
            continue
        payload = changed(base, fault.place, fault.value)
        error = _error(adapter, payload)
        if error is None or error["type"] not in TYPES.get(fault.name, {error["type"]}):
            continue
        nearer = _nearest(fault.value, error.get("ctx") or {})
        if nearer is not None:
            closer = changed(base, fault.place, nearer)
            told = _error(adapter, closer)
            if told is not None and told["type"] == error["type"]:
                payload, error = closer, told
        cases[name] = Case(name, payload, tuple(error["loc"]), str(error["type"]))
    return list(cases.values())


def _nearest(value: Any, told: Mapping[str, Any]) -> str | None:
    """The time that is just out of the bounds that an error tells; None if it tells of none that can be read."""
    for word, by in (("gt", 0), ("ge", -1), ("lt", 0), ("le", 1)):
        bound = told.get(word)
        if isinstance(value, str) and isinstance(bound, str):
            try:
                return _moved(bound, by)
            except ValueError:
                return None
    return None


def _moved(time: str, by: int) -> str:
    """A date by days, and a moment by seconds. Raises ValueError if it's neither."""
    if len(time) == len("2026-01-31"):
        return (dt.date.fromisoformat(time) + dt.timedelta(days=by)).isoformat()
    return (dt.datetime.fromisoformat(time) + dt.timedelta(seconds=by)).isoformat()


def adapter_of(model: Any) -> Any:
    """What validates a type, as Pydantic does it.

    :raises GreenroomError: if Pydantic can't validate it: it is no type, or one that it knows nothing of.
    """
    from pydantic import TypeAdapter
    from pydantic.errors import PydanticUserError

    if model is not None and not isinstance(model, str):
        try:
            return TypeAdapter(model)
        except PydanticUserError:
            pass
    raise GreenroomError(
        Code.PAYLOAD,
        f"{_name(model) if isinstance(model, type) else repr(model)} is no model: Pydantic can't validate it.",
        "Pass a Pydantic model, or another type of its fields: list[Item].",
    )


def valid_payload(model: Any) -> Any:
    """The plainest payload that a model takes, and always the same.

    :raises GreenroomError: if there is none.
    """
    adapter = adapter_of(model)
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
