"""What Flask's own documentation tells a test to do."""

import json
import urllib.request

import main
import pytest
from sqlalchemy import select


def test_the_app_knows_that_it_is_tested(app, client):
    assert client.get("/config").json == {"testing": True}


@pytest.mark.parametrize("attempt", [1, 2])
def test_a_session_in_the_apps_context(app, client, attempt):
    with app.app_context():
        main.db.session.add(main.Item(name="own"))
        main.db.session.commit()
    assert client.get("/items").json == ["own"]
    client.post("/items/lamp")
    with app.app_context():
        found = main.db.session.scalars(select(main.Item.name)).all()
        assert found == ["own", "lamp"]


@pytest.mark.parametrize("attempt", [1, 2])
def test_a_real_server(live_server, client, attempt):
    client.post("/items/lamp")
    with urllib.request.urlopen(live_server + "/items") as answer:
        assert json.load(answer) == ["lamp"]


@pytest.mark.parametrize("attempt", [1, 2])
def test_a_command(app, client, attempt):
    @app.cli.command("fill")
    def fill():
        main.db.session.add(main.Item(name="by a command"))
        main.db.session.commit()

    assert app.test_cli_runner().invoke(args=["fill"]).exit_code == 0
    assert client.get("/items").json == ["by a command"]
