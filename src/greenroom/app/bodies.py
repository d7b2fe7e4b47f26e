"""The bodies that operations take."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from greenroom.app.operations import Route

JSON, FORM, FILE = "json", "form", "file"
_KINDS = {"Body": JSON, "Form": FORM, "File": FILE}


@dataclass(frozen=True, slots=True)
class Body:
    """What an operation's body is.

    :param kind: `json`, `form` or `file`.
    :param model: the type that it's validated by; None if there is only a schema.
    :param root: the document that the schema refers into.
    :param schema: its JSON schema, if there is no model.
    """

    kind: str
    model: Any = None
    root: Any = None
    schema: Any = None


def body_of(route: Route, document: Any) -> Body | None:
    """The body of an operation; None if it takes none, or nobody knows of one.

    :param document: the OpenAPI document that it stands in, if it does.
    """
    field = getattr(route.source, "body_field", None)
    info = getattr(field, "field_info", None)
    if info is not None:
        kinds = [_KINDS[one.__name__] for one in type(info).__mro__ if one.__name__ in _KINDS]
        return Body(kinds[0] if kinds else JSON, info.annotation)
    path = (document or {}).get("paths", {}).get(route.local, {})
    operation = path.get(route.operation.method.lower(), {})
    content = (operation.get("requestBody") or {}).get("content") or {}
    for media, kind in (
        ("application/json", JSON),
        ("application/x-www-form-urlencoded", FORM),
    ):
        if "schema" in content.get(media, {}):
            return Body(kind, None, document, content[media]["schema"])
    return None
