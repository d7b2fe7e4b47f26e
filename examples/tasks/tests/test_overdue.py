import datetime as dt

import pytest
from app.models.task import Task
from app.models.user import User
from app.services import mail

NOON = dt.datetime(2026, 1, 31, 12, tzinfo=dt.UTC)


@pytest.fixture
def at_noon(clock):
    clock.freeze(NOON)
    return clock


async def test_a_task_is_overdue_when_its_time_has_passed(client, make, at_noon):
    task = await make(Task, due=NOON + dt.timedelta(hours=1))
    assert (await client.get("/tasks/", params={"overdue": True})).json() == []

    at_noon.tick(dt.timedelta(hours=2))

    overdue = (await client.get("/tasks/", params={"overdue": True})).json()
    assert [one["id"] for one in overdue] == [task.id]


async def test_a_finished_task_is_never_overdue(client, make, at_noon):
    await make(Task, due=NOON - dt.timedelta(days=1), completed=True)

    assert (await client.get("/tasks/", params={"overdue": True})).json() == []


@pytest.fixture
async def timer(client, make):
    return client.as_user(await make(User))


async def test_a_reminder_is_sent_once(timer, make, at_noon, mailbox):
    await make(Task, title="pay", due=NOON - dt.timedelta(hours=1), remind="ann@example.com")
    await make(Task, due=NOON + dt.timedelta(hours=1), remind="ann@example.com")

    assert (await timer.post("/tasks/reminders")).json() == 1
    assert (await timer.post("/tasks/reminders")).json() == 0

    sent = mailbox.only
    assert sent.recipients == ("ann@example.com",)
    assert sent.subject == "Due: pay"
    assert "2026-01-31 11:00" in sent.text


async def test_nobody_else_sends_mail(client, mailbox):
    assert (await client.post("/tasks/reminders")).status_code == 401


async def test_a_mail_server_that_is_down_loses_no_reminder(timer, make, at_noon, mailbox):
    task = await make(Task, due=NOON - dt.timedelta(hours=1), remind="ann@example.com")
    mailbox.fails()

    assert (await timer.post("/tasks/reminders")).status_code == 503
    assert task.remind == "ann@example.com"


async def test_what_was_sent_before_it_went_down_is_not_sent_again(
    timer, make, at_noon, mailbox, monkeypatch
):
    ann, bob = [
        await make(Task, due=NOON - dt.timedelta(hours=1), remind=f"{name}@example.com")
        for name in ("ann", "bob")
    ]
    send = mail.send_reminder

    async def only_to_ann(task):
        if task.id != ann.id:
            raise mail.MailError("down")
        await send(task)

    monkeypatch.setattr("app.api.tasks.send_reminder", only_to_ann)

    assert (await timer.post("/tasks/reminders")).status_code == 503
    assert (ann.remind, bob.remind) == (None, "bob@example.com")
    assert len(mailbox) == 1
