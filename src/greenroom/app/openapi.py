"""What the apps' OpenAPI documents say of their operations' answers."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from typing import Any

from greenroom.app.operations import Operations, Route
from greenroom.facts.declared import Declared
from greenroom.facts.errors import Code
from greenroom.facts.operation import WEBSOCKET
from greenroom.facts.pointer import at, escaped

_LOGIN = re.compile(
    r"(^|[/_-])(auth|login|log-in|signin|sign-in|token|tokens|refresh|oauth2?|register|signup)\b"
)
_LEAVE_OUT = (
    "response_model_exclude_unset",
    "response_model_exclude_defaults",
    "response_model_exclude_none",
)


class Documents:
    """The OpenAPI documents of an app and of those mounted in it; each is built when it's needed.

    :param operations: the app's.
    """

    def __init__(self, operations: Operations) -> None:
        self._operations = operations
        self._apps: dict[int, tuple[str, dict[str, Any] | None]] = {}
        self._known: dict[str, Declared] = {}
        #: The documents by their keys.
        self.documents: dict[str, dict[str, Any]] = {}
        #: What couldn't be built, a sentence each.
        self.notes: list[str] = []

    def declared(self, route: Route) -> Declared:
        """What an operation declares; nothing if it stands in no document."""
        name = str(route.operation)
        if name not in self._known:
            self._known[name] = self._declared(route)
        return self._known[name]

    def _declared(self, route: Route) -> Declared:
        if route.operation.method == WEBSOCKET:
            return Declared(success="101")
        success = getattr(route.source, "status_code", None)
        is_login = bool(_LOGIN.search(route.operation.path.lower()))
        if route.app is None or not getattr(route.source, "include_in_schema", True):
            return Declared(success=str(success or 200), is_login=is_login)
        key, document = self._document(route.app)
        path = (document or {}).get("paths", {}).get(route.local, {})
        operation = path.get(route.operation.method.lower())
        if document is None or not isinstance(operation, dict):
            return Declared(success=str(success or 200), is_login=is_login)
        pointer = f"/paths/{escaped(route.local)}/{route.operation.method.lower()}/responses"
        responses = {
            str(status): _contents(document, answer, f"{pointer}/{escaped(str(status))}")
            for status, answer in (operation.get("responses") or {}).items()
        }
        declared = next((status for status in responses if status.startswith(("2", "3"))), "200")
        return Declared(
            key,
            responses,
            str(success) if success else declared,
            leaves_out=any(getattr(route.source, name, None) for name in _LEAVE_OUT),
            kept=_names(getattr(route.source, "response_model_include", None)),
            excluded=_names(getattr(route.source, "response_model_exclude", None)) or frozenset(),
            partly=_partly(getattr(route.source, "response_model_exclude", None))
            | _partly(getattr(route.source, "response_model_include", None)),
            is_login=is_login,
        )

    def _document(self, app: Any) -> tuple[str, dict[str, Any] | None]:
        if id(app) not in self._apps:
            document = self._build(app)
            key = f"urn:greenroom:{len(self._apps)}"
            self._apps[id(app)] = (key, document)
            if document is not None:
                self.documents[key] = document
        return self._apps[id(app)]

    def _build(self, app: Any) -> dict[str, Any] | None:
        """The document, as the app itself would serve it; what it remembers of it is left as it was."""
        before = getattr(app, "openapi_schema", None)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                document = app.openapi()
        except Exception as error:  # noqa: BLE001 - whatever a schema of the project's raises
            self.notes.append(
                f"{Code.OPENAPI.value} the OpenAPI document of {getattr(app, 'title', app)!r} can't be "
                f"built{self._culprits(app)}: {type(error).__name__}: {_line(error)}. Its answers "
                "aren't checked against it."
            )
            return None
        finally:
            if hasattr(app, "openapi_schema"):
                app.openapi_schema = before
        return document if isinstance(document, dict) else None

    def _culprits(self, app: Any) -> str:
        """The operations that no document can be built of, each by itself."""
        from fastapi.openapi.utils import get_openapi

        found = []
        for route in self._operations.routes:
            if route.app is not app or not getattr(route.source, "include_in_schema", True):
                continue
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    get_openapi(title="x", version="1", routes=[route.source])
            except Exception:  # noqa: BLE001 - that it fails is what is asked
                found.append(str(route.operation))
        return f" because of {', '.join(found)}" if found else ""


def _names(told: Any) -> frozenset[str] | None:
    """The fields that an `include` or an `exclude` of Pydantic's means as a whole; None without one."""
    if isinstance(told, Mapping) and "__all__" in told:
        told = told["__all__"]  # Of each item of a list.
    if not told:
        return None
    if isinstance(told, Mapping):
        whole = [name for name, inner in told.items() if inner is True or inner is ...]
    else:
        whole = list(told)
    return frozenset(name for name in whole if isinstance(name, str))


def _partly(told: Any) -> frozenset[str]:
    """The fields of which only a part is meant."""
    if isinstance(told, Mapping) and "__all__" in told:
        return _partly(told["__all__"])
    if not isinstance(told, Mapping):
        return frozenset()
    return frozenset(
        name for name, inner in told.items() if isinstance(inner, (Mapping, set, frozenset))
    )


def _contents(document: dict[str, Any], answer: Mapping[str, Any], pointer: str) -> dict[str, str]:
    reference = answer.get("$ref", "")
    if reference.startswith("#/"):
        pointer = reference[1:]
        answer = at(document, pointer)
    return {
        kind: f"{pointer}/content/{escaped(kind)}/schema" if "schema" in media else ""
        for kind, media in (answer.get("content") or {}).items()
    }


def _line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [""])[0]
