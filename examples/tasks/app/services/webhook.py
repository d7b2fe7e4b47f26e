"""Telling another service that a task is done."""

import httpx

from app.core.config import get_settings


class WebhookError(Exception):
    """The other service didn't take it."""


async def tell_completed(task_id: int, title: str) -> None:
    try:
        async with httpx.AsyncClient(timeout=5) as client:
            response = await client.post(
                get_settings().webhook_url, json={"task": task_id, "title": title}
            )
            response.raise_for_status()
    except httpx.HTTPError as error:
        raise WebhookError(str(error)) from error
