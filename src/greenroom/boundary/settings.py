"""The app's settings as a test wants them: fields of its pydantic-settings objects, for one test.

The object that the app holds is changed in place, wherever it was imported to. One that is made during the
test gets the same values. Getters that keep what they made (`lru_cache`, without arguments) make it anew, as
what they made may have come from the settings.
"""

from __future__ import annotations

import difflib
import functools
import sys
import weakref
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from types import ModuleType
from typing import Any

from greenroom.boundary.live import live_objects
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
        #: The objects that were made meanwhile, each with what it would have been.
        self._made: list[tuple[weakref.ref[Any], dict[str, Any]]] = []
        self._is_making = False

    def __call__(self, cls: type | None = None, /, **values: Any) -> None:
        """Set fields until the test is over.

        :param cls: the settings' class, if several have such a field.
        :raises GreenroomError: if no settings class has a field of that name, several have, or the class
            refuses the value.
        """
        modules = list(self._modules())
        base = _base()
        kinds = _classes(modules, base)
        # One that its class refused may live on in a traceback, and has nothing that could be set.
        live = [one for one in live_objects(base) if hasattr(one, "__pydantic_fields_set__")]
        for name, value in values.items():
            kind = _owner(kinds, name, cls)
            if kind not in self._wanted:
                self._wanted[kind] = {}
                self._have_new_ones_know(kind)
            self._wanted[kind][name] = value
            for own in live:
                if isinstance(own, kind):
                    self._set(own, name, value)
        # What isn't made yet is made now, so that a value that is refused is told here.
        self._make(modules, base, values)
        _forget(modules, base)

    def restore(self) -> None:
        """Set everything as it was. Harmless if nothing was changed."""
        if not self._wanted:
            return
        self._undo.close()
        self._wanted.clear()
        for reference, plain in self._made:
            own = reference()
            if own is not None:
                vars(own).clear()
                vars(own).update(plain)
        self._made.clear()
        _forget(list(self._modules()), _base())

    def _set(self, own: Any, name: str, value: Any) -> None:
        """Change one object in place; its own validators have their say."""
        changed = _validated(own, name, value)
        before, was_set = dict(vars(own)), set(own.model_fields_set)

        def restore() -> None:
            vars(own).clear()
            vars(own).update(before)
            own.model_fields_set.clear()
            own.model_fields_set.update(was_set)

        vars(own).clear()
        vars(own).update(changed)
        own.model_fields_set.add(name)
        self._undo.callback(restore)

    def _have_new_ones_know(self, kind: Any) -> None:
        original = kind.__init__
        wanted = self._wanted[kind]

        def __init__(own: Any, *args: Any, **values: Any) -> None:  # noqa: N807 - it's one
            told = {
                _key(type(own), name): value
                for name, value in wanted.items()
                if name not in values and _key(type(own), name) not in values
            }
            original(own, *args, **{**values, **told})
            if told and not self._is_making:
                self._is_making = True
                try:
                    plain = object.__new__(type(own))
                    original(plain, *args, **values)
                    self._made.append((weakref.ref(own), dict(vars(plain))))
                except Exception:  # noqa: BLE001 - without the values it can't be made at all
                    self._made.append((weakref.ref(own), dict(vars(own))))
                finally:
                    self._is_making = False

        self._undo.callback(put(kind, "__init__", functools.wraps(original)(__init__)))

    def _make(self, modules: list[ModuleType], base: type, values: dict[str, Any]) -> None:
        from pydantic import ValidationError

        for getter in _getters(modules):
            made = _annotated(getter)
            is_settings = isinstance(made, type) and issubclass(made, base)
            wanted = is_settings and any(issubclass(made, kind) for kind in self._wanted)
            if wanted and not getter.cache_info().currsize:
                try:
                    getter()
                except ValidationError as error:
                    raise _refused(made, error, values) from None


def _base() -> type:
    library = sys.modules.get("pydantic_settings")
    if library is None:
        raise GreenroomError(
            Code.SETTINGS,
            "settings was called, and the app doesn't use pydantic-settings.",
            "Set environment variables by monkeypatch.setenv before the app reads them.",
        )
    base: type = library.BaseSettings
    return base


def _classes(modules: Iterable[ModuleType], base: type) -> list[Any]:
    """The project's settings classes."""
    names = {module.__name__ for module in modules}
    found = {
        value
        for module in modules
        for value in list(vars(module).values())
        if isinstance(value, type) and issubclass(value, base) and value.__module__ in names
    }
    return sorted(found, key=lambda kind: (kind.__module__, kind.__qualname__))


def _owner(kinds: list[Any], name: str, cls: type | None) -> type:
    """The class whose objects are meant: of several, the one that the others are derived from."""
    chosen = [kind for kind in kinds if cls is None or kind is cls]
    owners = [kind for kind in chosen if name in kind.model_fields]
    bases = [kind for kind in owners if all(issubclass(other, kind) for other in owners)]
    if bases:
        return bases[0]  # type: ignore[no-any-return]
    if owners:
        both = " and ".join(kind.__qualname__ for kind in owners)
        raise GreenroomError(
            Code.SETTINGS,
            f"{both} have a field {name}.",
            f"Say which: settings({owners[0].__qualname__}, {name}=...).",
        )
    fields = sorted({field for kind in chosen for field in kind.model_fields})
    near = difflib.get_close_matches(name, fields, n=1)
    hint = f"Did you mean {near[0]}?" if near else f"There are: {', '.join(fields) or 'none'}."
    raise GreenroomError(Code.SETTINGS, f"the app's settings have no field {name}.", hint)


def _validated(own: Any, name: str, value: Any) -> dict[str, Any]:
    """What an object holds with another value of a field, as its class validates it."""
    from pydantic import ValidationError

    kind = type(own)
    copy = own.model_copy()
    for extra in set(vars(copy)) - set(kind.model_fields):
        del vars(copy)[extra]  # Cached properties may have come from the field.
    try:
        kind.__pydantic_validator__.validate_assignment(copy, name, value)
    except ValidationError as error:
        if {one["type"] for one in error.errors(include_url=False)} != {"frozen_instance"}:
            raise _refused(kind, error, {name: value}) from None
        vars(copy)[name] = _alone(kind, name, value)
    return dict(vars(copy))


def _alone(kind: Any, name: str, value: Any) -> Any:
    """A field's value, validated by itself: the class lets none be assigned."""
    from typing import Annotated

    from pydantic import TypeAdapter, ValidationError

    field = kind.model_fields[name]
    annotation: Any = field.annotation
    for one in field.metadata:
        annotation = Annotated[annotation, one]
    try:
        return TypeAdapter(annotation).validate_python(value)
    except ValidationError as error:
        raise _refused(kind, error, {name: value}) from None


def _refused(kind: Any, error: Any, values: dict[str, Any]) -> GreenroomError:
    # Not the value: it may be a secret.
    first = error.errors(include_input=False, include_url=False)[0]
    place = ".".join(map(str, first["loc"])) or ", ".join(values)
    return GreenroomError(
        Code.SETTINGS,
        f"{kind.__qualname__}.{place} doesn't take that value: {first['msg']}.",
        "Give it what the field takes.",
    )


def _key(kind: Any, name: str) -> str:
    """What a field is called where an object is made."""
    field = kind.model_fields.get(name)
    alias = field.validation_alias if field is not None else None
    by_name = kind.model_config.get("populate_by_name") or kind.model_config.get("validate_by_name")
    if alias is None or by_name:
        return name
    choices = getattr(alias, "choices", [alias])
    return next((one for one in choices if isinstance(one, str)), name)


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


def _forget(modules: Iterable[ModuleType], base: type) -> None:
    """Have getters make anew what they keep, but for settings, which are changed in place, and engines."""
    for getter in _getters(modules):
        if getter.cache_info().currsize:
            kept = getter()
            if not isinstance(kept, base) and not type(kept).__module__.startswith(_KEPT):
                getter.cache_clear()
