"""`greenroom init --yes` in each shape of an app: then `pytest` is green."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from tests.cli.folder import Folder, changes
from tests.dialects import SQLITE, Dialect
from tests.shapes.test_shapes import HERE, ONE_KIND, project

KINDS = [
    pytest.param(file.stem, ONE_KIND.get(file.stem, SQLITE), id=file.stem)
    for file in sorted((HERE / "apps").glob("*.py"))
]


@pytest.mark.parametrize(("shape", "dialect"), KINDS)
def test_a_shape_gets_a_suite_that_is_green(tmp_path: Path, served: Dialect, shape: str) -> None:
    """And what git shows is what was announced."""
    made = project(shape, served)
    folder = Folder(tmp_path, made.environ)
    for name, text in made.files.items():
        # The app as it is, before anybody has thought of tests.
        if not Path(name).name.startswith("test_") and name != "pyproject.toml":
            file = folder.path / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
    if "create_app()" in made.files["pyproject.toml"]:
        folder.write(pyproject_dot_toml=made.files["pyproject.toml"])
    folder.git("init", "-q")
    folder.git("add", "-A")
    folder.git("commit", "-qm", "the app")

    done = folder.run(sys.executable, "-m", "greenroom", "init", "--yes")

    assert done.returncode == 0, done.stdout + done.stderr
    there = folder.git("status", "--porcelain", "-uall").splitlines()
    assert {line[3:] for line in there} == set(
        re.findall(r"^\+\+\+ b/(.+)$", done.stdout, re.MULTILINE)
    )
    ran = folder.pytest("-q")
    assert "1 passed" in ran.stdout, ran.stdout + ran.stderr
    assert ran.returncode == 0, ran.stdout
    folder.git("add", "-AN", "tests", ".github", ".env.test", "pyproject.toml")
    announced, shown = changes(done.stdout), changes(folder.git("diff", "--no-color"))
    assert sorted(announced) == sorted(shown)
    assert not [line for line in shown if line.startswith("-")]
