"""The entry point: decides whether this run uses greenroom, and does nothing else if it doesn't.

pytest imports this module in every project of the environment, so it imports nothing heavy.
"""

from __future__ import annotations

import os
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from greenroom.config.options import FIXTURES, OPTIONS
from greenroom.config.places import PLACES, ROOTS
from greenroom.facts.errors import Code, GreenroomError


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("greenroom", "greenroom: isolated databases and clients for an app")
    for option in OPTIONS:
        also = f"Also {option.key} in [tool.greenroom], and {option.variable}."
        how: dict[str, Any] = {"metavar": option.key.upper()}
        how["help"] = f"{option.help} Takes {option.accepts}. {also}"
        if option.key == "report":
            how |= {"nargs": "?", "const": "terminal"}
        if option.default is False:
            how = {"action": "store_const", "const": True, "help": f"{option.help} {also}"}
        group.addoption(option.flag, dest=f"greenroom_{option.field}", default=None, **how)


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(
    early_config: pytest.Config, parser: pytest.Parser, args: list[str]
) -> None:
    arguments = early_config.known_args_namespace
    flags = {option.field: getattr(arguments, f"greenroom_{option.field}") for option in OPTIONS}
    folders = _folders(early_config)
    named = os.environ.get("GREENROOM_APP") or flags["app"]
    if not named and not any(map(_could_be_a_project, folders)):
        hint = Hint(early_config.rootpath, has_app=False)
        early_config.pluginmanager.register(hint, "greenroom-hint")
        return
    from greenroom.runtime import activation

    asks_for_help = arguments.help or arguments.version
    root = activation.project_root(folders) or early_config.rootpath
    suite = activation.Suite(
        roots=lambda: _test_roots(early_config, root),
        skip=early_config.getini("norecursedirs"),
        files=early_config.getini("python_files"),
        provided=lambda name: _provided(early_config, name),
    )
    try:
        above = [folder for folder in folders if folder in root.parents]
        decision = activation.decide(root, above, os.environ, flags, suite)
        if isinstance(decision, activation.Inactive):
            hint = Hint(decision.root, has_app=decision.has_app)
            early_config.pluginmanager.register(hint, "greenroom-hint")
        elif not asks_for_help:
            from greenroom.plugin import hooks

            hooks.enter(early_config, parser, decision, lambda: activation.uses_anyio(suite))
    except GreenroomError as error:
        if not asks_for_help:
            raise pytest.UsageError(str(error)) from None


class Hint:
    """Explains, in a project that doesn't use greenroom, why a greenroom fixture isn't there."""

    def __init__(self, root: Path, *, has_app: bool) -> None:
        self._root = root
        self._has_app = has_app

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        error = call.excinfo.value if call.excinfo is not None else None
        if isinstance(error, pytest.FixtureLookupError) and error.argname in FIXTURES:
            report.longrepr = f"fixture '{error.argname}' not found\n{self._explain(error.argname)}"
        return report

    def _explain(self, name: str) -> GreenroomError:
        if not self._has_app:
            from greenroom.app.discover import no_app

            return no_app(self._root)
        return GreenroomError(
            Code.INACTIVE,
            f"the fixture {name} was requested, but greenroom isn't active in {self._root}: the "
            "project neither says that it uses it, nor could that be read from its tests.",
            "Add a [tool.greenroom] table, which may be empty, to pyproject.toml.",
        )


def _folders(config: pytest.Config) -> list[Path]:
    """The folder of what is run and those above it, up to the end of the repository."""
    called_in = Path(config.invocation_params.dir)
    named = [
        called_in / name.partition("::")[0] for name in config.known_args_namespace.file_or_dir
    ]
    paths = [str(path.absolute()) for path in named if path.exists()] or [str(called_in)]
    nearest = Path(os.path.commonpath(paths))
    folders = []
    for folder in (nearest, *nearest.parents):
        folders.append(folder)
        if folder == Path.home() or (folder / ".git").exists():
            break
    return folders


def _could_be_a_project(folder: Path) -> bool:
    """A first, cheap look: it imports nothing and parses nothing."""
    try:
        text = (folder / "pyproject.toml").read_bytes().lower()
    except OSError:
        text = b""
    if b"greenroom" in text or b"fastapi" in text:
        return True
    return any((folder / root / place).is_file() for root in ROOTS for place in PLACES)


def _test_roots(config: pytest.Config, root: Path) -> list[Path]:
    base = config.inipath.parent if config.inipath is not None else config.rootpath
    named = [
        path
        for pattern in config.getini("testpaths")
        # Python < 3.13 knows no pattern for the folder itself.
        for path in ([base] if Path(pattern) == Path() else base.glob(pattern))
    ]
    if base != root or not named:
        return [root]
    return [base / "conftest.py", *named] if (base / "conftest.py").is_file() else named


def _provided(config: pytest.Config, name: str) -> bool:
    """Whether another plugin that is loaded provides a fixture of that name."""
    return any(
        _is_fixture(getattr(plugin, name, None)) for plugin in config.pluginmanager.get_plugins()
    )


def _is_fixture(value: object) -> bool:
    # A class of pytest's own from 8.4 on, a mark on the function before; neither is public.
    return type(value).__name__ == "FixtureFunctionDefinition" or hasattr(
        value, "_pytestfixturefunction"
    )
