"""The rows of fixtures of a higher scope: kept as layers, as each fixture has been set up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from greenroom.facts.errors import Code, GreenroomError
from greenroom.facts.isolation import Isolation
from greenroom.observe.ledger import Ledger

if TYPE_CHECKING:
    from greenroom.database.databases import Databases


class Layering:
    """The fixtures that are being set up, the innermost last.

    :param databases: what keeps the layers.
    :param ledger: what sees what they do.
    """

    def __init__(self, databases: Databases, ledger: Ledger) -> None:
        self._databases = databases
        self._ledger = ledger
        #: Each with what was before it.
        self._pending: list[tuple[object, str, list[object | None]]] = []
        self._changes_before: dict[tuple[str, str], int] = {}
        self._changed_by = ""

    def begin(self, fixture: object, name: str, inside: Isolation | None) -> None:
        """A fixture is about to be set up.

        :param inside: the isolation of the test that runs, if it has databases of its own.
        :raises GreenroomError: if the rows of another one would go with that test.
        """
        self._databases.settle()
        if self._pending:
            # A fixture that requests another one while it is set up: what it has done is its own.
            self._keep(inside)
        self._pending.append((fixture, name, self._databases.writes()))
        self._changes_before = self._ledger.changes

    def end(self, fixture: object, inside: Isolation | None, *, failed: bool) -> None:
        """Keep the rows that the fixture has committed.

        :raises GreenroomError: if they would go with the test that was the first to need it.
        """
        if not self._pending or self._pending[-1][0] is not fixture:
            return
        try:
            if not failed:
                self._keep(inside)
        finally:
            self._pending.pop()
            if self._pending:
                outer, name, _ = self._pending.pop()
                self._pending.append((outer, name, self._databases.writes()))

    def refuse(self, test: str) -> None:
        """Raise GreenroomError if there are layers: a test has changed the tables under them."""
        if not self._databases.layers:
            self._changed_by = ""
            return
        # It isn't undone for those after it: the first one is to blame.
        self._changed_by = self._changed_by or test
        raise GreenroomError(
            Code.LAYER,
            f"{self._changed_by} has changed tables, and what {' and '.join(self._databases.layers)} "
            "committed can't be put into the new ones.",
            'Give that test a database of its own: @pytest.mark.isolation("clone").',
        )

    def _keep(self, inside: Isolation | None) -> None:
        fixture, name, before = self._pending[-1]
        if inside is None:
            self._databases.push_layer(fixture, name, before)
        # What this process has sent: the server's number moves with what others do.
        elif self._ledger.changes != self._changes_before:
            raise GreenroomError(
                Code.LAYER,
                f"the fixture {name} is first needed in the middle of a test under the isolation "
                f"{inside.value}, and what it has committed goes with that test.",
                "Request the fixture by its name in the test's parameters.",
            )
