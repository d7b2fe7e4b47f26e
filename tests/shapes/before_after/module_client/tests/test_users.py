def test_the_admin_sees_everybody(client, admin_headers, user_headers):
    assert client.get("/users", headers=admin_headers).json() == ["ada", "admin"]


def test_a_wrong_password_is_refused(client):
    assert client.post("/login", params={"name": "admin", "password": "no"}).status_code == 400


class TestOfAUser:
    def test_the_token_is_accepted(self, client, user_headers):
        assert client.get("/users", headers=user_headers).status_code == 200
