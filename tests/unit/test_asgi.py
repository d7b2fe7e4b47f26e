"""One exchange with an ASGI app."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from greenroom.client.asgi import Answer, exchange
from greenroom.facts.errors import GreenroomError

pytestmark = pytest.mark.asyncio
GET = {"type": "http", "method": "GET", "path": "/"}


async def test_an_answer_in_parts_is_put_together() -> None:
    """Up to the last part; what comes after it is ignored, as a server does."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 201, "headers": [(b"a", b"b")]})
        await send({"type": "http.response.body", "body": b"one ", "more_body": True})
        await send({"type": "http.response.body", "body": b"two"})
        await send({"type": "http.response.body", "body": b"three"})

    assert await exchange(app, GET, b"") == Answer(201, [(b"a", b"b")], b"one two")


async def test_a_head_request_has_no_body() -> None:
    """Whatever the app sends."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body", "body": b"body"})

    assert (await exchange(app, {**GET, "method": "HEAD"}, b"")).body == b""


async def test_a_body_in_parts_arrives_in_parts() -> None:
    """Each when the app asks for it, and a disconnect after the answer."""
    received = []

    async def parts() -> AsyncIterator[bytes]:
        yield b"one"
        yield b"two"

    async def app(scope: Any, receive: Any, send: Any) -> None:
        for _ in range(3):
            received.append(await receive())
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body"})
        received.append(await receive())

    await exchange(app, GET, parts())
    assert received == [
        {"type": "http.request", "body": b"one", "more_body": True},
        {"type": "http.request", "body": b"two", "more_body": True},
        {"type": "http.request", "body": b"", "more_body": False},
        {"type": "http.disconnect"},
    ]


async def test_whoever_waits_for_the_disconnect_gets_it_when_the_answer_is_complete() -> None:
    """As a task of Starlette's does beside a streamed answer."""
    import asyncio

    async def app(scope: Any, receive: Any, send: Any) -> None:
        assert (await receive())["body"] == b"whole"
        waiting = asyncio.create_task(receive())
        await asyncio.sleep(0)
        assert not waiting.done()
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body"})
        assert await waiting == {"type": "http.disconnect"}

    await exchange(app, GET, b"whole")


@pytest.mark.parametrize("messages", [[], [{"type": "http.response.start", "status": 200}]])
async def test_an_app_that_does_not_answer_is_named(messages: list[dict[str, Any]]) -> None:
    """It is a fault of the app, and production would answer 500."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        for message in messages:
            await send(message)

    with pytest.raises(GreenroomError, match="GR024 the app returned from GET / without"):
        await exchange(app, GET, b"")
