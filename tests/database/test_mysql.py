"""A private MariaDB database: whatever was written is undone, in one round trip."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pymysql
import pytest
from sqlalchemy import make_url

from greenroom.database.mysql.database import MysqlDatabase
from greenroom.database.mysql.definitions import definitions
from greenroom.database.mysql.server import Server
from greenroom.database.private import Reset
from greenroom.facts.errors import GreenroomError
from greenroom.facts.run import RunIdentity
from tests.dialects import IS_MYSQL, MARIADB_SERVER, mariadb_alone, needs_mariadb

pytestmark = needs_mariadb

SCHEMA = [
    "CREATE TABLE parents (id int AUTO_INCREMENT PRIMARY KEY, name varchar(40) UNIQUE, data json, "
    "price decimal(10, 2), twice decimal(12, 2) AS (price * 2) STORED)",
    "CREATE TABLE children (id int AUTO_INCREMENT PRIMARY KEY, parent_id int NOT NULL, up int, "
    "FOREIGN KEY (parent_id) REFERENCES parents (id), FOREIGN KEY (up) REFERENCES children (id))",
    "CREATE TABLE keyless (what varchar(20))",
    "CREATE TABLE `odd ``name``` (`the id` bigint AUTO_INCREMENT PRIMARY KEY, what text) "
    "AUTO_INCREMENT = 1000",
    "CREATE TRIGGER logged AFTER INSERT ON children FOR EACH ROW "
    "INSERT INTO `odd ``name``` (what) VALUES ('child')",
    "CREATE TABLE versions (id int PRIMARY KEY, version int, size float, text text, "
    "FULLTEXT KEY (text))",
    "CREATE TRIGGER counted BEFORE INSERT ON versions FOR EACH ROW SET NEW.version = NEW.version + 1",
    "CREATE TABLE entries (id int PRIMARY KEY)",
    "CREATE TRIGGER kept BEFORE DELETE ON entries FOR EACH ROW "
    "SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'append only'",
    "CREATE TABLE Items (id int AUTO_INCREMENT PRIMARY KEY) AUTO_INCREMENT = 7",
    "CREATE TABLE items (id int AUTO_INCREMENT PRIMARY KEY)",
    "CREATE TABLE pairs (a int, b int, PRIMARY KEY (a, b))",
    "CREATE VIEW names AS SELECT name FROM parents",
]
BASELINE = [
    "INSERT INTO parents (name, data, price) VALUES ('one', '{\"a\": 1}', 1.50), ('two', NULL, NULL)",
    "INSERT INTO children (parent_id) VALUES (1), (2)",
    "INSERT INTO keyless VALUES ('a'), ('a'), ('b')",
    "INSERT INTO versions VALUES (1, 0, 1.5, 'a text')",
    "INSERT INTO entries VALUES (1)",
]
LOOK = [
    "SELECT 'parents', p.* FROM parents p ORDER BY id",
    "SELECT 'children', c.* FROM children c ORDER BY id",
    "SELECT what FROM keyless ORDER BY 1",
    "SELECT * FROM `odd ``name``` ORDER BY 1",
    "SELECT id, version, cast(size AS double), text FROM versions ORDER BY 1",
    "SELECT * FROM entries ORDER BY 1",
    "SELECT trigger_name, action_statement FROM information_schema.triggers "
    "WHERE trigger_schema = database() ORDER BY 1",
    "SELECT table_name, coalesce(auto_increment, 1) FROM information_schema.tables "
    "WHERE table_schema = database() ORDER BY BINARY table_name",
]
WRITES = {
    "an insert": ["INSERT INTO parents (name) VALUES ('three')"],
    "an update": ["UPDATE parents SET price = 2 WHERE id = 1"],
    "another case": ["UPDATE parents SET name = 'ONE' WHERE id = 1"],
    "a trailing blank": ["UPDATE parents SET name = 'one ' WHERE id = 1"],
    "a delete": ["DELETE FROM children WHERE id = 2"],
    "a replaced row": [
        "DELETE FROM children",
        "DELETE FROM parents WHERE id = 2",
        "INSERT INTO parents (id, name) VALUES (2, 'two')",
    ],
    "a duplicate for another": ["UPDATE keyless SET what = 'b' LIMIT 1"],
    "a trigger's rows": ["INSERT INTO children (parent_id) VALUES (1)"],
    "an emptied table": ["SET foreign_key_checks = 0", "TRUNCATE parents"],
    "an id that was used up": [
        "INSERT INTO parents (name) VALUES ('x')",
        "DELETE FROM parents WHERE name = 'x'",
    ],
    "an id of somebody's choice": ["INSERT INTO `odd ``name``` VALUES (5000, 'x')"],
    "rows of a table that was empty": ["INSERT INTO `odd ``name``` (what) VALUES ('x'), ('y')"],
    "a row that a trigger changes": ["UPDATE versions SET version = 9"],
    "a small change of a float": ["UPDATE versions SET size = 1.5000001"],
    "a row that no trigger lets go": ["INSERT INTO entries VALUES (2)"],
    "counters of names that differ in case": [
        "INSERT INTO Items VALUES ()",
        "INSERT INTO items VALUES (), ()",
    ],
    "a new table": ["CREATE TABLE more (id int)", "INSERT INTO more VALUES (1)"],
    "a lost table": ["DROP TABLE keyless"],
}
if not IS_MYSQL:
    SCHEMA.append("CREATE SEQUENCE numbers")
    LOOK.append("SELECT next_not_cached_value FROM numbers")
    WRITES["a sequence"] = ["SELECT nextval(numbers)"]
#: Has what information_schema says of tables read anew.
LOOKS_ANEW = "SET SESSION information_schema_stats_expiry = 0" if IS_MYSQL else "DO 0"


def connect(database: MysqlDatabase) -> Any:
    """As the app would."""
    return database.blocking({})[1]()


def write(database: MysqlDatabase, statements: list[str]) -> None:
    with connect(database) as connection, connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
        connection.commit()


def look(database: MysqlDatabase) -> list[Any]:
    with connect(database) as connection, connection.cursor() as cursor:
        rows = []
        cursor.execute(LOOKS_ANEW)
        for question in LOOK:
            cursor.execute(question)
            rows += cursor.fetchall()
        return rows


Make = Callable[[], MysqlDatabase]


@pytest.fixture
def make(nothing_is_left_on: list[str]) -> Iterator[Make]:
    """Makes private databases, and closes what was opened for them."""
    nothing_is_left_on.append(MARIADB_SERVER)
    servers: list[Server] = []

    def make_one() -> MysqlDatabase:
        servers.append(Server(make_url(MARIADB_SERVER), "here"))
        server = servers[-1]
        return MysqlDatabase(lambda: server, RunIdentity("run", "main", Path("here")))

    yield make_one
    for server in servers:
        server.close()


@pytest.fixture
def database(make: Make) -> Iterator[MysqlDatabase]:
    """A database with tables and a baseline."""
    made = make()
    made.build("schema of test_mysql", lambda: write(made, SCHEMA), rebuild=False)
    made.take_origin()
    write(made, BASELINE)
    made.take_baseline()
    yield made
    made.close()


@pytest.mark.parametrize("what", WRITES)
def test_whatever_was_written_is_undone(database: MysqlDatabase, what: str) -> None:
    """Twice, since what a reset leaves must be undone as well."""
    before = look(database)
    for _ in range(2):
        write(database, WRITES[what])
        database.reset()
        assert look(database) == before


@pytest.mark.parametrize(("rows", "is_truncated"), [(10, False), (20_000, True)])
def test_a_table_with_very_many_rows_is_truncated(
    database: MysqlDatabase, rows: int, is_truncated: bool
) -> None:
    """It has another file then."""

    def file() -> Any:
        with connect(database) as connection, connection.cursor() as cursor:
            cursor.execute(
                f"SELECT table_id FROM information_schema.{'innodb_tables' if IS_MYSQL else 'innodb_sys_tables'} "
                "WHERE name = concat(database(), '/pairs')"
            )
            return cursor.fetchall()

    before = file()
    write(database, [f"INSERT INTO pairs VALUES {', '.join(f'({n}, 1)' for n in range(rows))}"])
    database.reset()
    with connect(database) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pairs")
        assert cursor.fetchall() == ((0,),)
    assert (file() != before) is is_truncated


def test_rewind_goes_back_behind_the_start_up(database: MysqlDatabase) -> None:
    """To what the schema alone has made."""
    database.rewind()
    assert not [row for row in look(database) if row[0] in {"children", "a"} and len(row) > 2]
    database.reset()
    assert ("children", 1, 1, None) in look(database)


def test_the_next_run_takes_the_database_as_it_was_built(make: Make) -> None:
    """Without a row of the run before it; one that was killed isn't trusted."""
    fingerprint = "the next run"
    first = make()
    first.build(fingerprint, lambda: write(first, SCHEMA), rebuild=True)
    first.take_origin()
    write(first, BASELINE)
    first.take_baseline()
    write(first, WRITES["an insert"])
    name = first.name
    first.close()
    first._connected_server().close()

    second = make()
    assert second.build(fingerprint, lambda: write(second, SCHEMA), rebuild=False) is True
    assert second.name == name
    assert not [row for row in look(second) if row[0] == "children" and len(row) > 2]
    second._connected_server().close()  # As a killed run: it is not left as it was built.

    third = make()
    assert third.build(fingerprint, lambda: write(third, SCHEMA), rebuild=False) is False
    third.take_origin()
    third.close()


def test_two_at_once_have_two(make: Make) -> None:
    """Each its own, and the same fingerprint."""
    one, two = make(), make()
    for database in (one, two):
        database.build("two at once", lambda: write(database, SCHEMA), rebuild=False)  # noqa: B023
        database.take_origin()
    assert one.name != two.name
    one.close()
    two.close()


def test_a_lock_is_ended(database: MysqlDatabase) -> None:
    """A transaction that has read holds its table's definition: the counter couldn't start again."""
    before = look(database)
    holds = connect(database)
    with holds.cursor() as cursor:
        cursor.execute("SELECT * FROM parents FOR UPDATE")
    with connect(database) as other, other.cursor() as cursor:
        cursor.execute("INSERT INTO `odd ``name``` (what) VALUES ('x')")
        other.commit()
    with connect(database) as other, other.cursor() as cursor:
        cursor.execute("SELECT * FROM `odd ``name```")
        assert database.reset() is Reset.MOVED
    assert look(database) == before
    with pytest.raises(pymysql.MySQLError), holds.cursor() as cursor:
        cursor.execute("SELECT 1")


def test_an_unmarked_database_is_never_dropped(make: Make) -> None:
    """Whatever it is called."""
    server = make()._find()
    server.do("CREATE DATABASE IF NOT EXISTS greenroom_mine")
    assert server.drop("greenroom_mine") is False
    server.sweep()
    assert ("greenroom_mine",) in server.ask("SHOW DATABASES")
    server.do("DROP DATABASE greenroom_mine")


def test_two_databases_of_one_process_are_two(make: Make) -> None:
    """Also with the same tables, on one connection of greenroom's: its locks are told apart."""
    first = make()
    server = first._find()
    second = MysqlDatabase(lambda: server, RunIdentity("run", "main", Path("here")))
    for database in (first, second):
        database.build("two of one", lambda: write(database, SCHEMA), rebuild=False)  # noqa: B023
        database.take_origin()
    assert first.name != second.name
    first.close()
    second.close()


def test_a_changed_database_is_not_kept_for_the_next_run(make: Make) -> None:
    """However it was changed."""
    fingerprint = "changed behind its back"
    first = make()
    first.build(fingerprint, lambda: write(first, SCHEMA), rebuild=True)
    first.take_origin()
    first.take_baseline()
    write(first, ["ALTER TABLE keyless ADD COLUMN more int"])
    first.close()
    first._connected_server().close()
    second = make()
    assert second.build(fingerprint, lambda: write(second, SCHEMA), rebuild=False) is False
    second.take_origin()
    second.close()


def test_a_password_that_needs_another_package_is_told(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PyMySQL says so by a RuntimeError: MySQL's passwords are sent encrypted where the connection isn't."""

    def connect(self: Server) -> Any:
        raise RuntimeError("'cryptography' package is required for caching_sha2_password")

    monkeypatch.setattr(Server, "connect", connect)
    with pytest.raises(GreenroomError, match=r"GR026 .* 'cryptography' package is required"):
        make().open()


def test_a_registry_that_another_run_removes_has_no_databases(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the look whether it's there and the look into it."""
    database = make()
    server = database._connected_server()
    looks = iter([True, False])
    monkeypatch.setattr(server, "_has_registry", lambda: next(looks))

    def ask(question: str, *_: object) -> list[Any]:
        raise pymysql.OperationalError(1049, "Unknown database 'greenroom_registry'")

    monkeypatch.setattr(server, "ask", ask)
    assert server.marked() == {}


@mariadb_alone
def test_a_system_versioned_table_is_refused(make: Make) -> None:
    """MariaDB keeps what was in it."""
    database = make()
    database.open()
    write(database, ["CREATE TABLE old (id int) WITH SYSTEM VERSIONING"])
    with pytest.raises(GreenroomError, match="GR012 the table old is system-versioned"):
        database.take_origin()
    database.close()


def test_a_lost_connection_is_told_until_the_end(database: MysqlDatabase) -> None:
    """The rows of the baseline went with it."""
    own: Any = database._own
    database._connected_server().kill(own.thread_id())
    for _ in range(2):
        with pytest.raises(GreenroomError, match="GR026"):
            database.reset()


def test_who_asks_about_other_databases_is_not_disconnected(database: MysqlDatabase) -> None:
    """The server shows him as being in each whose tables it opens, and he may be another run's."""
    server, ended = database._connected_server(), threading.Event()
    failed: list[Exception] = []

    def asks() -> None:
        other = server.connect()
        server._own.clear()
        try:
            while not ended.is_set():
                with other.cursor() as cursor:
                    cursor.execute(
                        "SELECT count(action_statement) FROM information_schema.triggers"
                    )
        except pymysql.MySQLError as error:
            failed.append(error)
        other.close()

    thread = threading.Thread(target=asks)
    thread.start()
    for _ in range(300):
        server.disconnect(database.name)
    ended.set()
    thread.join()
    assert failed == []


def procedures() -> set[str]:
    """What lies in greenroom's own database."""
    server = Server(make_url(MARIADB_SERVER), "here")
    found = set(server._procedures())
    server.close()
    return found


def test_a_clone_leaves_nothing_in_greenrooms_own_database(database: MysqlDatabase) -> None:
    """Also the procedures of layers go with it."""
    write(database, ["INSERT INTO parents (name) VALUES ('layer')"])
    database.layers.push("a fixture")
    database.clone()
    mine = {one for one in procedures() if one.startswith(f"{database.name}_")}
    assert mine
    database.end_clone(keep=False)
    assert not mine & procedures()


def test_a_sweep_drops_the_procedures_of_databases_that_are_no_more(make: Make) -> None:
    """As an earlier version of greenroom left them."""
    database = make()
    database.open()
    left = f"greenroom_clone_{id(database):x}_layer_1"
    server = database._connected_server()
    server.do(f"CREATE PROCEDURE greenroom_registry.`{left}`() BEGIN END")
    write(database, ["CREATE TABLE one (id int)"])
    database.take_origin()
    own = {one for one in procedures() if one.startswith(f"{database.name}_")}
    server.sweep()
    assert left not in procedures()
    assert own <= procedures()
    database.close()


@pytest.mark.parametrize("tables", [5, 150])
def test_a_reset_is_one_round_trip(
    make: Make, monkeypatch: pytest.MonkeyPatch, tables: int
) -> None:
    """However many tables there are, and whether or not they were written."""
    database = make()
    database.open()
    write(
        database,
        [
            f"CREATE TABLE t{n} (id int AUTO_INCREMENT PRIMARY KEY, name varchar(9))"
            for n in range(tables)
        ],
    )
    write(database, ["INSERT INTO t0 (name) VALUES ('baseline')"])
    database.take_baseline()
    database.reset()
    sent: list[object] = []
    execute = pymysql.cursors.Cursor.execute

    def counted(own: Any, query: Any, args: Any = None) -> Any:
        sent.append(query)
        return execute(own, query, args)

    for statements in ([], [f"INSERT INTO t{n} (name) VALUES ('x')" for n in range(tables)]):
        write(database, statements)
        sent.clear()
        with monkeypatch.context() as patch:
            patch.setattr(pymysql.cursors.Cursor, "execute", counted)
            assert database.reset() is Reset.CLEAN
        assert len(sent) == 1, sent
    database.close()


DOUBLED = [
    "CREATE TABLE doubled (a int, twice int AS (a * 2) STORED) PARTITION BY RANGE (a) "
    "(PARTITION p1 VALUES LESS THAN (10), PARTITION p2 VALUES LESS THAN (20))",
    "CREATE TABLE strict (a int, KEY by_a (a), CONSTRAINT small CHECK (a < 9))",
    "CREATE PROCEDURE told(a int) SELECT a",
]
#: What only one of the two products has.
DEFINITIONS_OF_ONE = (
    [
        "ALTER TABLE strict ALTER INDEX by_a INVISIBLE",
        "ALTER TABLE strict ALTER CHECK small NOT ENFORCED",
        "ALTER TABLE strict DROP KEY by_a, ADD KEY by_a ((a + 1))",
    ]
    if IS_MYSQL
    else [
        "ALTER TABLE strict ALTER INDEX by_a IGNORED",
        "ALTER SEQUENCE numbers INCREMENT BY 5",
        "CREATE OR REPLACE PROCEDURE told(a int, b int) SELECT a",
    ]
)


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE versions CONVERT TO CHARACTER SET latin1 COLLATE latin1_bin",
        "CREATE EVENT nightly ON SCHEDULE EVERY 1 DAY DO DELETE FROM keyless",
        "ALTER TABLE keyless ADD CONSTRAINT short CHECK (length(what) < 10)",
        "ALTER TABLE entries MODIFY id int NOT NULL COMMENT 'x', DROP PRIMARY KEY",
        "ALTER TABLE doubled MODIFY twice int AS (a * 3) STORED",
        "ALTER TABLE doubled PARTITION BY HASH (a) PARTITIONS 3",
        "ALTER TABLE doubled DROP PARTITION p2",
        "ALTER TABLE strict ENGINE = MyISAM",
        "ALTER TABLE strict COMMENT 'of a test'",
        "ALTER DATABASE CHARACTER SET latin1",
        "ALTER PROCEDURE told COMMENT 'of a test'",
        *DEFINITIONS_OF_ONE,
    ],
)
def test_each_definition_tells_one_state_from_another(
    database: MysqlDatabase, statement: str
) -> None:
    """Collations, events and CHECKs among them."""

    def told() -> str:
        return definitions(database._place_now().connection, database.name)

    write(database, DOUBLED)
    before = told()
    write(database, [*WRITES["an insert"], *WRITES["an id that was used up"]])
    assert told() == before
    write(database, [statement])
    assert told() != before
