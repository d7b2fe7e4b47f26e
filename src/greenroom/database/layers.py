"""Layers: what fixtures of a higher scope have committed, on top of the baseline.

Each layer is a picture of the whole database, taken when its fixture was set up. Fixtures end in any
order: a module's may end while a session's, which was first needed later, goes on. Then the pictures
above are made again without the rows of the one that ended, as its difference to the one below.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Hashable
from typing import TypeVar

Row = TypeVar("Row", bound=Hashable)


class LayerError(Exception):
    """A layer can't be made without the one below it; the text says why, after its fixture's name."""


class Layers:
    """The pictures of one database that tests begin from, from the baseline upwards.

    :param base: the baseline's name.
    :param take: takes a picture under a name; whether anything differs from the one below it, whose name
        comes second.
    :param rebase: makes, under the last name, the first picture again, with the third below it in
        place of the second.
    :param drop: forgets a picture.
    """

    def __init__(
        self,
        base: str,
        take: Callable[[str, str], bool],
        rebase: Callable[[str, str, str, str], None],
        drop: Callable[[str], None],
    ) -> None:
        self._base = base
        self._take = take
        self._rebase = rebase
        self._drop = drop
        self._layers: list[tuple[object, str]] = []
        self._numbers = itertools.count(1)

    @property
    def top(self) -> str:
        """The picture that tests begin from."""
        return self._layers[-1][1] if self._layers else self._base

    def push(self, key: object) -> bool:
        """Make the state of now the one that tests begin from, until `pop`; whether it is another one."""
        name = self._new_name()
        if not self._take(name, self.top):
            self._drop(name)
            return False
        self._layers.append((key, name))
        return True

    def pop(self, key: object) -> None:
        """Take a layer's rows out of the state that tests begin from; nothing if it isn't known.

        :raises LayerError: if that can't be done. The layers above it are forgotten then, too.
        """
        while (place := self._place(key)) is not None:
            above = self._layers[place + 1 :]
            old, new = self._layers[place][1], self._layers[place - 1][1] if place else self._base
            gone = [name for _, name in self._layers[place:]]
            del self._layers[place:]
            try:
                for upper_key, upper in above:
                    made = self._new_name()
                    self._rebase(upper, old, new, made)
                    self._layers.append((upper_key, made))
                    old, new = upper, made
            finally:
                for name in gone:
                    self._drop(name)

    def _place(self, key: object) -> int | None:
        return next((i for i, (known, _) in enumerate(self._layers) if known == key), None)

    def clear(self) -> None:
        """Forget all of them: there is another baseline."""
        for _, name in self._layers:
            self._drop(name)
        self._layers.clear()

    def _new_name(self) -> str:
        return f"greenroom_layer_{next(self._numbers)}"


def rebased(table: str, upper: Counter[Row], old: Counter[Row], new: Counter[Row]) -> Counter[Row]:
    """One table's rows: what `upper` has changed of `old`, changed of `new` instead.

    :raises LayerError: if `upper` has changed rows that aren't in `new`: whether a row was deleted
        there or changed can't be told from the rows alone.
    """
    added, removed = upper - old, old - upper
    if added and removed - new:
        raise LayerError(f"it has changed rows of {table} that the fixture which ended had changed")
    return (new - removed) + added
