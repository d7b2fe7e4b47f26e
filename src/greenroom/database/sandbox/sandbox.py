"""Transactions that look like real ones to each other, on one connection.

The rules, and why they are enough: reading needs nothing, as nobody else has uncommitted writes. The
first write of a transaction makes it *the writer*; everybody else waits until it has ended. What
can't be told truthfully raises an error that names the marker, and the test fails even if the app
catches it.
"""

from __future__ import annotations

import contextlib
import re
import textwrap
import weakref
from collections.abc import Callable
from typing import Any

from greenroom.database.sandbox import times
from greenroom.database.sandbox.grammar import Kind, Statement
from greenroom.database.sandbox.real import Real
from greenroom.database.sandbox.transaction import Transaction
from greenroom.database.sandbox.turns import LOOK, PATIENCE
from greenroom.facts.errors import Code, GreenroomError

_ASKS_THE_TIME = re.compile(
    r"\bnow\s*\(|\b(?:current_(?:timestamp|time|date)|localtime(?:stamp)?|transaction_timestamp|"
    r"statement_timestamp)\b"
)
#: What a connection did last: another one's would be told here.
_OWN_STATE = re.compile(
    r"\b(?:lastval|currval|last_insert_id|row_count|found_rows|last_insert_rowid|changes|"
    r"total_changes)\s*\("
)


class Sandbox:
    """The transactions of one test on one database.

    :param where: the database, for messages.
    :param patience: how long, in seconds, a statement waits for another transaction to end.
    """

    def __init__(self, where: Callable[[], str], patience: float = PATIENCE) -> None:
        self._where = where
        self._patience = patience
        #: How many transactions that wrote have been committed.
        self.commits = 0
        #: The first thing in this test that couldn't be told truthfully.
        self.problem: GreenroomError | None = None
        #: Whether the last test left a transaction open that had written.
        self.left_open = False
        #: Whether a test is under way whose engines lead here.
        self.is_on = True
        self._writer: Transaction | None = None
        self._real: Real | None = None
        self._lost = False
        self._clock: set[int] = set()
        self._readers: weakref.WeakSet[Transaction] = weakref.WeakSet()

    def end(self) -> GreenroomError | None:
        """Undo what the test has done; what couldn't be told truthfully in it."""
        real, self._real = self._real, None
        problem, self.problem = self.problem, None
        self.commits += 1
        self.left_open = self._writer is not None and not self._writer.closed
        if self._writer is not None:
            self._writer.stale = True
            self._writer = None
        self._readers.clear()
        self._clock.clear()
        lost, self._lost = self._lost, False
        if real is not None:
            real.from_outside(real.close if lost else real.end)
        return problem

    @property
    def has_lost(self) -> bool:
        """Whether the real connection, or its transaction, is no more."""
        return self._lost

    # -- what a logical connection does ------------------------------------------------------------

    def execute(
        self, real: Real, own: Transaction, statement: Statement, text: str, call: Callable[[], Any]
    ) -> Any:
        """Send a statement.

        :param call: sends it over the real connection.
        :raises GreenroomError: if it can't be told truthfully.
        """
        kind = statement.kind
        if kind is Kind.REFUSED:
            raise self.refuse(f"{statement.detail}: {_shortened(text)}.")
        if kind in {Kind.COMMIT, Kind.ROLLBACK} and real.backend == "sqlite" and not own.open:
            raise self.refuse(f"{_shortened(text)} without a transaction.")
        if kind is Kind.COMMIT:
            return self.commit(real, own)
        if kind is Kind.ROLLBACK:
            return self.rollback(real, own)
        with real.turn.taken():
            self._enter(real, own)
            if kind is Kind.BEGIN:
                return self._begin(real, own, statement)
            if kind is Kind.SETTING:
                return self._set(real, own, statement, text, call)
            real.begin()
            if real.level != "read committed":
                raise self.refuse(f"transactions can't be {real.level} on a shared connection.")
            self._wait(real, own)
            self._switch(real, own)
            self._check_snapshot(real, own)
            if own.failed:
                return self._refused_by_server(real, call)
            self._check_clock(real, statement)
            if _OWN_STATE.search(statement.text) and self._writer is not own:
                raise self.refuse(f"it asks what its own connection did last: {_shortened(text)}.")
            return self._send(real, own, statement, call)

    def commit(self, real: Real, own: Transaction) -> None:
        """Commit, as far as this test can see."""
        if not own.open:
            return
        with real.turn.taken():
            self._check_stale(own)
            if self._writer is own:
                self._commit(real, own)
            elif own.failed:
                own.settings = own.settings_before
            self._close(own)

    def rollback(self, real: Real, own: Transaction) -> None:
        """Roll back what the transaction has written."""
        if not own.open:
            return
        if self._writer is not own and own.settings == own.settings_before:
            self._close(own)
            return
        with real.turn.taken():
            if self._writer is own and not self._lost:
                self._undo(real, own)
            if real.backend == "postgresql":
                own.settings = own.settings_before
            self._close(own)

    def abandon(self, own: Transaction) -> None:
        """Its connection was closed; what it has written is undone by the next one who comes."""
        own.closed = True
        own.open = False

    def claim(self, real: Real, own: Transaction) -> None:
        """Have the real connection for oneself until the transaction ends.

        For what a driver's own methods do, which can't be seen.
        """
        if self._writer is None and not own.closed and real.begun:
            self._real = self._real or real
            self._open(own)
            self._writer = own
            own.flow = real.turn.flow()
        elif self._writer is not own:
            raise self.refuse(
                "a driver's own connection was asked for, past SQLAlchemy, before anything else was "
                "sent or while another transaction had uncommitted writes."
            )

    def refuse(self, what: str) -> GreenroomError:
        """An error that says what can't be told truthfully, and remembers it."""
        error = GreenroomError(
            Code.SANDBOX,
            f"the isolation rollback can't be truthful here: {what}",
            'Let this test have real commits: @pytest.mark.isolation("reset").',
        )
        self.problem = self.problem or error
        return error

    # -- the steps of a statement ------------------------------------------------------------------

    def _enter(self, real: Real, own: Transaction) -> None:
        self._check_stale(own)
        if not self.is_on:
            raise self.refuse("a connection of a test that was rolled back is used after it.")
        if self._lost:
            raise self.refuse(
                "the test's one connection was lost, and with it everything that the test had "
                "committed."
            )
        if self._real is None:
            self._real = real
        elif self._real is not real:
            raise self.refuse(
                f"two connections that can't be one lead to {self._where()}: of two drivers, or on "
                "two event loops. Neither would see what the other commits."
            )

    def _check_stale(self, own: Transaction) -> None:
        if own.stale:
            self._close(own)
            raise self.refuse("a transaction that an earlier test left open was used again.")

    def _wait(self, real: Real, own: Transaction) -> None:
        """Wait until nobody else has uncommitted writes."""
        flow = real.turn.flow()
        for _ in range(max(1, int(self._patience / LOOK))):
            writer = self._standing_writer(real)
            if real.uncertain and writer is not own:
                real.back()
            if writer is None or writer is own:
                return
            if writer.flow == flow or not self._patience:
                break
            real.turn.pause()
        raise self.refuse(
            "another transaction has written and not committed, and would have to go on "
            "meanwhile. Commit or roll back what one session has flushed before another is used."
        )

    def _standing_writer(self, real: Real) -> Transaction | None:
        """The writer, unless its connection was closed: what that one has written is undone."""
        if self._writer is not None and self._writer.closed:
            self._writer = None
            real.uncertain = True
        return self._writer

    def _switch(self, real: Real, own: Transaction) -> None:
        """Have the settings of this logical connection in force."""
        if own.settings == real.settings:
            return
        if real.backend != "postgresql":
            raise self.refuse(
                "two connections have other settings (SET, PRAGMA): here they share one."
            )
        undone = [_reset(name) for name in real.settings if name not in own.settings]
        changed = [text for name, text in own.settings.items() if real.settings.get(name) != text]
        real.settings = dict(own.settings)
        real.forward(*undone, *changed)

    def _check_snapshot(self, real: Real, own: Transaction) -> None:
        if own.snapshot is not None and own.snapshot != self.commits:
            raise self.refuse(
                "a transaction reads again after another one has committed; it would still see the "
                "database as it was at its first read."
            )

    def _send(
        self, real: Real, own: Transaction, statement: Statement, call: Callable[[], Any]
    ) -> Any:
        kind = statement.kind
        opens = self._opens(real, own, statement)
        if opens:
            self._open(own)
        own.flow = real.turn.flow()
        if kind is not Kind.READ:
            self._writer = own
        elif opens and own.snapshot is None and real.backend != "postgresql":
            self._remember_snapshot(own)
        try:
            result = real.turn.whole(call) if real.backend == "mysql" else call()
        except Exception:
            self._after_error(real, own, alone=not opens)
            raise
        except BaseException:  # Cancelled, or interrupted: nobody knows how far it came.
            real.uncertain = real.uncertain or self._writer is not own
            raise
        if kind is Kind.LOCAL:
            own.locals.add(statement.detail)
        if kind is Kind.RELEASE and own.savepoints:
            self._release(real, own, statement.detail)
        elif not opens and kind is not Kind.READ:
            self._commit(real, own)
        if not real.is_inside():
            self._lost = True
            raise self.refuse(f"the test's transaction was ended by: {_shortened(statement.text)}.")
        return result

    def _opens(self, real: Real, own: Transaction, statement: Statement) -> bool:
        """Whether the statement is part of a transaction that goes on after it."""
        if real.begins == "changes" and statement.kind is Kind.SAVEPOINT:
            if not own.open or own.savepoints:
                own.savepoints.append(statement.detail)
            return True
        if own.open or own.autocommit:
            return own.open
        return real.begins == "always" or statement.changes_rows

    def _remember_snapshot(self, own: Transaction) -> None:
        if own.reads_snapshots:
            own.snapshot = self.commits
            self._readers.add(own)

    def _after_error(self, real: Real, own: Transaction, *, alone: bool) -> None:
        if not real.is_inside():
            self._lost = True
            self.refuse("the test's one connection was lost, or its transaction was ended.")
        elif real.backend == "postgresql" and self._writer is not own:
            aborted = real.is_aborted()
            real.back()
            own.failed = aborted and not alone
        elif alone:
            real.back()
            self._writer = None
        else:
            own.in_doubt = True

    def _commit(self, real: Real, own: Transaction) -> None:
        """Make what the writer has written everybody's."""
        if real.backend == "postgresql" and own.in_doubt and real.is_aborted():
            self._undo(real, own)  # PostgreSQL makes a rollback of such a commit, and says nothing.
            return
        if real.backend == "sqlite":
            self._wait_for_readers(real, own)
        try:
            real.check_deferred()
            self._unset_locals(real, own)
            real.forward()
        except Exception:
            if real.is_alive():
                self._undo(real, own)
                self._close(own)
            else:
                self._lost = True
                self.refuse("the test's one connection was lost.")
            raise
        self.commits += 1
        self._writer = None

    def _undo(self, real: Real, own: Transaction) -> None:
        """Undo what the writer has written, and PostgreSQL its settings with it."""
        real.back()
        if real.backend == "postgresql":
            own.settings = own.settings_before
        self._writer = None

    def _wait_for_readers(self, real: Real, own: Transaction) -> None:
        """SQLite can't write a commit into the file while a transaction reads it."""
        for _ in range(max(1, int(self._patience / LOOK))):
            readers = [one for one in self._readers if one is not own and one.snapshot is not None]
            if not readers:
                return
            if any(one.flow == own.flow for one in readers) or not self._patience:
                break
            real.turn.pause()
        raise self.refuse(
            "a transaction commits while another one is reading, for which SQLite would make it wait."
        )

    def _unset_locals(self, real: Real, own: Transaction) -> None:
        if own.locals:
            real.send(*(own.settings.get(name, _reset(name)) for name in own.locals))

    def _release(self, real: Real, own: Transaction, name: str) -> None:
        while own.savepoints and own.savepoints.pop() != name:
            pass
        if not own.savepoints:
            self._commit(real, own)
            self._close(own)

    def _begin(self, real: Real, own: Transaction, statement: Statement) -> None:
        if real.backend == "sqlite" and own.open:
            raise self.refuse("BEGIN in a transaction.")
        real.begin()
        if real.backend == "mysql" and own.open:
            if self._writer is own:
                self._commit(real, own)
            self._close(own)
        if statement.detail:
            self._wait(real, own)
            self._writer = own
            own.flow = real.turn.flow()
        self._open(own)

    def _set(
        self, real: Real, own: Transaction, statement: Statement, text: str, call: Callable[[], Any]
    ) -> Any:
        name = statement.detail
        in_force = real.settings.get(name) == text
        if real.begun:
            self._wait(real, own)
        if own.failed:
            real.begin()
            return self._refused_by_server(real, call)
        if real.begun and real.backend == "sqlite" and not in_force:
            raise self.refuse(f"SQLite takes no {_shortened(text)} in a transaction.")
        if not own.autocommit and real.begins == "always":
            self._open(own)
        if in_force and real.backend == "sqlite":
            own.settings[name] = text  # Sent again, it might be refused: there is a transaction.
            return None
        alone = real.begun and self._writer is None and real.backend == "postgresql"
        if alone:
            self._switch(real, own)
        result = self._send_setting(real, own, call)
        real.note(name, None if statement.unset else text)
        own.note(name, None if statement.unset else text)
        if alone:
            real.forward()
        return result

    def _send_setting(self, real: Real, own: Transaction, call: Callable[[], Any]) -> Any:
        try:
            return call()
        except Exception:
            if real.backend == "postgresql":
                own.in_doubt = self._writer is own
                own.failed = own.open and not own.in_doubt
                if real.begun and not own.in_doubt:
                    real.back()
            raise

    def _refused_by_server(self, real: Real, call: Callable[[], Any]) -> Any:
        """Let PostgreSQL say that the transaction is aborted, in the driver's own words."""
        with contextlib.suppress(Exception):
            real.rows("SELECT 1/0")
        try:
            return call()
        finally:
            real.back()

    def _check_clock(self, real: Real, statement: Statement) -> None:
        """PostgreSQL's now() is the time at which the one real transaction began."""
        if real.backend != "postgresql":
            return
        text = statement.text
        if _ASKS_THE_TIME.search(times.compared(text)):
            raise self.refuse(
                "now() is compared with, and is the time at which the test began in every "
                f"transaction: {_shortened(text)}."
            )
        if _ASKS_THE_TIME.search(text) or (real.clocks and text.startswith("insert")):
            self._clock.add(self.commits)
        if len(self._clock) > 1 and times.are_compared(text, real.times, real.ordered):
            raise self.refuse(
                "rows of several transactions are compared by a column of times, and now() is the "
                "same for all of them."
            )

    def _open(self, own: Transaction) -> None:
        if not own.open:
            own.open = True
            own.settings_before = dict(own.settings)

    def _close(self, own: Transaction) -> None:
        if self._writer is own:
            self._writer = None
        own.open = own.failed = own.in_doubt = own.stale = False
        own.snapshot = None
        own.savepoints.clear()
        own.locals.clear()


def _shortened(text: str) -> str:
    return textwrap.shorten(text, 100, placeholder="...")


def _reset(name: str) -> str:
    """The statement that unsets a setting. One of the app's own may be called by a word of SQL's: `app.user`."""
    parts = name.replace('"', "").split(".")
    return "RESET " + (name if len(parts) == 1 else ".".join(f'"{part}"' for part in parts))
