"""The operations of an app: in included routers, in mounted apps, and its WebSockets."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from greenroom.app.overrides import parts
from greenroom.app.wsgi import is_flask
from greenroom.facts.operation import WEBSOCKET, Operation

#: How many paths are remembered with their operation.
MOST = 5000
#: What a framework answers by itself where an operation answers GET.
_BY_ITSELF = frozenset({"HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True, eq=False)
class Route:
    """An operation with what the framework knows of it.

    :param regex: matches the paths of its requests.
    :param endpoint: the function behind it.
    :param source: the framework's own object.
    :param app: the FastAPI app that it belongs to; None for another framework's.
    :param local: its path template inside of that app.
    """

    operation: Operation
    regex: re.Pattern[str]
    endpoint: Any
    source: Any
    app: Any = None
    local: str = ""


@dataclass(slots=True)
class Operations:
    """All operations of an app, in the order in which it looks for them."""

    routes: list[Route]
    prefix: str = ""
    _known: dict[tuple[str, str], Route | None] = field(default_factory=dict)

    def match(self, method: str, path: str) -> Route | None:
        """The operation that answers a request; None if none does."""
        key = (method, path)
        if key not in self._known:
            if len(self._known) >= MOST:
                self._known.clear()
            self._known[key] = self._find(method, path)
        return self._known[key]

    def _find(self, method: str, path: str) -> Route | None:
        if self.prefix and path.startswith(self.prefix + "/"):
            path = path[len(self.prefix) :]
        for route in self.routes:
            if route.operation.method == method and route.regex.match(path):
                return route
        return None

    @property
    def names(self) -> frozenset[str]:
        """Their names."""
        return frozenset(str(route.operation) for route in self.routes)


def operations_of(app: Any) -> Operations:
    """Find the operations of an app; of one that tells nothing of them there are none.

    What FastAPI adds by itself (its documentation pages and the schema) is left out.
    """
    if is_flask(app):
        return Operations(list(_flask(app)))
    outer = next((part for part in parts(app) if getattr(part, "routes", None)), None)
    if outer is None:
        return Operations([])
    found = _walk(outer, "", outer, set())
    first: dict[Operation, Route] = {}
    for route in found:
        first.setdefault(route.operation, route)
    return Operations(list(first.values()), getattr(outer, "root_path", "").rstrip("/"))


def _walk(holder: Any, prefix: str, app: Any, seen: set[int]) -> Iterator[Route]:
    """The routes below an app or a router.

    :param prefix: what the mounts above put before its paths.
    :param app: the FastAPI app that they belong to, as far as is known.
    :param seen: the apps above it: one may be mounted in itself.
    """
    if id(holder) in seen:
        return
    seen = seen | {id(holder)}
    if hasattr(holder, "openapi"):
        app = holder
    for context in _contexts(holder):
        original = getattr(context, "original_route", context)
        inner = getattr(original, "app", None)
        path = getattr(context, "path", None)
        if path is None:  # A host: its routes have the same paths.
            if getattr(inner, "routes", None):
                yield from _walk(inner, prefix, app, seen)
            continue
        if getattr(original, "endpoint", None) is None:  # A mount.
            if getattr(inner, "routes", None) and not _is_static(inner):
                yield from _walk(inner, prefix + path.rstrip("/"), inner, seen)
            continue
        if not _is_the_frameworks(context):
            yield from _made(context, prefix, app)


def _contexts(holder: Any) -> Iterator[Any]:
    """The routes of one app, those of included routers among them."""
    try:
        from fastapi.routing import iter_route_contexts
    except ImportError:  # FastAPI < 0.137 copies them.
        yield from holder.routes
    else:
        yield from iter_route_contexts(holder.routes)


def _made(context: Any, prefix: str, app: Any) -> Iterator[Route]:
    from starlette.routing import compile_path

    regex, template, _ = compile_path(prefix + context.path)
    of_fastapi = getattr(context, "dependant", None) is not None
    methods = getattr(context, "methods", None)
    endpoint = context.endpoint
    if methods is None and _is_socket(context):
        names: tuple[str, ...] = (WEBSOCKET,)
    elif methods is None:
        # A class of Starlette's has a method for each; a plain ASGI app may answer anything.
        names = tuple(
            name
            for name in ("GET", "POST", "PUT", "PATCH", "DELETE")
            if hasattr(endpoint, name.lower())
        )
    else:
        names = tuple(sorted(set(methods) - _BY_ITSELF)) or tuple(sorted(methods))
    for name in names:
        yield Route(
            Operation(template, name),
            regex,
            getattr(endpoint, name.lower(), endpoint) if methods is None else endpoint,
            context,
            app if of_fastapi else None,
            getattr(context, "path_format", "") or "",
        )


def _is_socket(context: Any) -> bool:
    original = getattr(context, "original_route", context)
    return "WebSocket" in type(original).__name__


def _is_static(app: Any) -> bool:
    return type(app).__name__ == "StaticFiles"


def _is_the_frameworks(context: Any) -> bool:
    endpoint = context.endpoint
    module = getattr(endpoint, "__module__", "") or ""
    return module.startswith(("fastapi.applications", "starlette.staticfiles"))


def _flask(app: Any) -> Iterator[Route]:
    for rule in app.url_map.iter_rules():
        if rule.endpoint == "static":
            continue
        template = re.sub(r"<(?:[^<>:]*:)?([^<>]+)>", r"{\1}", rule.rule)
        pattern = "".join(
            _FLASK.get(converter.split("(")[0] or "default", r"[^/]+") if name else re.escape(text)
            for text, converter, name in _pieces(rule.rule)
        )
        for method in sorted(rule.methods - _BY_ITSELF):
            yield Route(
                Operation(template, method),
                re.compile(pattern + r"\Z"),
                app.view_functions.get(rule.endpoint),
                rule,
            )


#: What Werkzeug's own converters match.
_FLASK = {"int": r"-?\d+", "float": r"-?\d+\.\d+", "path": r"[^/].*?", "uuid": r"[0-9A-Fa-f-]{36}"}


def _pieces(rule: str) -> Iterator[tuple[str, str, str]]:
    """A Flask rule's parts: a text, or a converter and a name."""
    end = 0
    for found in re.finditer(r"<(?:([^<>:]*):)?([^<>]+)>", rule):
        if found.start() > end:
            yield rule[end : found.start()], "", ""
        yield "", found.group(1) or "", found.group(2)
        end = found.end()
    if end < len(rule):
        yield rule[end:], "", ""
