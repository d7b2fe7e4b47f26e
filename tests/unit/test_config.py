"""Options and the project's own words, as values."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from greenroom.config import env_file
from greenroom.config.options import OPTIONS
from greenroom.config.project import read_project
from greenroom.config.read import read
from greenroom.facts.errors import Code, GreenroomError
from greenroom.facts.isolation import Isolation
from greenroom.facts.setting import Setting


def test_nothing_said_is_the_default() -> None:
    """And the value knows that."""
    settings = read({}, {}, {})
    assert settings.isolation == Setting(Isolation.RESET, "default")
    assert settings.app == Setting(None, "default")


def test_the_command_line_wins_over_the_environment_and_that_over_the_table() -> None:
    """Each value remembers who said it."""
    table, environ = {"app": "a:a"}, {"GREENROOM_APP": "b:b"}
    assert read(table, {}, {}).app == Setting("a:a", "[tool.greenroom]")
    assert read(table, environ, {}).app == Setting("b:b", "GREENROOM_APP")
    flags = {"app": "c:c"}
    assert read(table, environ, flags).app == Setting("c:c", "--greenroom-app")


def test_an_empty_variable_says_nothing() -> None:
    """CI systems set variables that are empty."""
    assert read({}, {"GREENROOM_APP": ""}, {}).app.source == "default"


@pytest.mark.parametrize(
    "app", ["main:app", "shop.main:app", "shop.main:create_app()", "m:a.b", "_m:_a"]
)
def test_an_app_is_a_module_and_an_attribute(app: str) -> None:
    """Or a factory."""
    assert read({"app": app}, {}, {}).app.value == app


@pytest.mark.parametrize("app", ["main", "main:", ":app", "main.py:app", "a b:c", "m:f(1)", "", 7])
def test_what_is_not_an_app_is_refused(app: object) -> None:
    """With the form that it takes."""
    with pytest.raises(GreenroomError, match="GR005") as refused:
        read({"app": app}, {}, {})
    assert '"module:attribute", "module:factory()" or "module:factory(' in str(refused.value)


def test_every_option_has_words_for_its_user() -> None:
    """They are shown by `pytest --help` and in the errors."""
    for option in OPTIONS:
        assert option.accepts
        assert option.help.endswith(".")


def test_a_folder_without_a_pyproject_says_nothing(tmp_path: Path) -> None:
    """Nor does one that isn't there."""
    for root in (tmp_path, tmp_path / "missing"):
        project = read_project(root)
        assert (project.table, project.entrypoint, project.declares) == (None, None, False)


@pytest.mark.parametrize(
    ("text", "declares"),
    [
        ('[project]\ndependencies = ["greenroom"]', True),
        ("[project]\ndependencies = [\"greenroom[x]>=1 ; python_version > '3'\"]", True),
        ('[project]\ndependencies = ["Greenroom @ file:///x"]', True),
        ('[project]\ndependencies = ["greenroom-extra"]', False),
        ('[project]\ndependencies = ["pytest-greenroom"]', False),
        ('[project]\nname = "greenroom"', False),
        ('[dependency-groups]\ndev = [{include-group = "x"}, "greenroom"]', True),
        ('[tool.uv]\ndev-dependencies = ["greenroom"]', True),
        ('[tool.poetry.dev-dependencies]\ngreenroom = "*"', True),
        ('[project]\ndependencies = "greenroom"', False),
    ],
)
def test_greenroom_among_the_dependencies(tmp_path: Path, text: str, declares: bool) -> None:
    """In the standard tables, in uv's and in Poetry's."""
    (tmp_path / "pyproject.toml").write_text(text, encoding="utf-8")
    assert read_project(tmp_path).declares is declares


def test_a_pyproject_that_does_not_parse_is_refused_only_if_it_concerns_greenroom(
    tmp_path: Path,
) -> None:
    """What doesn't name greenroom or FastAPI is none of its business."""
    file = tmp_path / "pyproject.toml"
    file.write_text("[tool\n", encoding="utf-8")
    assert read_project(tmp_path).table is None
    file.write_text("[tool.greenroom\n", encoding="utf-8")
    with pytest.raises(GreenroomError, match=r"GR005 .*can't be parsed") as refused:
        read_project(tmp_path)
    assert refused.value.code is Code.CONFIGURATION


def test_an_environment_file_sets_what_is_not_set_and_takes_it_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A variable that is already there wins."""
    monkeypatch.setenv("GR_OLD", "from outside")
    monkeypatch.delenv("GR_NEW", raising=False)
    file = tmp_path / ".env.test"
    file.write_text('# comment\nGR_OLD=file\nexport GR_NEW="a # b ${GR_OLD}"\nGR_EMPTY=\n')
    undo = env_file.load(file)
    assert os.environ["GR_OLD"] == "from outside"
    assert os.environ["GR_NEW"] == "a # b from outside"
    assert os.environ["GR_EMPTY"] == ""
    undo()
    assert "GR_NEW" not in os.environ
    assert os.environ["GR_OLD"] == "from outside"


def test_an_environment_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    """And nothing of it is used."""
    file = tmp_path / ".env.test"
    file.write_bytes(b"GR_BINARY=\xff\xfe")
    with pytest.raises(GreenroomError, match=r"GR006 .*can't be read"):
        env_file.load(file)
    assert "GR_BINARY" not in os.environ
