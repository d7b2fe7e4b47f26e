"""The `mailbox`: what the app sends by smtplib, aiosmtplib or fastapi-mail, as a server would have got it."""

from __future__ import annotations

import pytest

from tests.harness import Project, Result

APP = """
import smtplib
from email.message import EmailMessage

import aiosmtplib
from fastapi import BackgroundTasks, FastAPI, HTTPException
from fastapi_mail import ConnectionConfig, FastMail, MessageSchema, MessageType

app = FastAPI()

def make(to="ann@example.com"):
    message = EmailMessage()
    message["Subject"] = "Grüße"
    message["From"] = "Shop <shop@example.com>"
    message["To"] = f"Ann <{to}>"
    message["Bcc"] = "audit@example.com"
    message.set_content("Hallo, schön!\\n")
    message.add_alternative("<p>Hallo</p>", subtype="html")
    message.add_attachment(b"%PDF", maintype="application", subtype="pdf", filename="bill.pdf")
    return message

@app.post("/smtplib")
def by_smtplib():
    try:
        with smtplib.SMTP("smtp.example.com", 587, timeout=5) as server:
            server.ehlo()
            server.starttls()
            server.login("user", "secret")
            server.send_message(make())
    except OSError as error:
        raise HTTPException(503, type(error).__name__) from error

@app.post("/ssl")
def by_smtplib_ssl():
    server = smtplib.SMTP_SSL("smtp.example.com", 465)
    server.login("user", "secret")
    server.sendmail("shop@example.com", ["ann@example.com"], make().as_string())
    server.quit()

@app.post("/aiosmtplib")
async def by_aiosmtplib():
    try:
        await aiosmtplib.send(make(), hostname="smtp.example.com", port=587, username="u", password="p",
                              start_tls=True)
    except (OSError, aiosmtplib.SMTPException) as error:
        raise HTTPException(503, type(error).__name__) from error

@app.post("/client")
async def by_aiosmtplibs_client():
    async with aiosmtplib.SMTP(hostname="smtp.example.com", use_tls=True) as client:
        await client.login("u", "p")
        await client.send_message(make())

config = ConnectionConfig(MAIL_USERNAME="u", MAIL_PASSWORD="p", MAIL_FROM="shop@example.com", MAIL_PORT=587,
                          MAIL_SERVER="smtp.example.com", MAIL_STARTTLS=True, MAIL_SSL_TLS=False)

@app.post("/fastapi-mail")
async def by_fastapi_mail(tasks: BackgroundTasks):
    message = MessageSchema(subject="Grüße", recipients=["ann@example.com"], body="<p>Hallo</p>",
                            subtype=MessageType.html)
    tasks.add_task(FastMail(config).send_message, message)
"""


def run(pytester: pytest.Pytester, test: str) -> Result:
    files = {"main.py": APP, "test_main.py": test, "pyproject.toml": "[tool.greenroom]\n"}
    return Project(files).run(pytester, "-p", "no:randomly")


@pytest.mark.parametrize("path", ["smtplib", "ssl", "aiosmtplib", "client", "fastapi-mail"])
def test_mail_is_caught_and_parsed(pytester: pytest.Pytester, path: str) -> None:
    """By each library, in a `def` and in an `async def` test; nothing connects anywhere."""
    whole = path != "fastapi-mail"
    test = f"""
def look(mailbox):
    mail = mailbox.only
    assert (mail.subject, mail.sender, mail.to) == ("Grüße", "shop@example.com", ("ann@example.com",))
    assert "ann@example.com" in mail.recipients
    assert "<p>Hallo</p>" in mail.html
    if {whole}:
        assert mail.text == "Hallo, schön!\\n"
        assert mail.attachments == {{"bill.pdf": b"%PDF"}}
    if "{path}" not in ("ssl", "fastapi-mail"):
        assert mail.recipients == ("ann@example.com", "audit@example.com")
        assert "Bcc" not in mail.message
    assert mailbox.to("Ann@example.com") == [mail]
    assert not mailbox.to("bob@example.com")

def test_blocking(client, mailbox):
    assert client.post("/{path}").status_code == 200
    look(mailbox)

async def test_async(client, mailbox):
    assert not mailbox
    assert (await client.post("/{path}")).status_code == 200
    look(mailbox)
    await client.post("/{path}")
    assert len(mailbox) == 2 and [mail.subject for mail in mailbox] == ["Grüße"] * 2
"""
    run(pytester, test).passed(2)


def test_a_mail_server_that_is_down(pytester: pytest.Pytester) -> None:
    """The app catches what the library raises then."""
    test = """
import smtplib

async def test_down(client, mailbox):
    mailbox.fails()
    assert (await client.post("/smtplib")).json()["detail"] == "ConnectionRefusedError"
    assert (await client.post("/aiosmtplib")).json()["detail"] == "SMTPConnectError"
    mailbox.fails(smtplib.SMTPServerDisconnected("gone"))
    assert (await client.post("/smtplib")).status_code == 503
    assert not mailbox

async def test_up_again(client, mailbox):
    await client.post("/smtplib")
    assert mailbox.only
"""
    run(pytester, test).passed(2)


def test_another_number_than_one_is_told(pytester: pytest.Pytester) -> None:
    """With what there is."""
    test = """
def test_none(client, mailbox):
    mailbox.only

def test_two(client, mailbox):
    client.post("/smtplib")
    client.post("/ssl")
    mailbox.only
"""
    result = run(pytester, test)
    result.counts(failed=2)
    result.says("GR047 there are 0 messages", "GR047 there are 2 messages", "'Grüße' to ann@")


def test_mail_without_the_mailbox_is_stopped_at_the_guard(pytester: pytest.Pytester) -> None:
    """And the message names the fixture; the classes are as they were after a test with it."""
    test = """
async def test_first(client, mailbox):
    await client.post("/client")

async def test_it(client):
    await client.post("/client")

def test_blocking(client):
    client.post("/ssl")
"""
    result = run(pytester, test)
    result.counts(passed=1, failed=2)
    result.says("GR045 main.py:", "smtp.example.com:465", "Request the fixture mailbox")


def test_the_server_answers_as_one_does(pytester: pytest.Pytester) -> None:
    """To every command, whoever sends it; a connection that was kept leads nowhere after the test."""
    test = """
import smtplib, ssl
import aiosmtplib
import pytest

KEPT = []

def test_smtplib(client, mailbox):
    server = smtplib.SMTP("smtp.example.com")
    assert server.starttls(context=ssl.create_default_context())[0] == 220
    assert server.login("u", "p")[0] == 235
    server.user, server.password = "u", "p"
    assert server.auth("PLAIN", server.auth_plain)[0] == 235
    assert server.docmd("AUTH", "XOAUTH2 x")[0] == 235
    assert server.verify("ann@example.com")[0] == 250
    server.mail("a@example.com")
    server.rcpt("b@example.com")
    server.data("Subject: by hand\\r\\n\\r\\nx")
    assert mailbox.only.subject == "by hand"
    KEPT.append(server)

def test_kept(client, mailbox):
    with pytest.raises(smtplib.SMTPServerDisconnected):
        KEPT[0].noop()
    KEPT[0].connect("smtp.example.com")
    KEPT[0].noop()

def test_after(client):
    with pytest.raises(smtplib.SMTPServerDisconnected):
        KEPT[0].noop()

def test_lmtp(client, mailbox):
    with smtplib.LMTP("/run/lmtp.sock") as server:
        server.sendmail("a@example.com", "b@example.com", "Subject: lmtp\\n\\nx")
    assert mailbox.only.subject == "lmtp"

async def test_aiosmtplib(client, mailbox):
    server = aiosmtplib.SMTP(hostname="smtp.example.com")
    with pytest.raises(aiosmtplib.SMTPServerDisconnected):
        await server.noop()
    await server.connect()
    assert (await server.starttls()).code == 220
    assert (await server.auth_plain("u", "p")).code == 235
    assert (await server.execute_command(b"VRFY", b"x")).code == 250
    await server.quit()
    assert not server.is_connected

def test_attachments(client, mailbox):
    from email.message import EmailMessage
    message, inner = EmailMessage(), EmailMessage()
    inner["Subject"] = "inner"
    message["From"] = message["To"] = "a@example.com"
    message.set_content("x")
    for content in (b"1", b"2"):
        message.add_attachment(content, maintype="a", subtype="b", filename="same.txt")
    message.add_attachment(inner)
    with smtplib.SMTP("smtp.example.com") as server:
        server.send_message(message)
    found = mailbox.only.attachments
    assert (found["same.txt"], found["same.txt (2)"]) == (b"1", b"2")
    assert b"inner" in found["attachment"]
"""
    run(pytester, test).passed(6)
