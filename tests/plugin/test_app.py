"""The app is found and loaded, and the environment is set before it is imported."""

from __future__ import annotations

import pytest

from tests.harness import Project

APP = "from fastapi import FastAPI\napp = FastAPI(title='{title}')\n"


def titled(title: str) -> str:
    return APP.replace("{title}", title)


def wants(title: str) -> str:
    return f"async def test_it(app, client): assert app.title == {title!r}"


@pytest.mark.parametrize(
    ("files", "pyproject", "source"),
    [
        ({"main.py": titled("it")}, "", "app main:app (found in main.py)"),
        ({"app/main.py": titled("it"), "app/__init__.py": ""}, "", "app app.main:app (found in"),
        ({"app/api.py": titled("it")}, "", "app app.api:app (found in app/api.py)"),
        ({"src/main.py": titled("it")}, "", "app main:app (found in src/main.py)"),
        (
            {"src/shop/web.py": titled("it"), "src/shop/__init__.py": ""},
            '[tool.fastapi]\nentrypoint = "shop.web:app"',
            "app shop.web:app ([tool.fastapi])",
        ),
        (
            {"main.py": titled("other"), "shop.py": titled("it")},
            '[tool.greenroom]\napp = "shop:app"',
            "app shop:app ([tool.greenroom])",
        ),
        (
            {
                "shop.py": "def make():\n    from fastapi import FastAPI\n    return FastAPI(title='it')"
            },
            '[tool.greenroom]\napp = "shop:make()"',
            "app shop:make() ([tool.greenroom])",
        ),
        (
            {
                "shop.py": "class Holder:\n    from fastapi import FastAPI\n    app = FastAPI(title='it')"
            },
            '[tool.greenroom]\napp = "shop:Holder.app"',
            "app shop:Holder.app ([tool.greenroom])",
        ),
        (
            {"main.py": titled("it").replace("app =", "shop =")},
            "",
            "app main:shop (found in main.py)",
        ),
    ],
)
def test_the_app_is_found(
    pytester: pytest.Pytester, files: dict[str, str], pyproject: str, source: str
) -> None:
    """And the header says where; its modules can be imported by tests in any folder."""
    project = Project({**files, "tests/test_it.py": wants("it")})
    result = (project.with_pyproject(pyproject) if pyproject else project).run(pytester)
    result.passed(1)
    assert source in result.header()


def test_an_app_of_another_framework_is_one(pytester: pytest.Pytester) -> None:
    """Any ASGI app: a Starlette, a class with __call__, a function."""
    app = """
class App:
    async def __call__(self, scope, receive, send):
        if scope["type"] == "lifespan":
            raise NotImplementedError
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

app = App()
"""
    test = 'async def test_it(client): assert (await client.get("/")).status_code == 204'
    project = Project({"main.py": app, "test_it.py": test})
    project.with_pyproject('[tool.greenroom]\napp = "main:app"').run(pytester).passed(1)


def test_the_environment_file_is_read_before_the_app_is_imported(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And before the first conftest; what is set already wins."""
    import os

    monkeypatch.setenv("SHOP_SET", "outside")
    app = "import os\nfrom fastapi import FastAPI\napp = FastAPI(title=os.environ['SHOP_TITLE'])\n"
    conftest = "import os\nassert os.environ['SHOP_TITLE'] == 'from file'\nfrom main import app"
    test = "import os\n" + wants("from file") + "\n    assert os.environ['SHOP_SET'] == 'outside'"
    files = {
        "main.py": app,
        "conftest.py": conftest,
        "test_it.py": test.replace("(app, client): ", "(app, client):\n    "),
        ".env.test": "SHOP_TITLE='from file'\nSHOP_SET=inside\n",
    }
    result = Project(files).run(pytester)
    result.passed(1)
    assert "· .env.test ·" in result.header()
    assert "SHOP_TITLE" not in os.environ


def test_a_named_environment_file_takes_the_place_of_the_default(
    pytester: pytest.Pytester,
) -> None:
    """Only one is read."""
    app = "import os\nfrom fastapi import FastAPI\napp = FastAPI(title=os.environ['SHOP_TITLE'])\n"
    files = {
        "main.py": app,
        "test_it.py": wants("ci"),
        ".env.test": "SHOP_TITLE=default\n",
        "ci.env": "SHOP_TITLE=ci\n",
    }
    result = Project(files).run(pytester, "--greenroom-env-file=ci.env")
    result.passed(1)


def test_the_options_are_in_the_help(pytester: pytest.Pytester) -> None:
    """Each with its key, its variable and what it takes."""
    result = Project({}).run(pytester, "--help")
    result.says("--greenroom-app=APP", "GREENROOM_APP", "[tool.greenroom]", "--greenroom-schema")


@pytest.mark.parametrize(
    ("files", "module"),
    [
        (
            {
                "app/main.py": "from db import title\nfrom fastapi import FastAPI\n"
                "app = FastAPI(title=title)\n",
                "app/db.py": "title = 'it'\n",
            },
            "main:app",
        ),
        ({"app/main.py": titled("it"), "app/db.py": ""}, "app.main:app"),
        (
            {
                "src/__init__.py": "",
                "src/main.py": "from .db import title\nfrom fastapi import FastAPI\n"
                "app = FastAPI(title=title)\n",
                "src/db.py": "title = 'it'\n",
            },
            "src.main:app",
        ),
        (
            {
                "main.py": "from fastapi import FastAPI\ntry:\n    app = FastAPI(title='it')\n"
                "except ImportError:\n    raise\n"
            },
            "main:app",
        ),
    ],
    ids=["a script's folder", "a namespace", "src is a package", "in a try"],
)
def test_the_module_gets_the_name_that_its_imports_mean(
    pytester: pytest.Pytester, files: dict[str, str], module: str
) -> None:
    """A module that is imported by two names is there twice, with two apps."""
    result = Project({**files, "tests/test_it.py": wants("it")}).run(pytester)
    result.passed(1)
    assert f"app {module} (found in" in result.header()


def test_an_app_that_exits_when_it_is_imported(pytester: pytest.Pytester) -> None:
    """Settings that are missing, and a sys.exit()."""
    app = titled("it") + "import sys\nsys.exit('DATABASE_URL is missing')\n"
    result = Project({"main.py": app, "test_it.py": wants("it")}).run(pytester)
    assert result.code == pytest.ExitCode.USAGE_ERROR
    result.says("GR002", "raised SystemExit while it was imported: DATABASE_URL is missing")
    result.silent_about("INTERNALERROR")


def test_an_app_that_exits_in_its_start_up(pytester: pytest.Pytester) -> None:
    """Told once, like any other failure."""
    app = (
        "from contextlib import asynccontextmanager\nfrom fastapi import FastAPI\nimport sys\n"
        "@asynccontextmanager\nasync def lifespan(app):\n    sys.exit('no broker')\n    yield\n"
        "app = FastAPI(lifespan=lifespan)\n"
    )
    test = "async def test_a(client): pass\nasync def test_b(client): pass\n"
    result = Project({"main.py": app, "test_it.py": test}).run(pytester)
    result.counts(errors=1)
    result.says("GR010", "raised SystemExit: no broker")


@pytest.mark.parametrize("entrypoint", ["shop.web", "shop/web.py", "shop.web:", ":app"])
def test_an_entrypoint_of_a_wrong_form(pytester: pytest.Pytester, entrypoint: str) -> None:
    """It is FastAPI's own key, and said so."""
    project = Project({"main.py": titled("it"), "test_it.py": wants("it")})
    text = f'[tool.fastapi]\nentrypoint = "{entrypoint}"'
    result = project.with_pyproject(text).run(pytester)
    assert result.code == pytest.ExitCode.USAGE_ERROR
    result.says("GR005 [tool.fastapi] entrypoint:", "module:attribute")


def test_an_app_that_is_wrapped_in_a_middleware_is_the_wrapped_one(
    pytester: pytest.Pytester,
) -> None:
    """As a server would run it."""
    app = titled("it").replace("app =", "inner =") + (
        "class Header:\n"
        "    def __init__(self, app): self.app = app\n"
        "    async def __call__(self, scope, receive, send):\n"
        "        async def sending(message):\n"
        "            if message['type'] == 'http.response.start':\n"
        "                message['headers'] = [*message['headers'], (b'x-own', b'yes')]\n"
        "            await send(message)\n"
        "        await self.app(scope, receive, sending)\n"
        "app = Header(inner)\n"
    )
    test = 'async def test_it(client): assert (await client.get("/")).headers["x-own"] == "yes"'
    result = Project({"main.py": app, "test_it.py": test}).run(pytester)
    result.passed(1)
    assert "app main:app (found in main.py)" in result.header()
