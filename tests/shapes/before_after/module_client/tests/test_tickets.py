import uuid

from main import Ticket


def test_a_ticket_is_created(client, user_headers, db_session):
    title = uuid.uuid4().hex
    response = client.post("/tickets", params={"title": title}, headers=user_headers)
    assert response.status_code == 201
    assert db_session.get(Ticket, response.json()).title == title


def test_own_tickets_are_listed(client, user_headers, admin_headers):
    title = uuid.uuid4().hex
    client.post("/tickets", params={"title": title}, headers=user_headers)
    assert title in client.get("/tickets", headers=user_headers).json()
    assert title not in client.get("/tickets", headers=admin_headers).json()


def test_nobody_has_no_tickets(client):
    assert client.get("/tickets").status_code == 401
