import smtplib
import ssl
from unittest.mock import Mock

import pytest
from app.models import User
from app.services import email, users
from tests.answers import data, detail


@pytest.fixture
def ann(make):
    return make(User, email="ann@example.com", name="Ann")


@pytest.fixture
def admin(client, make):
    return client.as_user(make(User, is_admin=True))


def test_an_admin_verifies_a_user(admin, ann, mailbox):
    response = admin.post(f"/api/users/{ann.id}/verify")

    assert response.status_code == 200
    assert data(response) == {
        "id": ann.id,
        "email": "ann@example.com",
        "name": "Ann",
        "is_verified": True,
    }
    assert ann.is_verified is True


def test_a_verified_user_is_told_by_mail(admin, ann, mailbox):
    admin.post(f"/api/users/{ann.id}/verify")

    mail = mailbox.only
    assert mail.sender == "shop@example.com"
    assert mail.recipients == ("ann@example.com",)
    assert mail.subject == "You are verified"
    assert mail.text.strip() == "Welcome, Ann!"


def test_a_user_is_verified_once(admin, ann, mailbox):
    admin.post(f"/api/users/{ann.id}/verify")

    response = admin.post(f"/api/users/{ann.id}/verify")

    assert response.status_code == 409
    assert detail(response) == "The user is verified."
    assert len(mailbox) == 1


def test_a_user_does_not_verify_himself(client, ann, mailbox):
    response = client.as_user(ann).post(f"/api/users/{ann.id}/verify")

    assert response.status_code == 403
    assert detail(response) == "That is for admins."
    assert ann.is_verified is False
    assert list(mailbox) == []


@pytest.mark.parametrize(
    "error", [email.EmailError("down"), ConnectionError("refused"), ZeroDivisionError()], ids=repr
)
def test_without_mail_nobody_is_verified(admin, ann, monkeypatch, error):
    monkeypatch.setattr("app.services.email.send_email", Mock(side_effect=error))

    response = admin.post(f"/api/users/{ann.id}/verify")

    assert response.status_code == 503
    assert detail(response) == "No mail can be sent: try again."
    assert ann.is_verified is False


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(ConnectionRefusedError("refused"), id="refused"),
        pytest.param(TimeoutError("timed out"), id="too slow"),
        pytest.param(smtplib.SMTPServerDisconnected("closed"), id="hung up"),
        pytest.param(smtplib.SMTPConnectError(421, b"busy"), id="busy"),
    ],
)
def test_a_mail_server_that_is_down_verifies_nobody(admin, ann, mailbox, error):
    mailbox.fails(error)

    response = admin.post(f"/api/users/{ann.id}/verify")

    assert response.status_code == 503
    assert detail(response) == "No mail can be sent: try again."
    assert ann.is_verified is False


def test_a_verification_that_is_not_stored_is_not_told(ann, db_session, mailbox, monkeypatch):
    monkeypatch.setattr(db_session, "commit", Mock(side_effect=ConnectionError))

    with pytest.raises(ConnectionError):
        users.verify(db_session, ann)

    assert list(mailbox) == []


def test_a_mail_server_without_tls_is_handed_no_mail(admin, ann, mailbox, monkeypatch):
    refuse = Mock(side_effect=smtplib.SMTPNotSupportedError("no STARTTLS"))
    monkeypatch.setattr(smtplib.SMTP, "starttls", refuse)

    response = admin.post(f"/api/users/{ann.id}/verify")

    assert response.status_code == 503
    assert list(mailbox) == []


def test_a_mail_server_has_to_show_its_certificate(admin, ann, mailbox, monkeypatch):
    starttls = Mock()
    monkeypatch.setattr(smtplib.SMTP, "starttls", starttls)

    admin.post(f"/api/users/{ann.id}/verify")

    assert starttls.call_args.kwargs["context"].verify_mode is ssl.CERT_REQUIRED
