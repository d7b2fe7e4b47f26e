from main import User


def test_register(client):
    response = client.post("/users", params={"email": "ada@example.org"})
    assert response.status_code == 201
    assert response.json() == 1


def test_an_address_is_taken_once(client):
    client.post("/users", params={"email": "ada@example.org"})
    response = client.post("/users", params={"email": "ada@example.org"})
    assert response.status_code == 409


def test_read(client, db_session):
    user = User(email="grace@example.org")
    db_session.add(user)
    db_session.commit()
    assert client.get(f"/users/{user.id}").json() == "grace@example.org"


def test_unknown(client):
    assert client.get("/users/1").status_code == 404


def test_the_session_sees_what_was_registered(client, db_session):
    client.post("/users", params={"email": "ada@example.org"})
    assert [user.email for user in db_session.query(User)] == ["ada@example.org"]
