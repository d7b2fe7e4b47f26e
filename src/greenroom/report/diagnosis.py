"""What a failed test did last, in lines for its report."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from greenroom.facts.exchange import Exchange, SentStatement

WIDTH = 300
STATEMENT = 200
#: What is masked: the value of a field of such a name, in JSON, in a form and in a query.
_SECRET = r"[\w-]*(?:password|passwd|secret|token|api[_-]?key|authorization)[\w-]*"  # noqa: S105
_IN_JSON = re.compile(rf'("{_SECRET}"\s*:\s*)("(?:[^"\\]|\\.)*"|[^,}}\]\s]+)', re.IGNORECASE)
_IN_FORM = re.compile(rf"((?:^|[?&\s]){_SECRET}=)[^&\s]*", re.IGNORECASE)


def lines(
    exchanges: Iterable[Exchange],
    earlier: int,
    statements: Iterable[SentStatement],
    changes: Mapping[tuple[str, str], int],
    hints: Iterable[str],
) -> list[str]:
    """The section's lines; none if there is nothing to tell.

    :param hints: what is likely to be wrong, a line each.
    """
    told = [line for exchange in exchanges for line in _exchange(exchange)]
    if told and earlier:
        told.insert(0, f"({earlier} earlier)")
    sent = [f"    {_shortened(one.text, STATEMENT)}" for one in statements]
    if sent:
        told += ["statements since the last request began:" if told else "statements:", *sent]
    if changes:
        parts = [f"{table} {count} {verb}" for (table, verb), count in sorted(changes.items())]
        told.append("rows changed: " + ", ".join(parts))
    told += [f"hint: {hint}." for hint in hints]
    return told


def _exchange(exchange: Exchange) -> list[str]:
    outcome = exchange.error or str(exchange.status)
    found = [f"{exchange.method} {masked(exchange.target)} -> {outcome}"]
    if exchange.sent:
        found.append(f"    > {_body(exchange.sent)}")
    if exchange.received:
        found.append(f"    < {_body(exchange.received)}")
    return found


def _body(body: bytes) -> str:
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return f"{len(body)} bytes"
    return _shortened(masked(text), WIDTH)


def masked(text: str) -> str:
    """A text without the values of fields that sound like secrets."""
    return _IN_FORM.sub(r"\1***", _IN_JSON.sub(r'\1"***"', text))


def _shortened(text: str, width: int) -> str:
    line = " ".join(text.split())
    return line if len(line) <= width else f"{line[: width - 3]}..."
