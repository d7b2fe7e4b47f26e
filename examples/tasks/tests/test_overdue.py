import datetime as dt

import pytest
from app.models.task import Task

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


async def test_a_reminder_is_sent_once(client, make, at_noon, mailbox):
    await make(Task, title="pay", due=NOON - dt.timedelta(hours=1), remind="ann@example.com")
    await make(Task, due=NOON + dt.timedelta(hours=1), remind="ann@example.com")

    assert (await client.post("/tasks/reminders")).json() == 1
    assert (await client.post("/tasks/reminders")).json() == 0

    mail = mailbox.only
    assert mail.recipients == ("ann@example.com",)
    assert mail.subject == "Due: pay"
    assert "2026-01-31 11:00" in mail.text


async def test_a_mail_server_that_is_down_loses_no_reminder(client, make, at_noon, mailbox):
    task = await make(Task, due=NOON - dt.timedelta(hours=1), remind="ann@example.com")
    mailbox.fails()
    client.raise_app_exceptions = False

    assert (await client.post("/tasks/reminders")).status_code == 500
    assert task.remind == "ann@example.com"
