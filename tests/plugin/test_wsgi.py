"""Flask and other WSGI apps: found, started, and asked as their framework has it."""

from __future__ import annotations

import pytest

from tests.harness import Project

SAYS_SO = "[tool.greenroom]\n"
FACTORY = """
from flask import Flask
def create_app({parameters}):
    app = Flask(__name__)
    app.config.update(locals().get("config") or {})
    @app.get("/")
    def root(): return {{"seen": {seen}, "testing": app.testing}}
    @app.get("/error")
    def error(): raise RuntimeError("in the app")
    return app
"""


@pytest.mark.parametrize(
    ("place", "parameters", "seen", "address"),
    [
        ("shop/__init__.py", "testing=False", "testing", "shop:create_app(testing=True)"),
        ("src/shop/__init__.py", "*, testing=False", "testing", "shop:create_app(testing=True)"),
        ("shop/__init__.py", "test_config=None", "test_config is None", "shop:create_app()"),
        ("app.py", "", "True", "app:create_app()"),
        ("wsgi.py", "testing=False", "testing", "wsgi:create_app(testing=True)"),
    ],
)
def test_a_factory_is_found(
    pytester: pytest.Pytester, place: str, parameters: str, seen: str, address: str
) -> None:
    """Where Flask's own documentation puts it, and told that it's a test if it can be told."""
    suite = """
import pytest
def test_it(client): assert client.get("/").json == {"seen": True, "testing": True}
def test_an_error_is_raised(client):
    with pytest.raises(RuntimeError, match="in the app"): client.get("/error")
"""
    source = FACTORY.replace("{parameters}", parameters).replace("{seen}", seen)
    source = source.replace("{{", "{").replace("}}", "}")
    project = Project({place: source, "test_it.py": suite}).with_pyproject(SAYS_SO)
    result = project.run(pytester)
    result.passed(2)
    result.says(f"app {address}")


def test_a_module_s_app_needs_no_configuration(pytester: pytest.Pytester) -> None:
    """It lies where an app is looked for, and a test requests a client."""
    app = (
        "from flask import Flask\napp = Flask(__name__)\n@app.get('/')\ndef root(): return 'hello'"
    )
    test = "def test_it(client): assert client.get('/').text == 'hello'"
    result = Project({"app.py": app, "test_it.py": test}).run(pytester)
    result.passed(1)
    result.says("app app:app (found in app.py)")


def test_a_factory_is_called_with_what_its_name_says(pytester: pytest.Pytester) -> None:
    """Plain values by name."""
    app = """
from flask import Flask
def make(config, debug=False):
    app = Flask(__name__)
    app.get("/")(lambda: {"config": config, "debug": debug})
    return app
"""
    test = "def test_it(client): assert client.get('/').json == {'config': ['a', 1], 'debug': True}"
    said = "[tool.greenroom]\napp = \"main:make(config=['a', 1], debug=True)\"\n"
    Project({"main.py": app, "test_it.py": test}).with_pyproject(said).run(pytester).passed(1)


@pytest.mark.parametrize("call", ["make(1)", "make(config=open)", "make(", "make(config=)"])
def test_a_call_that_cannot_be_read_is_told(pytester: pytest.Pytester, call: str) -> None:
    """Nothing of it is run."""
    said = f'[tool.greenroom]\napp = "main:{call}"\n'
    files = {"main.py": "", "test_it.py": "def test_it(client): pass"}
    result = Project(files).with_pyproject(said).run(pytester)
    result.says("GR005", "is not of that form", "testing=True")
    result.silent_about("Traceback")


PLAIN = """
def app(environ, start_response):
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    start_response("200 OK", [("Content-Type", "text/plain"), ("X-Path", environ["PATH_INFO"])])
    return [body.upper()]
"""


def test_any_wsgi_app_is_one(pytester: pytest.Pytester) -> None:
    """With the client that an ASGI app has, and under a real server."""
    suite = """
import urllib.request
def test_client(client):
    answer = client.post("/here", content=b"hello")
    assert (answer.text, answer.headers["x-path"]) == ("HELLO", "/here")
def test_live(live_server):
    assert urllib.request.urlopen(live_server + "/there", data=b"hello").read() == b"HELLO"
"""
    said = '[tool.greenroom]\napp = "main:app"\n'
    Project({"main.py": PLAIN, "test_it.py": suite}).with_pyproject(said).run(pytester).passed(2)


def test_what_a_failed_test_did_is_told(pytester: pytest.Pytester) -> None:
    """Its requests and their answers, without secrets."""
    app = """
from flask import Flask, request
app = Flask(__name__)
@app.post("/login")
def login(): return [{"token": "abc"}, request.json["name"]], 201
"""
    test = """
def test_it(client):
    client.post("/login", json={"name": "ada", "password": "geheim"})
    assert False
"""
    result = Project({"main.py": app, "test_it.py": test}).run(pytester)
    result.counts(failed=1)
    result.says("POST /login -> 201", '> {"name": "ada", "password": "***"}', '"token":"***"')


def test_a_client_class_of_the_apps_own_is_kept(pytester: pytest.Pytester) -> None:
    """It's Flask's way to give a test client more methods."""
    app = """
from flask import Flask
from flask.testing import FlaskClient
class Own(FlaskClient):
    def hello(self): return self.get("/").text
app = Flask(__name__)
app.test_client_class = Own
@app.get("/")
def root(): return "hello"
"""
    test = "def test_it(client): assert client.hello() == 'hello'"
    Project({"main.py": app, "test_it.py": test}).run(pytester).passed(1)


BINDS = """
from flask import Flask, jsonify
from flask_sqlalchemy import SQLAlchemy
app = Flask(__name__)
app.config["SQLALCHEMY_DATABASE_URI"] = "sqlite:///shop.db"
app.config["SQLALCHEMY_BINDS"] = {"logs": "sqlite:///logs.db"}
db = SQLAlchemy(app)
class Item(db.Model):
    id = db.Column(db.Integer, primary_key=True)
    name = db.Column(db.String(20))
class Log(db.Model):
    __bind_key__ = "logs"
    id = db.Column(db.Integer, primary_key=True)
@app.get("/")
def names():
    db.session.add(Log())
    db.session.commit()
    return jsonify([item.name for item in Item.query], Log.query.count())
"""


def test_with_several_binds_the_session_is_on_the_default_database(
    pytester: pytest.Pytester,
) -> None:
    """Flask-SQLAlchemy makes the engines of the binds first; each is isolated."""
    test = """
import pytest
from main import Item
@pytest.mark.parametrize("attempt", [1, 2])
def test_it(client, db_session, attempt):
    db_session.add(Item(name="own"))
    assert client.get("/").json == [["own"], 1]
"""
    Project({"main.py": BINDS, "test_it.py": test}).run(pytester).passed(2)


def test_a_connection_without_a_request_holds_nothing_up(pytester: pytest.Pytester) -> None:
    """A browser opens some before it needs them."""
    test = """
import socket
from urllib.parse import urlsplit
held = []
def test_it(live_server):
    url = urlsplit(live_server.url)
    held.append(socket.create_connection((url.hostname, url.port)))
def test_after(): held.pop().close()
"""
    said = '[tool.greenroom]\napp = "main:app"\n'
    project = Project({"main.py": PLAIN, "test_it.py": test}).with_pyproject(said)
    result = project.run(pytester, "-p", "no:randomly")
    result.passed(2)
    result.silent_about("GR025")


def test_what_the_session_reads_again_is_not_the_requests(pytester: pytest.Pytester) -> None:
    """Statements are counted up to the answer, and no further."""
    app = """
from flask import Flask, jsonify
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
class Base(DeclarativeBase): pass
db = SQLAlchemy(model_class=Base)
class User(db.Model):
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
app = Flask(__name__)
app.config["SQLALCHEMY_DATABASE_URI"] = "sqlite:////nowhere/shop.db"
db.init_app(app)
@app.get("/")
def names(): return jsonify([one.name for one in db.session.scalars(db.select(User))])
"""
    test = """
from main import User
def test_it(client, db_session, queries):
    db_session.add(User(name="ann"))
    with queries.exactly(1):
        assert client.get("/").json == ["ann"]
"""
    Project({"main.py": app, "test_it.py": test}).run(pytester).passed(1)
