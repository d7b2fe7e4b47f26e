"""The section of a failed test's report: what the test did last."""

from __future__ import annotations

import pytest

from greenroom.facts.exchange import Exchange, SentStatement
from greenroom.observe.ledger import MOST_EXCHANGES, MOST_STATEMENTS, Ledger
from greenroom.report.diagnosis import STATEMENT, WIDTH, lines, masked


def over(ledger: Ledger, exchange: Exchange) -> None:
    ledger.asked().saw(exchange)


def told(ledger: Ledger) -> list[str]:
    return lines(ledger.exchanges, ledger.earlier, ledger.statements, ledger.changes, [])


def test_a_test_that_did_nothing_has_nothing_to_tell() -> None:
    """No section then."""
    assert told(Ledger()) == []


def test_exchanges_are_told_with_their_bodies() -> None:
    """One line each, and one for a body."""
    ledger = Ledger()
    over(ledger, Exchange("GET", "/items?page=1", b"", 200, b"[]"))
    over(ledger, Exchange("POST", "/items", b'{"name":\n "lamp"}', 409, b'{"detail": "there"}'))
    over(ledger, Exchange("PUT", "/file", b"\xff\xfe", None, error="raised KeyError: 'x'"))
    over(ledger, Exchange("DELETE", "/items/1", None, 204))
    assert told(ledger) == [
        "GET /items?page=1 -> 200",
        "    < []",
        "POST /items -> 409",
        '    > {"name": "lamp"}',
        '    < {"detail": "there"}',
        "PUT /file -> raised KeyError: 'x'",
        "    > 2 bytes",
        "DELETE /items/1 -> 204",
    ]


def test_the_last_ones_are_told_and_the_others_counted() -> None:
    """The report stays short."""
    ledger = Ledger()
    for number in range(MOST_EXCHANGES + 3):
        over(ledger, Exchange("GET", f"/{number}", b"", 200))
    assert told(ledger)[:2] == ["(3 earlier)", "GET /3 -> 200"]
    assert len(told(ledger)) == MOST_EXCHANGES + 1


def test_statements_are_those_since_the_last_request_began() -> None:
    """Shortened, and with what was changed in the whole test."""
    ledger = Ledger()
    ledger.sent(SentStatement("INSERT INTO items (name) VALUES (?)", 1))
    ledger.request_begins()
    over(ledger, Exchange("GET", "/", b"", 200))
    ledger.sent(SentStatement("SELECT items.id,\n items.name FROM items", -1))
    ledger.sent(SentStatement('UPDATE "items" SET name = ?', 2))
    ledger.sent(SentStatement("DELETE FROM shop.items WHERE x" + "x" * STATEMENT, 0))
    found = told(ledger)
    assert found[1:4] == [
        "statements since the last request began:",
        "    SELECT items.id, items.name FROM items",
        '    UPDATE "items" SET name = ?',
    ]
    assert found[4].startswith("    DELETE FROM shop.items WHERE")
    assert found[4].endswith("...")
    assert len(found[4]) == STATEMENT + 4
    assert found[5] == "rows changed: items 1 insert, items 2 update"


def test_a_ledger_does_not_grow_without_end() -> None:
    """However many statements a test sends."""
    ledger = Ledger()
    for number in range(10 * MOST_STATEMENTS):
        ledger.sent(SentStatement(f"SELECT {number}", -1))
    assert len(ledger.statements) == MOST_STATEMENTS


def test_another_test_begins_with_an_empty_one() -> None:
    """What the last one did is not its doing."""
    ledger = Ledger()
    for _ in range(MOST_EXCHANGES + 1):
        over(ledger, Exchange("GET", "/", b"", 200))
    ledger.sent(SentStatement("DELETE FROM items", 3))
    ledger.begin()
    assert told(ledger) == []
    assert ledger.earlier == 0


def test_a_long_body_is_shortened() -> None:
    """To a line."""
    found = lines([Exchange("GET", "/", b"", 200, b"x" * 10 * WIDTH)], 0, [], {}, [])
    assert len(found[1]) == WIDTH + len("    < ")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ('{"password": "geheim", "name": "x"}', '{"password": "***", "name": "x"}'),
        ('{"hashed_password":"a\\"b"}', '{"hashed_password":"***"}'),
        (
            '{"access_token": "eyJ", "token_type": "bearer"}',
            '{"access_token": "***", "token_type": "***"}',
        ),
        ('{"api_key": 123, "n": 1}', '{"api_key": "***", "n": 1}'),
        ("username=x&password=geheim&n=1", "username=x&password=***&n=1"),
        ("/reset?token=abc&x=1", "/reset?token=***&x=1"),
        ('{"name": "password", "n": 1}', '{"name": "password", "n": 1}'),
    ],
)
def test_secrets_are_masked(text: str, shown: str) -> None:
    """By the names of their fields."""
    assert masked(text) == shown
