"""Reminders by mail."""

from email.message import EmailMessage

import aiosmtplib

from app.core.config import get_settings
from app.models.task import Task


class MailError(Exception):
    """The mail server didn't take it."""


async def send_reminder(task: Task) -> None:
    settings = get_settings()
    message = EmailMessage()
    message["From"] = settings.mail_from
    message["To"] = task.remind
    message["Subject"] = f"Due: {task.title}"
    message.set_content(f"{task.title} was due at {task.due:%Y-%m-%d %H:%M}.")
    try:
        await aiosmtplib.send(message, hostname=settings.mail_host, port=587, timeout=10)
    except (aiosmtplib.SMTPException, OSError) as error:
        raise MailError(str(error)) from error
