"""Does a test suite ask for greenroom's fixtures? Read from its source, before anything is imported.

The question must be answered before the first conftest is imported, since a conftest may import the
app, and for the whole suite, since a test that is run alone by its node id must be isolated too. So
the sources are parsed, never run.
"""

from __future__ import annotations

import ast
import fnmatch
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from greenroom.config.options import FIXTURES

#: A tree with more Python files than this isn't read to its end.
MOST_FILES = 5_000


@dataclass(frozen=True, slots=True)
class Request:
    """A test or a fixture that asks for one of greenroom's fixtures."""

    file: Path
    function: str
    fixture: str


@dataclass(slots=True)
class _Source:
    """What one file defines and requests."""

    file: Path
    is_test: bool
    defines: set[str] = field(default_factory=set)
    plugins: set[str] = field(default_factory=set)
    requests: list[Request] = field(default_factory=list)

    def gives(self, other: Request) -> bool:
        """Whether a fixture defined here is the one that the request gets."""
        if other.fixture not in self.defines:
            return False
        own = other.file == self.file
        if own:
            return other.function != other.fixture
        if self.file.name == "conftest.py":
            return self.file.parent in other.file.parents
        return not self.is_test


def find_request(
    root: Path,
    roots: Iterable[Path],
    skip: Sequence[str],
    test_files: Sequence[str],
    provided: Callable[[str], bool] = lambda name: False,
) -> Request | None:
    """The first request of a greenroom fixture that no file of the suite fulfils.

    :param root: the project's folder, below which the modules of `pytest_plugins` are looked for.
    :param roots: the folders and files that hold the tests.
    :param test_files: patterns of the names of test modules.
    :param provided: whether a plugin provides a fixture of that name.
    :param skip: patterns of folder names that pytest doesn't recurse into.
    """
    sources = [
        source
        for file in _python_files(roots, skip)
        if (source := _read(file, is_test=_matcher(test_files)(file.name))) is not None
    ]
    for name in sorted({name for source in sources for name in source.plugins}):
        sources += _plugin_sources(root, name)
    requests = (request for source in sources for request in source.requests)
    for request in requests:
        if not any(source.gives(request) for source in sources) and not provided(request.fixture):
            return request
    return None


def uses_anyio(roots: Iterable[Path], skip: Sequence[str], test_files: Sequence[str]) -> bool:
    """Whether the suite's source speaks of anyio's pytest plugin."""
    matches = _matcher([*test_files, "conftest.py"])
    for file in _python_files(roots, skip):
        if matches(file.name):
            try:
                text = file.read_bytes()
            except OSError:
                continue
            if b"anyio_backend" in text or b"mark.anyio" in text:
                return True
    return False


def _python_files(roots: Iterable[Path], skip: Sequence[str]) -> Iterator[Path]:
    left = MOST_FILES
    for root in roots:
        if root.is_file():
            yield root
            continue
        for folder, folders, files in os.walk(root):
            folders[:] = sorted(
                name
                for name in folders
                if not any(fnmatch.fnmatch(name, pattern) for pattern in skip)
                and name not in {"__pycache__", "site-packages"}
                and not Path(folder, name, "pyvenv.cfg").exists()
            )
            for name in sorted(files):
                if name.endswith(".py"):
                    left -= 1
                    if left < 0:
                        return
                    yield Path(folder, name)


def _matcher(patterns: Sequence[str]) -> Callable[[str], bool]:
    return lambda name: any(fnmatch.fnmatch(name, pattern) for pattern in patterns)


def _plugin_sources(root: Path, module: str) -> Iterator[_Source]:
    """The file of a module that a conftest names as a plugin, without importing it."""
    path = Path(*module.split("."))
    for base in (root, root / "src"):
        for file in (base / path.with_suffix(".py"), base / path / "__init__.py"):
            source = _read(file, is_test=False)
            if source is not None:
                yield source


def _read(file: Path, *, is_test: bool) -> _Source | None:
    """What a file defines and requests; None if none of the names occurs in it."""
    try:
        text = file.read_bytes()
        if not any(name.encode() in text for name in (*FIXTURES, "pytest_plugins")):
            return None
        tree = ast.parse(text)
    except (OSError, SyntaxError, ValueError):
        return None
    source = _Source(file, is_test)
    _read_body(source, tree.body, frozenset())
    return source


def _read_body(source: _Source, body: list[ast.stmt], given: frozenset[str]) -> None:
    for node in body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            _read_function(source, node, given)
        elif isinstance(node, ast.ClassDef):
            decorated = given | _parametrized(node.decorator_list)
            _use_fixtures(source, node.name, node.decorator_list)
            _read_body(source, node.body, decorated)
        elif isinstance(node, ast.ImportFrom):
            source.defines.update(alias.asname or alias.name for alias in node.names)
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            _read_assignment(source, node)
        elif isinstance(node, (ast.If, ast.Try, ast.With)):
            inner = [*node.body, *getattr(node, "orelse", []), *getattr(node, "finalbody", [])]
            inner += [step for handler in getattr(node, "handlers", []) for step in handler.body]
            _read_body(source, inner, given)


def _read_assignment(source: _Source, node: ast.Assign | ast.AnnAssign) -> None:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    names = {target.id for target in targets if isinstance(target, ast.Name)}
    if "pytest_plugins" in names and node.value is not None:
        source.plugins.update(_strings(node.value))
    if "pytestmark" in names and node.value is not None:
        marks = node.value.elts if isinstance(node.value, (ast.List, ast.Tuple)) else [node.value]
        _use_fixtures(source, "pytestmark", marks)
    elif isinstance(node.value, ast.Call):
        made_by = node.value.func
        # name = pytest.fixture(function), and name = pytest.fixture(scope="module")(function)
        if _called(made_by) == "fixture":
            source.defines.update(names)


def _read_function(
    source: _Source, node: ast.FunctionDef | ast.AsyncFunctionDef, given: frozenset[str]
) -> None:
    fixture = _fixture_name(node)
    if node.name == "pytest_generate_tests":
        # metafunc.parametrize("client", ...) fills the name in for whatever asks for it.
        calls = [call for call in ast.walk(node) if isinstance(call, ast.Call)]
        source.defines.update(_parametrized(calls))
    if fixture is not None:
        source.defines.add(fixture)
    test = source.is_test and node.name.startswith("test")
    if fixture is None and not test:
        return
    arguments = [argument.arg for argument in (*node.args.posonlyargs, *node.args.args)]
    patched = sum(_called(decorator) in {"patch", "object"} for decorator in node.decorator_list)
    wanted = [*arguments[: len(arguments) - patched], *(a.arg for a in node.args.kwonlyargs)]
    filled = given | _parametrized(node.decorator_list)
    name = fixture or node.name
    source.requests += [
        Request(source.file, name, argument)
        for argument in wanted
        if argument in FIXTURES and argument not in filled
    ]
    _use_fixtures(source, node.name, node.decorator_list)


def _fixture_name(node: ast.FunctionDef | ast.AsyncFunctionDef) -> str | None:
    for decorator in node.decorator_list:
        if _called(decorator) != "fixture":
            continue
        for keyword in decorator.keywords if isinstance(decorator, ast.Call) else ():
            if keyword.arg == "name" and isinstance(keyword.value, ast.Constant):
                return str(keyword.value.value)
        return node.name
    return None


def _called(node: ast.expr) -> str:
    """The last part of a decorator's dotted name."""
    if isinstance(node, ast.Call):
        node = node.func
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _parametrized(decorators: Iterable[ast.expr]) -> frozenset[str]:
    """The argument names that parametrize marks fill in."""
    names: set[str] = set()
    for decorator in decorators:
        if isinstance(decorator, ast.Call) and _called(decorator) == "parametrize":
            keywords = [word.value for word in decorator.keywords if word.arg == "argnames"]
            for argument in (*decorator.args[:1], *keywords):
                names.update(
                    part.strip() for text in _strings(argument) for part in text.split(",")
                )
    return frozenset(names)


def _use_fixtures(source: _Source, function: str, marks: Iterable[ast.expr]) -> None:
    for mark in marks:
        if isinstance(mark, ast.Call) and _called(mark) == "usefixtures":
            source.requests += [
                Request(source.file, function, text)
                for argument in mark.args
                for text in _strings(argument)
                if text in FIXTURES
            ]


def _strings(node: ast.expr) -> list[str]:
    elements = node.elts if isinstance(node, (ast.List, ast.Tuple)) else [node]
    return [
        element.value
        for element in elements
        if isinstance(element, ast.Constant) and isinstance(element.value, str)
    ]
