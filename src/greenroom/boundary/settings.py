"""The app's settings as a test wants them: fields of its pydantic-settings objects, for one test.

The object that the app holds is changed in place, wherever it was imported to. One that is made during the
test gets the same values. Getters that keep what they made (`lru_cache`, without arguments) make it anew, as
what they made may have come from the settings.
"""

from __future__ import annotations

import difflib
import functools
import gc
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from types import ModuleType
from typing import Any

from greenroom.boundary.patching import put
from greenroom.facts.errors import Code, GreenroomError

_CACHE = type(functools.lru_cache(lambda: None))
#: What isn't made anew: an app's engine, with what holds it.
_KEPT = ("sqlalchemy.", "sqlmodel.")


class SettingsChanger:
    """`settings(debug=True)`: called by a test, as often as it likes.

    :param modules: gives the project's modules.
    """

    def __init__(self, modules: Callable[[], Iterable[ModuleType]]) -> None:
        self._modules = modules
        self._undo = ExitStack()
        self._wanted: dict[type, dict[str, Any]] = {}

    def __call__(self, cls: type | None = None, /, **values: Any) -> None:
        """Set fields until the test is over.

        :param cls: the settings' class, if several have such a field.
        :raises GreenroomError: if no settings object has a field of that name, several have, or the field
            doesn't take the value.
        """
        modules = list(self._modules())
        found = _settings_of(modules)
        for name, value in values.items():
            kind = _owner(found, name, cls)
            wanted = self._wanted.get(kind)
            if wanted is None:
                wanted = self._wanted[kind] = {}
                self._have_new_ones_know(kind, wanted)
            wanted[name] = _valid(kind, name, value)
            for own in found[kind]:
                self._set(own, name, wanted[name])
        _forget(modules, found)

    def restore(self) -> None:
        """Set everything as it was. Harmless if nothing was changed."""
        if self._wanted:
            self._undo.close()
            self._wanted.clear()
            modules = list(self._modules())
            _forget(modules, _settings_of(modules))

    def _set(self, own: Any, name: str, value: Any) -> None:
        before, was_set = vars(own)[name], set(own.model_fields_set)

        def restore() -> None:
            vars(own)[name] = before
            own.model_fields_set.clear()
            own.model_fields_set.update(was_set)

        vars(own)[name] = value
        own.model_fields_set.add(name)
        self._undo.callback(restore)

    def _have_new_ones_know(self, kind: Any, wanted: dict[str, Any]) -> None:
        original = kind.__init__

        def __init__(own: Any, *args: Any, **values: Any) -> None:  # noqa: N807 - it's one
            original(own, *args, **values)
            vars(own).update(wanted)

        self._undo.callback(put(kind, "__init__", functools.wraps(original)(__init__)))


def _settings_of(modules: Iterable[ModuleType]) -> dict[type, list[Any]]:
    """The project's settings classes, each with its live objects; those in use come of getters, too."""
    library = sys.modules.get("pydantic_settings")
    if library is None:
        raise GreenroomError(
            Code.SETTINGS,
            "settings was called, and the app doesn't use pydantic-settings.",
            "Set environment variables by monkeypatch.setenv before the app reads them.",
        )
    base: type = library.BaseSettings
    for getter in _getters(modules):
        if isinstance(_annotated(getter), type) and issubclass(_annotated(getter), base):
            getter()  # So that there is one, which everybody gets.
    names = {module.__name__ for module in modules}
    kinds = {
        value
        for module in modules
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, base) and value.__module__ in names
    }
    live = _live(base)
    return {
        kind: [one for one in live if type(one) is kind]
        for kind in sorted(kinds, key=lambda kind: (kind.__module__, kind.__qualname__))
    }


def _live(base: type) -> list[Any]:
    """All objects of the class and of those derived from it."""
    frozen = gc.get_freeze_count()
    gc.unfreeze()  # What was made at import is put aside there, and not looked at.
    try:
        return [one for one in gc.get_objects() if issubclass(type(one), base)]
    finally:
        if frozen:
            gc.freeze()


def _owner(found: dict[type, list[Any]], name: str, cls: type | None) -> type:
    kinds: list[Any] = [kind for kind in found if cls is None or kind is cls]
    owners = [kind for kind in kinds if name in kind.model_fields]
    if len(owners) == 1:
        return owners[0]  # type: ignore[no-any-return]
    if owners:
        both = " and ".join(kind.__qualname__ for kind in owners)
        raise GreenroomError(
            Code.SETTINGS,
            f"{both} have a field {name}.",
            f"Say which: settings({owners[0].__qualname__}, {name}=...).",
        )
    fields = sorted({field for kind in kinds for field in kind.model_fields})
    near = difflib.get_close_matches(name, fields, n=1)
    hint = f"Did you mean {near[0]}?" if near else f"There are: {', '.join(fields) or 'none'}."
    raise GreenroomError(Code.SETTINGS, f"the app's settings have no field {name}.", hint)


def _valid(kind: Any, name: str, value: Any) -> Any:
    from typing import Annotated

    from pydantic import TypeAdapter, ValidationError

    field = kind.model_fields[name]
    annotation: Any = field.annotation
    for one in field.metadata:
        annotation = Annotated[annotation, one]
    try:
        return TypeAdapter(annotation).validate_python(value)
    except ValidationError as error:
        # Not the value: it may be a secret.
        why = error.errors(include_input=False, include_url=False)[0]["msg"]
        raise GreenroomError(
            Code.SETTINGS,
            f"{kind.__qualname__}.{name} doesn't take that value: {why}.",
            "Give it what the field takes.",
        ) from None


def _getters(modules: Iterable[ModuleType]) -> Iterator[Any]:
    """The project's functions that keep what they made, and take no argument."""
    seen: set[int] = set()
    for module in modules:
        for value in list(vars(module).values()):
            wrapped = getattr(value, "__wrapped__", None)
            code = getattr(wrapped, "__code__", None)
            if isinstance(value, _CACHE) and code is not None and id(value) not in seen:
                seen.add(id(value))
                if not (code.co_argcount or code.co_kwonlyargcount):
                    yield value


def _annotated(getter: Any) -> Any:
    told = getattr(getter, "__annotations__", {}).get("return")
    if isinstance(told, str):
        return getter.__wrapped__.__globals__.get(told)
    return told


def _forget(modules: Iterable[ModuleType], found: dict[type, list[Any]]) -> None:
    """Have getters make anew what they keep, but for settings, which are changed in place, and engines."""
    kinds = tuple(found)
    for getter in _getters(modules):
        if getter.cache_info().currsize:
            kept = getter()
            if not isinstance(kept, kinds) and not type(kept).__module__.startswith(_KEPT):
                getter.cache_clear()
