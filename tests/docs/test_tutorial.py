"""The tutorial does what it says."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.docs.blocks import Command, files_of, steps_of
from tests.docs.tutorial import PAGE, type_in
from tests.harness import OTHERS, Project


def test_it_is_green_and_red_where_it_says_so(tmp_path: Path) -> None:
    """Typed in word by word, in this environment; `make fresh` does it in a fresh one."""
    given = type_in(
        tmp_path, Path(sys.executable).parent, "true", " ".join([*OTHERS, "-p no:randomly"])
    )
    assert len(given) == sum(isinstance(step, Command) for step in steps_of(PAGE))
    assert not (tmp_path / "items.db").exists()


@pytest.mark.parametrize("name", [name for name in files_of(PAGE) if "test_" in name])
def test_each_file_of_it_is_green_by_itself(pytester: pytest.Pytester, name: str) -> None:
    """Of the app as it is at the end."""
    files = files_of(PAGE)
    result = Project({"main.py": files["main.py"], name: files[name]}).run(pytester)
    assert result.code == 0, result.out


def test_its_tests_can_fail(pytester: pytest.Pytester) -> None:
    """Without the handling of a duplicate, one does."""
    files = files_of(PAGE)
    broken = files["main.py"].replace("HTTPException(409", "HTTPException(400")
    Project({**files, "main.py": broken}).run(pytester).counts(passed=10, failed=1)


@pytest.mark.parametrize(
    ("shown", "output", "expected"),
    [
        (("a", "...", "2 passed in ..."), "a\nb\nc\n== 2 passed in 0.1s ==\n", True),
        (("...", "2 passed in ..."), "== 12 passed in 0.1s ==\n", False),
        (("...", "2 passed in ..."), "== 1 failed, 2 passed in 0.1s ==\n", False),
        (("a", "b"), "a\nx\nb\n", False),
        (("a ... c",), "a b c\n", True),
    ],
)
def test_what_is_shown_is_compared(shown: tuple[str, ...], output: str, *, expected: bool) -> None:
    """A tutorial that can't be wrong proves nothing."""
    assert Command("pytest", shown).is_shown_in(output) is expected
