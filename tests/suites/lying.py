"""A user's suite of the app in `tests/apps/lying.py`: it is true of no production."""

from __future__ import annotations

import pytest_asyncio
from main import Line, Order
from sqlalchemy import select


@pytest_asyncio.fixture
async def order(db_session):
    order = Order(lines=[Line(text="lamp")])
    db_session.add(order)
    await db_session.commit()
    return order


async def test_lazy_load(client, order):
    response = await client.get(f"/orders/{order.id}")
    assert response.json() == {"id": order.id, "state": "new", "lines": [{"text": "lamp"}]}


async def test_forgotten_commit(client, db_session, order):
    await client.post(f"/orders/{order.id}/pay")
    assert await db_session.scalar(select(Order.state)) == "paid"


async def test_forgotten_flush(client, order):
    response = await client.post(f"/orders/{order.id}/lines/chair")
    assert response.json() == ["lamp", "chair"]
