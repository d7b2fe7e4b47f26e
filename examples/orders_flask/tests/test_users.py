from app.models import User
from tests.answers import data, detail

ANN = {"email": "ann@example.com", "name": "Ann", "password": "long enough"}


def test_a_user_registers(client, db_session):
    response = client.post("/api/users", json=ANN)

    assert response.status_code == 201
    user_id = data(response)["id"]
    assert data(response) == {
        "id": user_id,
        "email": "ann@example.com",
        "name": "Ann",
        "is_verified": False,
    }
    assert db_session.get(User, user_id).email == "ann@example.com"


def test_a_new_user_is_no_admin(client, db_session):
    user_id = data(client.post("/api/users", json=ANN))["id"]

    assert db_session.get(User, user_id).is_admin is False


def test_a_password_is_stored_as_a_hash(client, db_session):
    user_id = data(client.post("/api/users", json=ANN))["id"]

    assert db_session.get(User, user_id).hashed_password.startswith("$argon2id$")


def test_blanks_around_a_name_are_taken_off(client):
    assert data(client.post("/api/users", json=ANN | {"name": "  Ann "}))["name"] == "Ann"


def test_a_second_user_of_an_email_is_refused(client, make):
    make(User, email="ann@example.com")

    response = client.post("/api/users", json=ANN)

    assert response.status_code == 409
    assert detail(response) == "A user of that e-mail exists."


def test_an_email_is_the_same_in_capitals(client, make):
    make(User, email="ann@example.com")

    assert client.post("/api/users", json=ANN | {"email": "Ann@Example.COM"}).status_code == 409


def test_after_a_refusal_another_user_registers(client, make):
    make(User, email="ann@example.com")
    client.post("/api/users", json=ANN)

    assert client.post("/api/users", json=ANN | {"email": "bob@example.com"}).status_code == 201


def test_an_admin_lists_all_users_by_email(client, make):
    bob = make(User, email="bob@example.com", is_admin=True)
    make(User, email="cid@example.com")
    make(User, email="ann@example.com")

    response = client.as_user(bob).get("/api/users")

    assert [user["email"].split("@")[0] for user in data(response)] == ["ann", "bob", "cid"]


def test_a_user_does_not_list_users(auth_client):
    response = auth_client.get("/api/users")

    assert response.status_code == 403
    assert detail(response) == "That is for admins."


def test_a_user_reads_himself(client, make):
    ann = make(User, email="ann@example.com", name="Ann")

    response = client.as_user(ann).get(f"/api/users/{ann.id}")

    assert response.status_code == 200
    assert data(response) == {
        "id": ann.id,
        "email": "ann@example.com",
        "name": "Ann",
        "is_verified": False,
    }


def test_an_admin_reads_a_user(client, make):
    admin, ann = make(User, is_admin=True), make(User)

    assert data(client.as_user(admin).get(f"/api/users/{ann.id}"))["email"] == ann.email


def test_a_user_does_not_read_another(auth_client, make):
    response = auth_client.get(f"/api/users/{make(User).id}")

    assert response.status_code == 403
    assert detail(response) == "That is somebody else."


def test_a_user_who_is_not_there_is_not_found(auth_client):
    response = auth_client.get("/api/users/12345")

    assert response.status_code == 404
    assert detail(response) == "There is no such user."


def test_an_admin_deletes_a_user(client, make, db_session):
    admin, ann = make(User, is_admin=True), make(User)

    response = client.as_user(admin).delete(f"/api/users/{ann.id}")

    assert (response.status_code, response.text) == (204, "")
    assert db_session.get(User, ann.id) is None


def test_a_user_who_was_deleted_is_not_found(client, make):
    admin, ann = client.as_user(make(User, is_admin=True)), make(User)
    admin.delete(f"/api/users/{ann.id}")

    assert admin.get(f"/api/users/{ann.id}").status_code == 404
    assert admin.delete(f"/api/users/{ann.id}").status_code == 404


def test_a_user_deletes_himself(client, make, db_session):
    ann = make(User)

    response = client.as_user(ann).delete(f"/api/users/{ann.id}")

    assert (response.status_code, response.text) == (204, "")
    assert db_session.get(User, ann.id) is None


def test_a_user_does_not_delete_another(auth_client, make, db_session):
    bob = make(User)

    assert auth_client.delete(f"/api/users/{bob.id}").status_code == 403
    assert db_session.get(User, bob.id) is bob


def test_a_wrong_method_is_answered_with_the_right_ones(client):
    response = client.put("/api/users/me")

    assert response.status_code == 405
    assert "GET" in response.headers["allow"]
