"""The examples: each suite is green as its readers run it, and together they show all there is."""

from __future__ import annotations

import ast
import re
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import greenroom
from greenroom.config.options import FIXTURES
from greenroom.plugin.markers import NAMES
from tests.cli.folder import Folder
from tests.docs.blocks import ROOT

FOLDER = ROOT / "examples"


@dataclass(frozen=True)
class Example:
    """One of them.

    :param tests: how many tests of its own pass at least.
    :param header: what the header says of its database.
    :param reasons: of skips; the only ones that are right.
    """

    name: str
    tests: int
    header: str
    reasons: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.name


EXAMPLES = [
    Example("quickstart", 18, "sqlite"),
    Example("tasks", 60, "alembic 0001"),
    Example("accounts", 150, "embedded · reset · metadata (1 table)"),
    Example(
        "catalog",
        240,
        "reset",
        (
            # Its tokens are no JWT: nobody can forge one, or make one that has expired.
            "the credential is no JWT, so nobody else can sign it",
            "the credential is no JWT with a time at which it expires",
        ),
    ),
    Example(
        "orders",
        300,
        "embedded · reset",
        (
            # Only an admin verifies a user, and an owner may do nothing but cancel.
            "the user who asks may not: 403",
            "the row's own user is answered 403 as well",
        ),
    ),
    Example("orders_flask", 200, "sqlite"),
]


@pytest.fixture(params=EXAMPLES, ids=str)
def example(request: pytest.FixtureRequest) -> Example:
    return request.param  # type: ignore[no-any-return]


def sources(folder: Path) -> Iterator[tuple[Path, ast.Module]]:
    for file in sorted(folder.rglob("*.py")):
        yield file, ast.parse(file.read_text(encoding="utf-8"))


@pytest.mark.parametrize("arguments", [(), ("-n", "2")], ids=["one process", "two workers"])
def test_its_suite_is_green(tmp_path: Path, example: Example, arguments: tuple[str, ...]) -> None:
    """In random order, in its folder, without a server of this machine."""
    others = shutil.ignore_patterns(".*_cache", "__pycache__")
    shutil.copytree(FOLDER / example.name, tmp_path, dirs_exist_ok=True, ignore=others)
    done = Folder(tmp_path).run(sys.executable, "-m", "pytest", "-rs", *arguments)
    outcomes = pytest.RunResult.parse_summary_nouns(done.stdout.splitlines())
    assert set(outcomes) <= {"passed", "skipped", "warnings"}, done.stdout
    assert outcomes["passed"] >= example.tests
    assert done.returncode == 0, done.stdout
    skips = re.findall(r"^SKIPPED \[\d+\] [^:]+:\d+: (.*)$", done.stdout, re.MULTILINE)
    unknown = [one for one in skips if not any(reason in one for reason in example.reasons)]
    assert unknown == []
    if not arguments:  # The process that hands tests out knows less.
        header = next(line for line in done.stdout.splitlines() if line.startswith("greenroom: "))
        assert example.header in header
    assert list(tmp_path.glob("**/*.db")) == []


def test_it_uses_no_private_name_of_greenroom(example: Example) -> None:
    """What it imports is what greenroom exports."""
    for file, tree in sources(FOLDER / example.name):
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                assert not [one for one in node.names if one.name.startswith("greenroom.")], file
            elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("greenroom"):
                assert node.module == "greenroom", file
                assert {one.name for one in node.names} <= set(greenroom.__all__), file
        assert "_greenroom" not in ast.unparse(tree), file


def test_its_app_knows_nothing_of_tests(example: Example) -> None:
    """Neither of greenroom nor of pytest."""
    for file, tree in sources(FOLDER / example.name):
        if "tests" not in file.relative_to(FOLDER).parts:
            text = ast.unparse(tree)
            assert not re.search(r"\b(greenroom|pytest|TESTING)\b", text), file


#: What a conftest of theirs is for. Each of its lines is one of these fixtures'.
CONFTESTS = {
    "accounts/tests/conftest.py": ["user"],  # Only an administrator may import.
    "catalog/tests/conftest.py": ["user"],  # A name and a password: a login makes its tokens.
    "orders/tests/orders/conftest.py": ["ann", "admin", "make_order"],  # For all tests of orders.
    "orders_flask/tests/orders/conftest.py": ["ann", "admin", "make_order"],
}


def test_there_is_no_other_conftest() -> None:
    """And in each nothing but the fixtures that the service needs."""
    found = {}
    for file in FOLDER.rglob("conftest.py"):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        functions = [
            node.name
            for node in tree.body
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        ]
        others = [
            node
            for node in tree.body
            if not isinstance(
                node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Import, ast.ImportFrom)
            )
        ]
        assert others == []
        assert len(file.read_text(encoding="utf-8").splitlines()) < 30
        found[file.relative_to(FOLDER).as_posix()] = functions
    assert found == CONFTESTS


@pytest.mark.parametrize("name", FIXTURES)
def test_a_fixture_is_used_by_one_of_them(name: str) -> None:
    """In a test, or in a fixture of one."""
    requested = {
        argument.arg
        for _, tree in sources(FOLDER)
        for node in ast.walk(tree)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        for argument in (*node.args.args, *node.args.kwonlyargs)
    }
    assert name in requested


@pytest.mark.parametrize("name", NAMES)
def test_a_marker_is_used_by_one_of_them(name: str) -> None:
    """With each of its kinds, where it has some."""
    text = "\n".join(ast.unparse(tree) for _, tree in sources(FOLDER))
    assert f"pytest.mark.{name}(" in text
    if name == "isolation":
        for kind in ("reset", "rollback", "clone"):
            assert f"pytest.mark.isolation('{kind}')" in text


def test_the_two_shops_share_their_suite() -> None:
    """What differs is what the README of the second names."""
    first, second = FOLDER / "orders" / "tests", FOLDER / "orders_flask" / "tests"
    names = {file.relative_to(first) for file in first.rglob("*.py")}
    assert names == {file.relative_to(second) for file in second.rglob("*.py")}
    different = {
        str(name) for name in names if (first / name).read_text() != (second / name).read_text()
    }
    assert different == {"answers.py", "test_ids.py", "orders/test_limit.py"}
