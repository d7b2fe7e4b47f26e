"""What an operation's parameters and security schemes require it to answer."""

from __future__ import annotations

import enum
import re
import typing
from collections.abc import Iterator
from typing import Any

from greenroom.app.operations import Route
from greenroom.facts.operation import WEBSOCKET


def required_by(route: Route, dependant: Any, *, scopes_are_403: bool) -> Iterator[tuple[str, str]]:
    """What an operation's parameters require.

    :param scopes_are_403: whether missing scopes are answered so.
    """
    scoped = False
    for one in all_of(dependant):
        scoped = scoped or bool(
            getattr(one, "own_oauth_scopes", None) or getattr(one, "security_scopes", None)
        )
        if not _is_known_scheme(one.call) or not getattr(one.call, "auto_error", True):
            continue  # What a scheme of the project's own answers stands in its source.
        status = "403" if route.operation.method == WEBSOCKET else _unauthenticated(one.call)
        scheme = getattr(one.call, "scheme_name", type(one.call).__name__)
        yield status, f"the security scheme {scheme}"
    if scoped and scopes_are_403 and route.operation.method != WEBSOCKET:
        yield "403", "security scopes are required"
    if route.operation.method == WEBSOCKET:
        return
    for one in (parameter for part in all_of(dependant) for parameter in part.path_params):
        convertor = (getattr(route.source, "param_convertors", None) or {}).get(one.name)
        if not _is_closed(_type_of(one)) and type(convertor).__name__ != "PathConvertor":
            yield "404", f"the path parameter {one.name} names something"


def all_of(dependant: Any) -> Iterator[Any]:
    waiting = [dependant]
    while waiting:
        one = waiting.pop(0)
        yield one
        waiting += one.dependencies


def can_be_invalid(dependant: Any, path: str) -> bool:
    """Whether there is an input that the operation refuses: a body, or a parameter that isn't free text.

    :param path: the operation's, with its convertors.
    """
    for part in all_of(dependant):
        if part.body_params:
            return True
        for one in part.path_params:
            if not _is_free(one) and not _is_converted(path, one):
                return True
        for kind in ("query_params", "header_params", "cookie_params"):
            for one in getattr(part, kind):
                if not _is_free(one) or (one.field_info.is_required() and not _is_model(one)):
                    return True
    return False


def _is_model(parameter: Any) -> bool:
    """Whether it's a model of parameters, whose fields say what is required."""
    return hasattr(_type_of(parameter), "model_fields")


def _is_converted(path: str, parameter: Any) -> bool:
    """Whether the path itself lets only such values through: `{number:int}`."""
    convertor = re.search(rf"{{{re.escape(parameter.name)}:(int|float|uuid)}}", path)
    return convertor is not None and convertor[1] in str(_type_of(parameter)).lower()


def _type_of(parameter: Any) -> Any:
    return parameter.field_info.annotation


def _is_free(parameter: Any) -> bool:
    """Whether any text will do."""
    return _is_free_field(parameter.field_info)


def _is_free_field(info: Any) -> bool:
    if any(not isinstance(one, str) for one in info.metadata):
        return False
    kind = info.annotation
    fields = getattr(kind, "model_fields", None)
    if isinstance(kind, type) and fields is not None:  # A model of parameters.
        strict = (getattr(kind, "model_config", None) or {}).get("extra") == "forbid"
        return not strict and all(
            not one.is_required() and _is_free_field(one) for one in fields.values()
        )
    return _is_text(kind)


def _is_text(kind: Any) -> bool:
    if typing.get_origin(kind) is typing.Annotated:
        return False
    inner = typing.get_args(kind)
    if inner:
        return all(_is_text(one) for one in inner)
    return kind in {str, type(None), typing.Any}


def _is_closed(kind: Any) -> bool:
    """Whether the values are a fixed set: an enumeration, or literals."""
    if typing.get_origin(kind) is typing.Annotated:
        return _is_closed(typing.get_args(kind)[0])
    return typing.get_origin(kind) is typing.Literal or (
        isinstance(kind, type) and issubclass(kind, (enum.Enum, bool))
    )


def _is_known_scheme(call: Any) -> bool:
    """Whether it's one of FastAPI's own security schemes, or made of one."""
    return any(
        one.__name__ != "SecurityBase" and one.__module__.startswith("fastapi.security")
        for one in type(call).__mro__
    )


def _unauthenticated(scheme: Any) -> str:
    """What a scheme answers without credentials, which has changed in FastAPI."""
    make = getattr(scheme, "make_not_authenticated_error", None)
    if make is not None:
        return str(make().status_code)
    names = {one.__name__ for one in type(scheme).__mro__}
    return "401" if names & {"OAuth2PasswordBearer", "HTTPBasic"} else "403"
