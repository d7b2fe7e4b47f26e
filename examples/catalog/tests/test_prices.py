import asyncio
import datetime as dt
from unittest.mock import AsyncMock

import pytest
from app.models import Item
from app.services import rates

RATES = "https://rates.example.com/latest"
USD = {"rates": {"USD": 1.25}}

# Even where a run allows connections, nobody's quota of exchange rates is used up.
pytestmark = pytest.mark.outgoing("block")


@pytest.fixture
async def lamp(make):
    return await make(Item, name="lamp", price=10)


def price_of(item, currency="USD"):
    return f"/api/v1/items/{item.id}/price?currency={currency}"


async def test_a_price_is_told_in_another_currency(client, lamp, outbound):
    asked = outbound.get(RATES).reply(200, json=USD)

    response = await client.get(price_of(lamp))

    assert response.status_code == 200
    assert response.json() == {"item_id": str(lamp.id), "currency": "USD", "amount": "12.50"}
    assert [call.params for call in asked.calls] == [{"base": "EUR", "symbols": "USD"}]


async def test_a_price_in_euros_needs_no_rate(client, lamp):
    response = await client.get(price_of(lamp, "EUR"))

    assert response.json()["amount"] == "10.00"


async def test_an_unknown_currency_is_refused(client, lamp):
    response = await client.get(price_of(lamp, "XXX"))

    assert response.status_code == 422
    assert response.json()["error"]["details"][0]["loc"] == ["query", "currency"]


async def test_a_service_that_stumbles_is_asked_again(client, lamp, outbound):
    asked = outbound.get(RATES).fails("timeout").reply(503).reply(200, json=USD)

    response = await client.get(price_of(lamp))

    assert response.json()["amount"] == "12.50"
    assert len(asked.calls) == 3


@pytest.mark.sleep("off")
async def test_a_service_that_stumbles_is_given_pauses_each_twice_as_long(
    client, lamp, outbound, settings, monkeypatch
):
    sleep = AsyncMock(wraps=asyncio.sleep)
    monkeypatch.setattr(rates, "sleep", sleep)
    settings(rates_pause=0.1)
    outbound.get(RATES).fails("timeout").reply(503).reply(200, json=USD)

    await client.get(price_of(lamp))

    assert [call.args for call in sleep.await_args_list] == [(0.1,), (0.2,)]


@pytest.mark.parametrize(
    ("status", "body"), [(500, USD), (200, {"rates": {}}), (200, {"rates": {"USD": "much"}})]
)
async def test_a_service_that_gives_no_rate_is_given_up_after_three_tries(
    client, lamp, outbound, status, body
):
    asked = outbound.get(RATES).reply(status, json=body)

    response = await client.get(price_of(lamp))

    assert response.status_code == 503
    assert response.json()["error"] == {
        "code": "RATES_UNAVAILABLE",
        "message": "There is no exchange rate now.",
        "details": [],
    }
    assert len(asked.calls) == 3


async def test_a_rate_is_asked_for_once_an_hour(client, lamp, outbound, fake_redis, clock):
    asked = outbound.get(RATES).reply(200, json=USD)

    for _ in range(2):
        assert (await client.get(price_of(lamp))).json()["amount"] == "12.50"
    assert len(asked.calls) == 1

    clock.tick(dt.timedelta(hours=1, seconds=1))
    await client.get(price_of(lamp))
    assert len(asked.calls) == 2


async def test_without_redis_each_price_asks_for_the_rate(client, lamp, outbound):
    asked = outbound.get(RATES).reply(200, json=USD)

    for _ in range(2):
        assert (await client.get(price_of(lamp))).json()["amount"] == "12.50"

    assert len(asked.calls) == 2


async def test_a_rate_that_redis_does_not_take_is_used_all_the_same(
    client, lamp, outbound, fake_redis
):
    await fake_redis.acl_setuser("default", commands=["-set"])
    asked = outbound.get(RATES).reply(200, json=USD)

    response = await client.get(price_of(lamp))

    assert response.json()["amount"] == "12.50"
    assert len(asked.calls) == 1
