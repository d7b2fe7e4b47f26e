"""Where the app is looked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from greenroom.app.discover import find, has_place
from greenroom.app.target import parse
from greenroom.config.places import PLACES
from greenroom.facts.errors import GreenroomError
from greenroom.facts.setting import Setting

NOBODY: Setting[str | None] = Setting(None, "default")
APP = "from fastapi import FastAPI\napp = FastAPI()\n"


def write(root: Path, name: str, source: str = APP) -> None:
    file = root / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(source, encoding="utf-8")


@pytest.mark.parametrize("root", ["", "src/"])
@pytest.mark.parametrize("place", PLACES)
def test_each_place_is_found(tmp_path: Path, root: str, place: str) -> None:
    """Where `fastapi dev` looks, and the same under src."""
    write(tmp_path, root + place)
    assert has_place(tmp_path)
    target = find(tmp_path, NOBODY, None)
    assert target is not None
    assert target.module == place.removesuffix(".py").replace("/", ".")
    assert target.path == (tmp_path / root).resolve()
    assert target.source == f"found in {root}{place}"


def test_the_setting_wins_over_the_entrypoint_and_that_over_the_places(tmp_path: Path) -> None:
    """Each is said more explicitly than the next."""
    write(tmp_path, "main.py")
    setting: Setting[str | None] = Setting("a:app", "[tool.greenroom]")
    assert str(find(tmp_path, setting, "b:app")) == "a:app"
    by_entrypoint = find(tmp_path, NOBODY, "b:app")
    assert by_entrypoint is not None
    assert (str(by_entrypoint), by_entrypoint.source) == ("b:app", "[tool.fastapi]")


def test_a_module_that_passes_an_app_on_is_no_second_app(tmp_path: Path) -> None:
    """`from app.main import app` in main.py, as many projects have it."""
    write(tmp_path, "main.py", "from app.main import app\n")
    write(tmp_path, "app/main.py")
    target = find(tmp_path, NOBODY, None)
    assert target is not None
    assert target.module == "main"


def test_two_apps_are_one_too_many(tmp_path: Path) -> None:
    """Both are named."""
    write(tmp_path, "main.py")
    write(tmp_path, "src/app/api.py", "import fastapi\npublic = fastapi.FastAPI()\n")
    with pytest.raises(GreenroomError, match=r"GR004 .*main.py and src/app/api.py"):
        find(tmp_path, NOBODY, None)


@pytest.mark.parametrize(
    "source", ["x = 1", "def app(): pass", "import app.models", "class FastAPI: pass"]
)
def test_a_module_without_an_app_is_passed_over(tmp_path: Path, source: str) -> None:
    """Its name alone doesn't make it one."""
    write(tmp_path, "api.py", source)
    assert find(tmp_path, NOBODY, None) is None


def test_an_app_that_a_factory_made_is_found(tmp_path: Path) -> None:
    """`app = create_app()` at the end of main.py."""
    write(tmp_path, "main.py", "from shop import create_app\napp = create_app()\n")
    assert find(tmp_path, NOBODY, None) is not None


def test_a_named_module_is_looked_for_under_src_too(tmp_path: Path) -> None:
    """The folder that holds it is the one that must be importable."""
    write(tmp_path, "src/shop/web.py")
    target = find(tmp_path, Setting("shop.web:app", "x"), None)
    assert target is not None
    assert target.path == (tmp_path / "src").resolve()


def test_a_target_is_written_as_it_was_named() -> None:
    """With the parentheses of a factory."""
    assert str(parse("shop.main:create_app()", Path(), "x")) == "shop.main:create_app()"
    assert str(parse("shop.main:app", Path(), "x")) == "shop.main:app"
