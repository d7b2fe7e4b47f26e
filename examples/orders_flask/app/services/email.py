"""Mail to users."""

import smtplib
import ssl
from email.message import EmailMessage

from app.config import get_settings


class EmailError(Exception):
    """The mail server didn't take it."""


def send_email(to: str, subject: str, text: str) -> None:
    settings = get_settings()
    message = EmailMessage()
    message["From"] = settings.mail_from
    message["To"] = to
    message["Subject"] = subject
    message.set_content(text)
    try:
        with smtplib.SMTP(settings.mail_host, 587, timeout=10) as server:
            server.starttls(context=ssl.create_default_context())
            server.send_message(message)
    except (OSError, smtplib.SMTPException) as error:
        raise EmailError(str(error)) from error
