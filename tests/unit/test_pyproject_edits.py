"""Keys are added to a pyproject.toml, and nothing else in it changes."""

from __future__ import annotations

import difflib
import tomllib

import pytest

from greenroom.facts.errors import GreenroomError
from greenroom.scaffold.pyproject import Table, added, written

WANTED = [
    Table("tool.greenroom", [("app", "main:app", "")]),
    Table(
        "tool.pytest.ini_options", [("asyncio_mode", "auto", "why"), ("testpaths", ["tests"], "")]
    ),
]
HAND_FORMATTED = """\
# at the top
[project]   # mine
name     = "shop"
dependencies = [
    "fastapi",  # the web
    [ "nested" ],
]

[ tool . pytest . "ini_options" ]   # quiet
# a word on what follows
addopts = [
  "-q",
    "-x" ]

# about ruff
[tool.ruff]
line-length = 100

[[tool.uv.index]]
name = 'one'
"""


def lines_removed(before: str, after: str) -> list[str]:
    diff = difflib.ndiff(before.splitlines(keepends=True), after.splitlines(keepends=True))
    return [line for line in diff if line.startswith("- ")]


def test_comments_and_order_survive() -> None:
    """Lines are only added: where the table ends, and at the end of the file."""
    text, notes = added(HAND_FORMATTED, WANTED)
    assert notes == []
    assert lines_removed(HAND_FORMATTED, text) == []
    assert (
        '    "-x" ]\nasyncio_mode = "auto"  # why\ntestpaths = ["tests"]\n\n# about ruff\n' in text
    )
    assert text.endswith("name = 'one'\n\n[tool.greenroom]\napp = \"main:app\"\n")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n\n",
        "[project]\nname = 'x'",
        HAND_FORMATTED,
        HAND_FORMATTED.replace("\n", "\r\n"),
        "[tool.pytest.ini_options]",
        "[tool.pytest.ini_options]\ntestpaths = ['own']",
        "[tool.greenroom]\n[tool.pytest.ini_options]\n[tool.a]\n",
        'tool.ruff.line-length = 3\n[project]\nname = "x"\n',
        '[project]\ndescription = """\n[tool.greenroom]\n"""\n',
        "[tool.greenroom.contract]\nmode = 'off'\n",
        "[tool.pytest.ini_options]\nx = 1 # a\u2028# b\n",
    ],
    ids=range(12),
)
def test_what_is_wanted_is_there_and_twice_is_once(text: str) -> None:
    """Whatever the file was: no line is lost, its line breaks stay, and a second time nothing happens."""
    made, notes = added(text, WANTED)
    assert notes == []
    assert [line for line in lines_removed(text, made) if line.strip("- \r\n") not in made] == []
    data = tomllib.loads(made)["tool"]
    assert data["greenroom"]["app"] == "main:app"
    assert data["pytest"]["ini_options"]["asyncio_mode"] == "auto"
    assert "testpaths" in data["pytest"]["ini_options"]
    if "\r\n" in text:
        assert made.count("\n") == made.count("\r\n")
    assert added(made, WANTED) == (made, [])


@pytest.mark.parametrize(
    "text",
    [
        '[tool]\npytest.ini_options.addopts = "-q"\n',
        '[tool.pytest]\nini_options = { addopts = "-q" }\n',
        '[tool.pytest.ini_options]\naddopts = """\n[tool.ruff]\n"""\nnorecursedirs = [\n["x"]\n]\n',
        "tool = {pytest = {ini_options = {}}}\n",
    ],
    ids=["dotted", "inline", "brackets in values", "all inline"],
)
def test_a_form_that_lines_cannot_be_added_to_is_left_alone(text: str) -> None:
    """The note says what to add by hand."""
    made, notes = added(text, WANTED[1:])
    if made != text:  # The lines found a right place all the same.
        assert tomllib.loads(made)["tool"]["pytest"]["ini_options"]["asyncio_mode"] == "auto"
        return
    assert len(notes) == 1
    assert "[tool.pytest.ini_options]" in notes[0]
    assert 'asyncio_mode = "auto"' in notes[0]


def test_a_key_that_is_there_stays() -> None:
    """Also where it says the contrary."""
    text = '[tool.greenroom]\napp = "other:app"\n'
    assert added(text, WANTED[:1]) == (text, [])


def test_what_is_no_toml_is_an_error() -> None:
    """With the place in it."""
    with pytest.raises(GreenroomError, match=r"GR005 pyproject\.toml can't be parsed: Expected"):
        added("[project", WANTED)


@pytest.mark.parametrize(
    "value", [True, False, "a", 'quo"te', "back\\slash", "ä\n", ["a", "b"], []]
)
def test_a_value_is_written_as_toml_reads_it(value: object) -> None:
    """Texts, switches, and lists of texts."""
    assert tomllib.loads(f"key = {written(value)}") == {"key": value}
