"""Layers as values: pictures of a database on top of each other, which end in any order."""

from __future__ import annotations

from collections import Counter

import pytest

from greenroom.database.layers import LayerError, Layers, rebased


class Database:
    """One table, as letters: each a row. `pictures` are what was taken of it."""

    def __init__(self, rows: str) -> None:
        self.rows = rows
        self.pictures = {"base": rows}
        self.layers = Layers("base", self._take, self._rebase, self._drop)

    @property
    def top(self) -> str:
        """What a test begins from."""
        return self.pictures[self.layers.top]

    def _take(self, name: str, below: str) -> bool:
        self.pictures[name] = self.rows
        return True

    def _rebase(self, upper: str, old: str, new: str, made: str) -> None:
        three = [Counter(self.pictures[name]) for name in (upper, old, new)]
        self.pictures[made] = "".join(sorted(rebased("letters", *three).elements()))

    def _drop(self, name: str) -> None:
        del self.pictures[name]

    def after(self, fixture: str, rows: str) -> None:
        """A fixture has left the database like that."""
        self.rows = rows
        self.layers.push(fixture)


def test_without_layers_tests_begin_from_the_baseline() -> None:
    """There is nothing else."""
    assert Database("a").top == "a"


def test_the_last_layer_is_what_tests_begin_from() -> None:
    """And the one below it is, when it has ended."""
    database = Database("a")
    database.after("session", "ab")
    database.after("module", "abc")
    assert database.top == "abc"
    database.layers.pop("module")
    assert database.top == "ab"
    database.layers.pop("session")
    assert database.top == "a"
    assert list(database.pictures) == ["base"]


@pytest.mark.parametrize(
    ("module", "session", "left"),
    [
        ("am", "ams", "as"),
        ("am", "amss", "ass"),
        ("m", "ms", "as"),
        ("m", "m", "a"),
        ("am", "m", ""),
        ("aam", "aamm", "am"),
        ("", "s", "as"),
    ],
    ids=[
        "rows are added",
        "the same row twice",
        "one below is deleted below",
        "nothing is done",
        "one below is deleted above",
        "a row that is like one below",
        "an empty one",
    ],
)
def test_a_layer_that_ends_below_another_takes_its_own_changes_with_it(
    module: str, session: str, left: str
) -> None:
    """The baseline is one row, `a`; what the upper one has changed stays changed."""
    database = Database("a")
    database.after("module", module)
    database.after("session", session)
    database.layers.pop("module")
    assert database.top == left
    database.layers.pop("session")
    assert database.top == "a"


def test_what_cannot_be_told_from_the_rows_alone_is_refused() -> None:
    """The upper one has replaced a row of the lower one's, or deleted it and added another."""
    database = Database("a")
    database.after("module", "am")
    database.after("session", "as")
    with pytest.raises(LayerError, match="rows of letters"):
        database.layers.pop("module")
    assert database.top == "a"
    database.layers.pop("session")
    assert list(database.pictures) == ["base"]


def test_several_above_keep_their_order() -> None:
    """Each is made again on top of the one below it."""
    database = Database("a")
    for number in range(1, 5):
        database.after(str(number), "1234"[:number] + "a")
    database.layers.pop("2")
    assert database.top == "134a"
    database.layers.pop("4")
    assert database.top == "13a"
    database.layers.pop("1")
    assert database.top == "3a"


def test_one_that_is_not_known_changes_nothing() -> None:
    """A fixture that has committed nothing has no layer."""
    database = Database("a")
    database.after("module", "ab")
    database.layers.pop("other")
    assert database.top == "ab"


def test_a_new_baseline_ends_all() -> None:
    """They were taken of other tables."""
    database = Database("a")
    database.after("module", "ab")
    database.layers.clear()
    assert database.top == "a"
