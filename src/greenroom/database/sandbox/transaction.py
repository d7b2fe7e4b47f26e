"""What one logical connection is in the middle of."""

from __future__ import annotations


class Transaction:
    """The state of one logical connection: its transaction and its settings."""

    def __init__(self, *, autocommit: bool) -> None:
        self.autocommit = autocommit
        #: Whether a transaction is open, as the app would see it.
        self.open = False
        #: Whether it was refused something, so that PostgreSQL would refuse the rest.
        self.failed = False
        #: Whether PostgreSQL itself may refuse the rest.
        self.in_doubt = False
        #: Whether what it has written was undone with an earlier test.
        self.stale = False
        self.closed = False
        self.flow: object = None
        #: The number of commits when it first read, where that is what it goes on to see.
        self.snapshot: int | None = None
        self.settings: dict[str, str] = {}
        self.settings_before: dict[str, str] = {}
        self.locals: set[str] = set()
        #: SQLite: the savepoints that were set, if the first of them has opened the transaction.
        self.savepoints: list[str] = []
        self.reads_snapshots = True

    def note(self, name: str, text: str | None) -> None:
        """Remember what set a setting; None if it was set back."""
        self.settings.pop(name, None)
        if text is not None:
            self.settings[name] = text
            if "isolation" in text.lower():
                self.reads_snapshots = "committed" not in text.lower()
