"""WSGI apps, Flask's above all: they have no lifespan, and a test client of their own."""

from __future__ import annotations

import asyncio
import inspect
import json
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from greenroom.facts.credential import Credential
from greenroom.facts.exchange import Exchange, Watch


def is_flask(value: object) -> bool:
    """Whether it's a Flask app. Flask isn't imported for it."""
    flask = sys.modules.get("flask")
    return flask is not None and isinstance(value, flask.Flask)


def main_engine(app: Any) -> object | None:
    """The engine of Flask-SQLAlchemy's default database; None if the app has no such thing.

    It makes those of the binds first.
    """
    extension: Any = getattr(app, "extensions", {}).get("sqlalchemy")
    if not hasattr(type(extension), "engines"):
        return None
    with app.app_context():
        engines: dict[str | None, object] = extension.engines
        return engines.get(None)


def is_wsgi(value: object) -> bool:
    """Whether it can be called as a WSGI app is: with an environment and a function."""
    if is_flask(value):
        return True
    if not callable(value) or isinstance(value, type):
        return False
    if inspect.iscoroutinefunction(value) or inspect.iscoroutinefunction(
        getattr(type(value), "__call__", None)  # noqa: B004 - how it is called is the question
    ):
        return False
    try:
        inspect.signature(value).bind(None, None)
    except (TypeError, ValueError):
        return False
    return True


class NoLifespan:
    """What `Lifespan` is for an app that has none: it is started where it is said to be."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop

    @property
    def state(self) -> dict[str, Any]:
        """Nothing."""
        return {}

    async def start(self) -> None:
        """Nothing happens."""

    async def stop(self) -> None:
        """Nothing happens."""


def flask_client(  # noqa: PLR0917 - what it tells, and to whom
    app: Any,
    before: Callable[[], None],
    after: Callable[[], None],
    asked: Callable[[], Watch],
    over: Callable[[str, str], AbstractContextManager[None]],
    callers: Any,
) -> Any:
    """Flask's own test client for the app, or the app's own, told of each request.

    :param before: called before a request goes out.
    :param after: called when the app is done with it.
    :param asked: called as it goes to the app; told there is what comes of it.
    :param over: how long a request may take.
    :param callers: knows how a user becomes a credential.
    """
    base: Any = type(app.test_client())

    class Client(base):  # type: ignore[misc]
        def as_user(self, user: Any, *, password: str | None = None) -> Any:
            """Another client, which asks as a user."""
            before()
            return self._knowing(callers.blocking(user, password))

        def with_token(self, token: str, *, scheme: str | None = None) -> Any:
            """Another client, with a token."""
            return self._knowing(callers.of_token(token, scheme))

        @property
        def anonymous(self) -> Any:
            """Another client, without cookies or credentials."""
            return Client(app, app.response_class, use_cookies=True)

        def _knowing(self, credential: Credential) -> Any:
            other = self.anonymous
            for name, value in credential.headers.items():
                other.environ_base[f"HTTP_{name.upper().replace('-', '_')}"] = value
            for name, value in credential.cookies.items():
                other.set_cookie(name, value)
            return other

        def open(self, *args: Any, **kwargs: Any) -> Any:
            __tracebackhide__ = True
            path = _path(args[0] if args else kwargs.get("path", ""))
            before()
            watch = asked()
            seen: Exchange | None = None
            try:
                with over(str(kwargs.get("method", "GET")), path):
                    response = super().open(*args, **kwargs)
                seen = _answered(response, _sent(kwargs))
            except Exception as error:
                told = f"raised {type(error).__name__}: {error}"
                method = str(kwargs.get("method", "GET"))
                seen = Exchange(method, path, _sent(kwargs), None, error=told)
                raise
            finally:
                # Before the session reads again, which is none of the request's. Whether somebody
                # looks at the answer can't be seen from here.
                if seen is not None:
                    watch.saw(seen)()
                after()
            return response

    return Client(app, app.response_class, use_cookies=True)


def _answered(response: Any, sent: bytes | None) -> Exchange:
    # What has no length is a stream, which the test reads as it comes.
    received = response.get_data() if response.content_length is not None else None
    target = response.request.full_path.rstrip("?")
    method, status = response.request.method, response.status_code
    kind = response.content_type or ""
    return Exchange(method, target, sent, status, received, content_type=kind)


def _path(asked: Any) -> str:
    """The path that a request is made from: a text, an environment, or a builder of one."""
    if isinstance(asked, dict):
        return str(asked.get("PATH_INFO", ""))
    return str(getattr(asked, "path", asked))


def _sent(options: dict[str, Any]) -> bytes | None:
    if options.get("json") is not None:
        return json.dumps(options["json"], default=str).encode()
    data = options.get("data")
    if isinstance(data, str):
        return data.encode()
    return data if isinstance(data, bytes) else None
