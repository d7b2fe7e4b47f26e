"""The security schemes of an app, and what a credential is in each."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from typing import Any

from greenroom.app.openapi import Documents
from greenroom.app.operations import Route
from greenroom.facts.credential import Credential, Scheme
from greenroom.facts.errors import Code, GreenroomError

_BEARERS = frozenset({"oauth2", "openidconnect"})
#: The kinds that a token can be put into.
KNOWN = ("bearer", "header", "query", "cookie", "basic")
_DEFAULT = Scheme("bearer", "bearer")


def schemes_of(documents: Documents, routes: Iterable[Route]) -> dict[str, Scheme]:
    """All schemes that the app's documents declare, by name; those that are best for a token first."""
    for route in routes:
        documents.declared(route)  # So that their documents are built.
    found: dict[str, Scheme] = {}
    for document in documents.documents.values():
        declared = (document.get("components") or {}).get("securitySchemes") or {}
        for name, told in declared.items():
            found.setdefault(name, _scheme(name, told))
    rank = {kind: place for place, kind in enumerate(KNOWN)}
    return dict(sorted(found.items(), key=lambda item: rank.get(item[1].kind, len(KNOWN))))


def required_by(documents: Documents, route: Route) -> list[list[str]]:
    """The schemes that an operation requires: one of the lists, and all in it. Empty if it's open to all."""
    declared = documents.declared(route)
    document = documents.documents.get(declared.document) or {}
    path = document.get("paths", {}).get(route.local, {})
    operation = path.get(route.operation.method.lower()) or {}
    told = operation.get("security", document.get("security")) or []
    ways = [list(one) for one in told]
    return [] if [] in ways else ways


def chosen(schemes: Mapping[str, Scheme], name: str | None) -> Scheme:
    """The scheme of that name, or the best one for a token.

    :raises GreenroomError: if there is none of that name, or it takes no token.
    """
    if name is None:
        usable = [one for one in schemes.values() if one.kind in KNOWN]
        if not usable and schemes:
            name = next(iter(schemes))
        else:
            return usable[0] if usable else _DEFAULT
    found = schemes.get(name)
    if found is None:
        known = ", ".join(schemes) or "none"
        raise GreenroomError(
            Code.CALLER,
            f"the app declares no security scheme {name!r}.",
            f"It declares: {known}.",
        )
    if found.kind not in KNOWN:
        raise GreenroomError(
            Code.CALLER,
            f"the security scheme {name} is of the kind {found.kind!r}, which greenroom can't speak.",
            "Set what it wants by hand: client.headers[...] = ...",
        )
    return found


def credential_of(scheme: Scheme, token: str) -> Credential:
    """A token as a scheme wants it; for `basic` it's the name and the password, with a colon."""
    if scheme.kind == "bearer":
        return Credential(headers={"authorization": f"Bearer {token}"})
    if scheme.kind == "basic":
        encoded = base64.b64encode(token.encode()).decode()
        return Credential(headers={"authorization": f"Basic {encoded}"})
    if scheme.kind == "query":
        return Credential(params={scheme.parameter: token})
    if scheme.kind == "cookie":
        return Credential(cookies={scheme.parameter: token})
    return Credential(headers={scheme.parameter.lower(): token})


def _scheme(name: str, told: Mapping[str, Any]) -> Scheme:
    kind = str(told.get("type", "")).lower()
    if kind in _BEARERS:
        return Scheme(name, "bearer")
    if kind == "http":
        return Scheme(name, str(told.get("scheme", "")).lower())
    if kind == "apikey":
        return Scheme(name, str(told.get("in", "")), str(told.get("name", "")))
    return Scheme(name, kind)
