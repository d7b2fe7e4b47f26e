"""What a test sets directly and doesn't restore: environment variables and dependency overrides."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

#: Whose frames stand between an assignment and whoever meant it.
_PASSES_ON = ("os", "collections", "_collections_abc", "contextlib")


class Changed:
    """The watch over both; fixtures of a higher scope, libraries and the app may set what they like.

    :param is_test_file: tells the files of the test suite from those of the app.
    """

    def __init__(self, is_test_file: Callable[[Path], bool]) -> None:
        self._is_test_file = is_test_file
        self._apps: list[Any] = []
        self._in_a_test = False
        self._environ: dict[str, str | None] = {}
        self._before: list[dict[Any, Any]] = []
        self._after: list[dict[Any, Any]] = []
        self._original: Any = None

    def watch(self, apps: list[Any]) -> None:
        """Look from now on.

        :param apps: the apps that have overrides.
        """
        self._apps = apps
        if self._original is not None:
            return
        kind: Any = type(os.environ)
        self._original = (kind.__setitem__, kind.__delitem__)
        set_item, delete_item = self._original

        def watched_set(environ: Any, key: str, value: str) -> None:
            self._about_to_change(environ, key)
            set_item(environ, key, value)

        def watched_delete(environ: Any, key: str) -> None:
            self._about_to_change(environ, key)
            delete_item(environ, key)

        kind.__setitem__, kind.__delitem__ = watched_set, watched_delete

    def close(self) -> None:
        """Stop looking. Calling it twice is harmless."""
        if self._original is not None:
            kind: Any = type(os.environ)
            kind.__setitem__, kind.__delitem__ = self._original
            self._original = None

    def begin(self) -> None:
        """A test begins: its fixtures come first."""
        self._in_a_test = True
        self._environ.clear()
        self._before = self._overrides()
        self._after = self._before

    @contextmanager
    def by_a_wider_fixture(self) -> Iterator[None]:
        """What is set in the block is set for other tests too."""
        was, self._in_a_test = self._in_a_test, False
        earlier = self._overrides()
        try:
            yield
        finally:
            self._in_a_test = was
            for before, first, now in zip(self._before, earlier, self._overrides(), strict=False):
                for key in first.keys() | now.keys():
                    if first.get(key) is not now.get(key):
                        _put(before, key, now.get(key))

    def called(self) -> None:
        """The test's own function is done; its fixtures may still restore what they have set."""
        self._after = self._overrides()

    def fixtures_are_done(self) -> None:
        """What is set from now on is set by fixtures of a higher scope, as they end."""
        self._in_a_test = False

    def restore(self) -> list[str]:
        """Put back what is still as the test left it; what that is, in words."""
        self._in_a_test = False
        found = []
        for key, value in self._environ.items():
            if os.environ.get(key) != value:
                found.append(f"os.environ[{key!r}]")
                if value is None:
                    del os.environ[key]
                else:
                    os.environ[key] = value
        self._environ.clear()
        for app, before, after in zip(self._apps, self._before, self._after, strict=False):
            table = app.dependency_overrides
            for key in before.keys() | after.keys():
                wanted, left = before.get(key), after.get(key)
                if wanted is not left and table.get(key) is left:
                    found.append(f"the override of {getattr(key, '__qualname__', key)}")
                    _put(table, key, wanted)
        self._before = self._after = []
        return found

    def _overrides(self) -> list[dict[Any, Any]]:
        return [dict(app.dependency_overrides) for app in self._apps]

    def _about_to_change(self, environ: Any, key: str) -> None:
        if not self._in_a_test or environ is not os.environ or key == "PYTEST_CURRENT_TEST":
            return
        frame: FrameType | None = sys._getframe(2)  # noqa: SLF001 - who sets it is the question
        while frame is not None:
            if frame.f_globals.get("__name__", "").partition(".")[0] not in _PASSES_ON:
                if self._is_test_file(Path(frame.f_code.co_filename)):
                    self._environ.setdefault(key, environ.get(key))
                return
            frame = frame.f_back


def _put(table: dict[Any, Any], key: Any, value: Any) -> None:
    if value is None:
        table.pop(key, None)
    else:
        table[key] = value
