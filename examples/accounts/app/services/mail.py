"""The mail to those who have registered."""

from email.message import EmailMessage

import aiosmtplib

from app.core.config import get_settings
from app.models.user import User


async def send_welcome(user: User) -> None:
    settings = get_settings()
    message = EmailMessage()
    message["From"] = settings.mail_from
    message["To"] = user.email
    message["Subject"] = "Welcome"
    message.set_content(f"Welcome, {user.name}: your account is ready.")
    await aiosmtplib.send(message, hostname=settings.mail_host, port=587, timeout=10)
