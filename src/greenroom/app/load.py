"""Import the app's module, take the app out of it, and check that it is one."""

from __future__ import annotations

import importlib
import inspect
import os
import sys
import traceback
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any, TypeAlias

from greenroom.app.target import Target
from greenroom.app.wsgi import is_flask, is_wsgi
from greenroom.facts.errors import Code, GreenroomError

Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
AsgiApp: TypeAlias = Callable[[Message, Receive, Send], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Loaded:
    """The app, and the full address that it was found at."""

    app: AsgiApp
    address: str
    is_wsgi: bool = False


def load(target: Target) -> Loaded:
    """Import the module and give back the app, made by its factory if there is one.

    :raises GreenroomError: if the module raises, the attribute is missing, or it isn't an ASGI app.
    """
    module = _import(target)
    if target.attribute is None:
        return _only_app(module, target)
    found: Any = module
    for part in target.attribute.split("."):
        try:
            found = getattr(found, part)
        except AttributeError:
            raise _not_an_app(
                target, f"{target.module} has no attribute {target.attribute!r}"
            ) from None
    if target.factory:
        found = _call(found, target)
    elif not _is_app(found) and not is_flask(found) and _is_factory(found):
        raise _not_an_app(
            target,
            f"{target} is a function without arguments, not an app",
            f'If it makes the app, write app = "{target}()".',
        )
    if not _is_app(found) and not is_wsgi(found):
        raise _not_an_app(
            target,
            f"{target} is a {type(found).__name__}, which is neither an ASGI app nor a WSGI app",
        )
    return Loaded(found, str(target), is_wsgi=not _is_app(found))


def own_frames(error: BaseException) -> str:
    """The error's traceback with the project's own frames, or the libraries' if it has none."""
    steps = [step for step in traceback.walk_tb(error.__traceback__) if not _is_machinery(step)]
    own = [step for step in steps if not _is_library(step)]
    shown = traceback.StackSummary.extract(iter(own or steps))
    last = traceback.format_exception_only(type(error), error)
    head = ["Traceback (most recent call last):\n"] if shown else []
    return "".join([*head, *shown.format(), *last])


def _is_machinery(step: tuple[FrameType, int]) -> bool:
    """Whether a frame belongs to greenroom or to the import system."""
    filename = step[0].f_code.co_filename
    greenroom = str(Path(__file__).parents[1])
    return filename.startswith((greenroom, "<frozen", str(Path(importlib.__file__).parent)))


def _is_library(step: tuple[FrameType, int]) -> bool:
    filename = step[0].f_code.co_filename
    libraries = {"site-packages", "dist-packages"} & set(Path(filename).parts)
    generated = filename.startswith("<")
    return bool(libraries) or generated or filename.startswith(str(Path(os.__file__).parent))


def _import(target: Target) -> ModuleType:
    try:
        return importlib.import_module(target.module)
    except GreenroomError:
        raise
    except (Exception, SystemExit) as error:
        missing = isinstance(error, ModuleNotFoundError) and (
            target.module == error.name or target.module.startswith(f"{error.name}.")
        )
        if missing:
            raise GreenroomError(
                Code.APP_IMPORT,
                f"the app {target} ({target.source}) can't be imported: {error}.",
                f"Looked in {target.path} and on sys.path. Correct the module's name, or where it lies.",
            ) from None
        raise GreenroomError(
            Code.APP_IMPORT,
            f"the app {target} ({target.source}) raised {type(error).__name__} while it was "
            f"imported: {error}",
            "Its own traceback is below; variables that it needs can stand in .env.test.",
            detail=own_frames(error),
        ) from error


def _call(factory: Any, target: Target) -> Any:
    if not callable(factory):
        raise _not_an_app(target, f"{target.module}:{target.attribute} can't be called")
    try:
        return factory(**dict(target.keywords))
    except GreenroomError:
        raise
    except (Exception, SystemExit) as error:
        raise GreenroomError(
            Code.APP_IMPORT,
            f"the factory {target} ({target.source}) raised {type(error).__name__}: {error}",
            "Its own traceback is below; what a factory is called with stands in its name: "
            'app = "module:create_app(testing=True)".',
            detail=own_frames(error),
        ) from error


def _only_app(module: ModuleType, target: Target) -> Loaded:
    """The app in a module that was found: `app`, `api`, or the only other one."""
    apps: dict[str, AsgiApp] = {
        name: value for name, value in vars(module).items() if _is_framework_app(value)
    }
    usual: tuple[str, ...] = ("app", "api")
    for name in usual:
        # It may be wrapped in a middleware, which is then the app that a server would run.
        named = vars(module).get(name)
        if _is_app(named) or is_flask(named):
            return Loaded(vars(module)[name], f"{target.module}:{name}", is_wsgi=is_flask(named))
    names = list({id(value): name for name, value in apps.items()}.values())
    if len(names) == 1:
        only: Any = apps[names[0]]
        return Loaded(only, f"{target.module}:{names[0]}", is_wsgi=is_flask(only))
    if names:
        both = " and ".join(f"{target.module}:{name}" for name in names)
        raise GreenroomError(
            Code.TWO_APPS,
            f"two apps could be meant: {both}.",
            'Say which: [tool.greenroom] app = "module:attribute" in pyproject.toml.',
        )
    raise _not_an_app(target, f"{target.module} ({target.source}) has no app in it")


def _is_framework_app(value: Any) -> bool:
    starlette = sys.modules.get("starlette.applications")
    return is_flask(value) or (starlette is not None and isinstance(value, starlette.Starlette))


def _is_app(value: Any) -> bool:
    if _is_framework_app(value):
        return not is_flask(value)
    if not callable(value) or isinstance(value, type):
        return False
    call: Any = value if inspect.isfunction(value) else type(value).__call__
    if not inspect.iscoroutinefunction(call):
        return False
    try:
        inspect.signature(value).bind(None, None, None)
    except (TypeError, ValueError):
        return False
    return True


def _is_factory(value: object) -> bool:
    if not inspect.isfunction(value):
        return False
    try:
        inspect.signature(value).bind()
    except TypeError:
        return False
    return True


def _not_an_app(
    target: Target, what: str, advice: str = 'Name the app: app = "module:attribute".'
) -> GreenroomError:
    return GreenroomError(Code.NOT_AN_APP, f"{what} ({target.source}).", advice)
