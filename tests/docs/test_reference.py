"""Each option, fixture, marker and error code stands in the docs, and nothing else does."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

from greenroom.config.options import FIXTURES, OPTIONS, Option
from greenroom.facts.errors import Code
from greenroom.facts.isolation import Isolation
from greenroom.plugin import fixtures, markers

ROOT = Path(__file__).parents[2]


def page(name: str) -> str:
    return (ROOT / "docs" / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.key)
def test_an_option_has_its_row(option: Option) -> None:
    """With its variable, its flag and the values that it takes."""
    row = f"| `{option.key}` | `{option.variable}` | `{option.flag}` |"
    assert row in page("options.md")


def test_no_other_option_is_documented() -> None:
    """A removed option leaves the docs, too."""
    keys = re.findall(r"^\| `([a-z-]+)` \| `GREENROOM_", page("options.md"), re.MULTILINE)
    assert keys == [option.key for option in OPTIONS]


@pytest.mark.parametrize("code", list(Code), ids=lambda code: code.value)
def test_an_error_code_has_its_section(code: Code) -> None:
    """A heading to link to."""
    assert f"\n## {code.value}\n" in page("errors.md")


@pytest.mark.parametrize("code", list(Code), ids=lambda code: code.value)
def test_an_error_code_is_raised_somewhere_and_tested(code: Code) -> None:
    """A code that nothing raises, or that no test shows, is a promise without a floor."""
    sources = [file.read_text(encoding="utf-8") for file in (ROOT / "src").rglob("*.py")]
    assert any(f"Code.{code.name}" in text or f'"{code.value} ' in text for text in sources)
    tests = [file.read_text(encoding="utf-8") for file in (ROOT / "tests").rglob("test_*.py")]
    assert any(code.value in text or f"Code.{code.name}" in text for text in tests)


def test_no_other_code_is_documented() -> None:
    """Codes are never used again, so a section without a code is a slip."""
    headings = re.findall(r"^## (GR\d+)$", page("errors.md"), re.MULTILINE)
    assert headings == [code.value for code in Code]


@pytest.mark.parametrize("code", list(Code), ids=lambda code: code.value)
def test_an_error_code_stands_for_what_its_section_says(code: Code) -> None:
    """Its first words."""
    section = page("errors.md").partition(f"## {code.value}\n")[2]
    assert " ".join(section.split()).startswith(f"**{code.title}")


def test_the_reference_is_what_the_code_says() -> None:
    """Write it by `make reference`."""
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert page("reference.md") == module.reference()


@pytest.mark.parametrize("name", FIXTURES)
def test_a_fixture_has_its_row_and_exists(name: str) -> None:
    """The names that the activation looks for are the public fixtures."""
    assert f"| `{name}` |" in page("fixtures.md")
    assert hasattr(fixtures, name)


def test_every_public_fixture_is_known_to_the_activation() -> None:
    """A fixture that isn't would not activate greenroom when it is requested."""
    public = [
        name
        for name, value in vars(fixtures).items()
        if type(value).__name__ == "FixtureFunctionDefinition" and not name.startswith("_")
    ]
    assert sorted(public) == sorted(FIXTURES)


@pytest.mark.parametrize("isolation", list(Isolation), ids=lambda isolation: isolation.value)
def test_an_isolation_has_its_marker_documented(isolation: Isolation) -> None:
    """As a user writes it."""
    assert f'`@pytest.mark.isolation("{isolation.value}")`' in page("fixtures.md")
    assert isolation.value in markers.LINES[0]


@pytest.mark.parametrize("name", markers.NAMES)
def test_a_marker_has_its_row(name: str) -> None:
    """Every one of them."""
    assert f"`@pytest.mark.{name}(" in page("fixtures.md")
