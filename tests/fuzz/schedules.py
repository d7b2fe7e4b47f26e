"""Random schedules of transactions, run on real connections and in a sandbox side by side."""

from __future__ import annotations

import contextlib
import gc
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from greenroom.database.sandbox.stage import Stage
from greenroom.facts.errors import GreenroomError

CONNECTIONS = 3
LENGTH = 14
BLOCKED = ("lock timeout", "locked", "Lock wait timeout", "canceling statement due to lock")

STATE = "SELECT id, n FROM things ORDER BY id"

Step = tuple[int, str]
Outcome = tuple[str, Any]


@dataclass
class Tally:
    """How many schedules went how."""

    exact: int = 0
    loud: int = 0


class Loud(Exception):  # noqa: N818 - an outcome
    """The sandbox has said that it can't tell."""


class Blocked(Exception):  # noqa: N818 - an outcome
    """A real connection waits for another one."""


def statements(backend: str, rng: random.Random) -> str:
    """One random step, in SQL or in a word of its own."""
    key = rng.randrange(4)
    steps = [
        f"INSERT INTO things (id, n) VALUES ({key}, {rng.randrange(9)})",
        f"INSERT INTO things (id, n) VALUES ({key}, {rng.randrange(9)})",
        f"UPDATE things SET n = n + 1 WHERE id = {key}",
        f"DELETE FROM things WHERE id = {key}",
        "SELECT id, n FROM things ORDER BY id",
        "SELECT id, n FROM things ORDER BY id",
        "SELECT nothing FROM things",
        "commit",
        "commit",
        "rollback",
        "close",
        "nested",
        "nested rollback",
        "nested commit",
    ]
    if backend != "sqlite":
        steps.append(f"SELECT n FROM things WHERE id = {key} FOR UPDATE")
        steps.append(f"INSERT INTO parts (id, thing_id) VALUES ({rng.randrange(9)}, {key})")
    else:
        steps += [rng.choice(["BEGIN", "ROLLBACK", "COMMIT"]), "PRAGMA cache_size = 100"]
    if backend == "postgresql":
        name = rng.choice("ab")
        steps += [
            f"SET application_name = '{name}'",
            f"SET LOCAL application_name = '{name}'",
            "SELECT current_setting('application_name')",
            "SHOW application_name",
            "RESET application_name",
            "SET statement_timeout = 'nonsense'",
            f"INSERT INTO late (id, thing_id) VALUES ({rng.randrange(9)}, {key})",
            f"CREATE TABLE extra_{key} (id int)",
        ]
    return rng.choice(steps)


def schedule(backend: str, seed: int) -> list[Step]:
    """A schedule: who does what. One connection tends to go on, as a request does."""
    rng = random.Random(seed)  # noqa: S311 - a schedule, not a secret
    who, steps = 0, []
    stay, ends = rng.choice([(0.5, 0.7), (0.8, 0.7), (0.95, 0.7), (0.6, 0.2), (0.6, 1.0)])
    explicit = backend == "sqlite" and rng.random() < 0.3
    # In some, the first writes and commits, while the others read in transactions that stay open.
    polite = rng.random() < 0.4
    reads = [STATE, STATE, "rollback"]
    if backend != "sqlite":
        reads.append("SELECT n FROM things WHERE id = 1 FOR UPDATE")
    for _ in range(LENGTH):
        if polite and who and rng.random() < 0.8:
            steps.append((who, rng.choice(reads)))
        elif polite and not who:
            key = rng.randrange(2)
            writes = [
                f"INSERT INTO things (id, n) VALUES ({key}, 1)",
                f"DELETE FROM things WHERE id = {key}",
            ]
            steps.append(
                (who, rng.choice([*writes, f"UPDATE things SET n = n + 1 WHERE id = {key}"]))
            )
            steps.append((who, rng.choice(["commit", "commit", "rollback"])))
        if rng.random() > stay:
            if not polite and rng.random() < ends:
                steps.append((who, rng.choice(["commit", "rollback"])))
            who = rng.randrange(CONNECTIONS)
            if explicit:
                steps.append((who, "BEGIN"))
        if not polite:
            steps.append((who, statements(backend, rng)))
    return [*steps, *((number, "commit") for number in range(CONNECTIONS)), (0, STATE)]


class Player:
    """Several connections of one engine."""

    def __init__(self, engine: Engine, on_connect: Callable[[Connection], None]) -> None:
        self._engine = engine
        self._on_connect = on_connect
        self._open: dict[int, tuple[Connection, list[Any]]] = {}

    def play(self, step: Step) -> Outcome:
        """Do one step: its rows, or the kind of its error."""
        number, what = step
        try:
            return ("rows", self._do(number, what))
        except GreenroomError as error:
            raise Loud(str(error)) from None
        except DBAPIError as error:
            if any(word in str(error.orig) for word in BLOCKED):
                raise Blocked from None
            return ("error", type(error).__name__)
        except SQLAlchemyError as error:
            return ("error", type(error).__name__)

    def close(self) -> None:
        """Give every connection back."""
        with contextlib.ExitStack() as closing:
            for connection, _ in self._open.values():
                closing.callback(connection.close)
            self._open.clear()

    def _do(self, number: int, what: str) -> Any:
        if number not in self._open:
            connection = self._engine.connect()
            self._open[number] = (connection, [])
            self._on_connect(connection)
        connection, nested = self._open[number]
        if what == "close":
            del self._open[number]
            return connection.close()
        if what == "nested":
            return nested.append(connection.begin_nested())
        if what.startswith("nested "):
            if not nested or not nested[-1].is_active:
                return None
            mark = nested.pop()
            return mark.rollback() if what == "nested rollback" else mark.commit()
        if what in {"commit", "rollback"}:
            nested.clear()
            return getattr(connection, what)()
        result = connection.exec_driver_sql(what)
        return [tuple(row) for row in result] if result.returns_rows else None


def compare(
    real: Engine,
    shared: Engine,
    clean: Callable[[], None],
    on_connect: Callable[[Connection], None],
    seeds: range,
) -> Tally:
    """Run schedules on both; fails where they differ and the sandbox hasn't said so."""
    backend = "mysql" if real.dialect.name in {"mysql", "mariadb"} else real.dialect.name
    tally = Tally()
    stage = Stage(lambda: "here")
    stage.sandbox._patience = 0
    for seed in seeds:
        steps = schedule(backend, seed)
        clean()
        expected, final = _real(real, on_connect, steps)
        clean()
        stage.enter(shared)
        got: list[Outcome] = []
        loud = None
        player = Player(shared, on_connect)
        try:
            for step in steps[: len(expected) + 1]:
                got.append(player.play(step))
        except Loud as error:
            loud = str(error)
        finally:
            player.close()
            stage.leave(shared)
            shared_by_all = stage.sandbox._real
            if shared_by_all is not None and shared_by_all.loop is not None:
                shared_by_all.end()  # On its loop, which runs this.
            problem = stage.end()
        told = f"seed {seed}: {list(zip(steps, expected, got, strict=False))}, {final}, {loud}"
        if loud is None and problem is None:
            assert final != "blocked", f"a real connection would wait: {told}"
            assert got == expected, told
            tally.exact += 1
        else:
            assert got == expected[: len(got)], told
            tally.loud += 1
    stage.close()
    return tally


def _real(
    engine: Engine, on_connect: Callable[[Connection], None], steps: list[Step]
) -> tuple[list[Outcome], str]:
    player = Player(engine, on_connect)
    outcomes: list[Outcome] = []
    blocked = False
    try:
        for step in steps:
            outcomes.append(player.play(step))
    except Blocked:
        blocked = True
        return outcomes, "blocked"
    finally:
        player.close()
        if engine.dialect.name == "sqlite":
            # A statement that was refused a lock may keep the one that it had, until it is collected.
            engine.dispose()
            if blocked:
                gc.collect()
    return outcomes, "done"
