"""Which statements compare rows by the time at which they were written."""

from __future__ import annotations

import pytest

from greenroom.database.sandbox.times import are_compared

TIMES, VIEWS = {"at", "created_at"}, {"newest"}


@pytest.mark.parametrize(
    "statement",
    [
        "select notes.name from notes order by notes.at",
        "select name from notes where created_at > $1",
        "select notes.name, notes.at as ts from notes order by ts desc",
        'select notes.name, notes."at" as "ts" from notes order by "ts"',
        "select max(notes.at) as latest from notes group by name order by latest",
        "select name, at from notes order by 2 desc",
        "select name, at from notes order by name, 2",
        "select name from newest",
    ],
)
def test_it_compares(statement: str) -> None:
    """By a name, by a label, by its place among the columns, by a view."""
    assert are_compared(statement, TIMES, VIEWS)


@pytest.mark.parametrize(
    "statement",
    [
        "select notes.name, notes.at from notes order by notes.name limit 1",
        "select notes.id as notes_id, notes.at as notes_at from notes where notes.id = $1",
        "select anon_1.at from (select notes.at as at from notes) as anon_1 order by anon_1.id",
        "select name from notes order by 1",
        "insert into notes (name) values ($1) returning notes.id, notes.at",
    ],
)
def test_it_does_not(statement: str) -> None:
    """A time that is only read says nothing false of an order."""
    assert not are_compared(statement, TIMES, VIEWS)
