"""pytest-asyncio's settings, where the project says nothing of its own.

The defaults of pytest-asyncio are replaced by declaring its options again, with another default, in
`pytest_load_initial_conftests`: after every plugin has declared its own and before any is read. What
the project, the command line or `-o` say is not a default, and so it holds.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

_MODE = "asyncio_mode"
_FIXTURES = "asyncio_default_fixture_loop_scope"
_TESTS = "asyncio_default_test_loop_scope"


def apply(config: pytest.Config, parser: pytest.Parser, uses_anyio: Callable[[], bool]) -> None:
    """Make auto mode and session loops the defaults.

    :param uses_anyio: whether the suite's async tests are for anyio's plugin. In auto mode
        pytest-asyncio would take their fixtures, and the two run them on different loops.
    """
    if not config.pluginmanager.hasplugin("asyncio"):
        return
    said = _said(config)
    if _MODE not in said and not uses_anyio():
        parser.addini(_MODE, help="default value for --asyncio-mode", default="auto")
    # Tests and fixtures on different loops would share connections that belong to one of them. So
    # where the project says something of either, both stay as pytest-asyncio has them.
    if _FIXTURES not in said and _TESTS not in said:
        parser.addini(
            _FIXTURES, help="default scope of the loop of async fixtures", default="session"
        )
        parser.addini(_TESTS, help="default scope of the loop of async tests", default="session")


def _said(config: pytest.Config) -> set[str]:
    """The names that pytest's configuration file or `-o` set."""
    names = {_MODE, _FIXTURES, _TESTS}
    overrides = config.known_args_namespace.override_ini or []
    said = {override.partition("=")[0].strip() for override in overrides}
    file = config.inipath
    if file is not None:
        text = file.read_text(encoding="utf-8")
        said.update(name for name in names if name in text and _is_set(text, name))
    return said & names


def _is_set(text: str, name: str) -> bool:
    """Whether a line of an ini or TOML file sets the name; a comment doesn't."""
    return any(line.strip().partition("=")[0].strip() == name for line in text.splitlines())
