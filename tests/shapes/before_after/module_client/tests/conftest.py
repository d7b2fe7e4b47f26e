"""A client for each module, and rows that are deleted by hand at the end."""

# -- boilerplate
import pytest
from fastapi.testclient import TestClient
from main import Ticket, User, app, engine
from sqlalchemy import delete
from sqlalchemy.orm import Session


@pytest.fixture(scope="session", autouse=True)
def db_session():
    with TestClient(app), Session(engine) as session:
        yield session
        session.rollback()
        session.execute(delete(Ticket))
        session.execute(delete(User))
        session.commit()


@pytest.fixture(scope="module")
def client():
    with TestClient(app) as client:
        yield client


# -- end of the boilerplate

import pytest  # noqa: E402
from main import User  # noqa: E402, F811


@pytest.fixture(scope="module")
def admin_headers(client):
    response = client.post("/login", params={"name": "admin", "password": "changethis"})
    return {"Authorization": f"Bearer {response.json()['access_token']}"}


@pytest.fixture(scope="module")
def user_headers(client, db_session):
    if db_session.query(User).filter(User.name == "ada").first() is None:
        db_session.add(User(name="ada", password="secret"))
        db_session.commit()
    response = client.post("/login", params={"name": "ada", "password": "secret"})
    return {"Authorization": f"Bearer {response.json()['access_token']}"}
