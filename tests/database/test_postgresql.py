"""A private PostgreSQL database: whatever was written is undone, in one round trip."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import make_url

from greenroom.database import made
from greenroom.database.mark import Mark
from greenroom.database.postgresql import embedded
from greenroom.database.postgresql.control import Control
from greenroom.database.postgresql.database import PostgresDatabase
from greenroom.database.postgresql.server import Server
from greenroom.database.private import Reset
from greenroom.facts.errors import GreenroomError
from greenroom.facts.run import RunIdentity
from tests.harness import until

SCHEMA = """
CREATE TYPE mood AS ENUM ('good', 'bad');
CREATE SCHEMA "Audit Log";
CREATE TABLE parents (id serial PRIMARY KEY, name text UNIQUE, data json, tags text[], mood mood);
CREATE TABLE children (
    id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, parent_id int NOT NULL REFERENCES parents,
    up int REFERENCES children, doubled int GENERATED ALWAYS AS (parent_id * 2) STORED);
CREATE TABLE lonely (id int);
CREATE TABLE a (id int PRIMARY KEY);
CREATE TABLE b (id int PRIMARY KEY, a_id int REFERENCES a);
ALTER TABLE a ADD COLUMN b_id int REFERENCES b;
CREATE TABLE "Audit Log"."Ünï ""quoted"" x" ("Id" bigserial PRIMARY KEY, what text);
CREATE TABLE parts (id int, at date) PARTITION BY RANGE (at);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM ('2020-01-01') TO ('2030-01-01');
CREATE FUNCTION log() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO "Audit Log"."Ünï ""quoted"" x" (what) VALUES (TG_OP); RETURN NULL; END $$;
CREATE TRIGGER logged AFTER INSERT OR UPDATE OR DELETE ON lonely FOR EACH ROW EXECUTE FUNCTION log();
CREATE SEQUENCE numbers START 100 INCREMENT 5;
CREATE SEQUENCE fresh;
CREATE TABLE nothing ();
CREATE FUNCTION has_length(text) RETURNS boolean LANGUAGE sql AS 'SELECT length($1) > 0';
CREATE FUNCTION is_fine(text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RETURN has_length($1); END $$;
CREATE TABLE strict (name text CHECK (is_fine(name)));
CREATE FUNCTION forbid() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    RAISE EXCEPTION 'append only'; END $$;
CREATE TRIGGER appended BEFORE DELETE OR UPDATE ON strict FOR EACH ROW EXECUTE FUNCTION forbid();
CREATE TRIGGER kept BEFORE TRUNCATE ON strict FOR EACH STATEMENT EXECUTE FUNCTION forbid();
CREATE TABLE entries (id int);
CREATE TRIGGER appended BEFORE DELETE OR UPDATE ON entries FOR EACH ROW EXECUTE FUNCTION forbid();
CREATE TRIGGER logged AFTER INSERT OR DELETE ON b FOR EACH ROW EXECUTE FUNCTION log();
ALTER TABLE b ENABLE ALWAYS TRIGGER logged;
CREATE TRIGGER off AFTER INSERT ON a FOR EACH ROW EXECUTE FUNCTION forbid();
ALTER TABLE a DISABLE TRIGGER off;
CREATE TABLE soft (id int, gone boolean DEFAULT false);
CREATE RULE soft_delete AS ON DELETE TO soft DO INSTEAD UPDATE soft SET gone = true;
CREATE TRIGGER replicated AFTER INSERT OR DELETE ON b FOR EACH ROW EXECUTE FUNCTION log();
ALTER TABLE b ENABLE REPLICA TRIGGER replicated;
CREATE DOMAIN short AS text CHECK (length(VALUE) < 30);
CREATE TYPE pair AS (x int, y text);
CREATE TYPE days AS RANGE (subtype = date);
CREATE COLLATION plain FROM "C";
CREATE TEXT SEARCH CONFIGURATION words (COPY = simple);
CREATE OPERATOR === (LEFTARG = text, RIGHTARG = text, FUNCTION = texteq);
CREATE TABLE typed (d short, p pair, m mood, b bytea, n numeric(8, 2), t timestamptz, i interval,
    f float8, g real, bits bit(3), vb varbit, c char(5), q "char", r int4range, mr int4multirange, j jsonb, js json,
    u uuid, ip inet, a int[], w money, po point, ts tsvector, k regclass, na name, ti timetz, da date, bo bool);
CREATE VIEW names AS SELECT name FROM parents;
CREATE MATERIALIZED VIEW kept AS SELECT name FROM parents;
"""
BASELINE = """
INSERT INTO parents (name, data, tags, mood) VALUES ('one', '{"a": 1}', '{x,y}', 'good'), ('two', null, '{}', 'bad');
INSERT INTO children (parent_id) VALUES (1), (2);
INSERT INTO children (parent_id, up) VALUES (1, 1);
INSERT INTO lonely VALUES (1);
INSERT INTO a VALUES (1); INSERT INTO b VALUES (1, 1); UPDATE a SET b_id = 1;
SELECT nextval('numbers');
INSERT INTO nothing DEFAULT VALUES; INSERT INTO nothing DEFAULT VALUES;
INSERT INTO strict VALUES ('fine'); INSERT INTO soft VALUES (1);
INSERT INTO typed VALUES ('a b', '(1,"a ""b"", c")', 'bad', '\xdead00', 12345.60,
    '2026-01-01 12:00:00.123456+02', '1 mon 3 days 04:05:06.7', 0.1, 1e-7, '101', '0110', 'ab', 'q', '[1,5)',
    '{[1,2),[5,6)}', '{"a": [1, null]}', '{ "b":1 }', '6ecd8c99-4036-403d-bf84-cf8400f67836', '10.0.0.1/8', '{{1,2},{3,NULL}}',
    '1.50', '(1.5,2)', 'a:1 fat:2', 'parents', 'na', '12:00:00+02', 'infinity', null);
INSERT INTO typed (d, f) VALUES (E'tab\there\nand \\N', 'NaN');
"""
LOOK = """
SELECT 'parents', p::text FROM parents p UNION ALL SELECT 'children', c::text FROM children c
UNION ALL SELECT 'lonely', l::text FROM lonely l UNION ALL SELECT 'a', a::text FROM a
UNION ALL SELECT 'b', b::text FROM b UNION ALL SELECT 'parts', p::text FROM parts p
UNION ALL SELECT 'log', q::text FROM "Audit Log"."Ünï ""quoted"" x" q
UNION ALL SELECT 'kept', name FROM kept UNION ALL SELECT 'nothing', n::text FROM nothing n
UNION ALL SELECT 'strict', name FROM strict UNION ALL SELECT 'entries', id::text FROM entries
UNION ALL SELECT 'soft', s::text FROM soft s UNION ALL SELECT 'typed', t::text FROM typed t
UNION ALL SELECT tgname, tgenabled::text FROM pg_trigger WHERE NOT tgisinternal
UNION ALL SELECT rulename, ev_enabled::text FROM pg_rewrite WHERE rulename = 'soft_delete'
UNION ALL SELECT 'fresh', last_value || ' ' || is_called FROM fresh
UNION ALL SELECT s.sequencename, s.last_value::text FROM pg_sequences s ORDER BY 1, 2
"""
WRITES = {
    "an insert": "INSERT INTO parents (name) VALUES ('three')",
    "an update": "UPDATE parents SET name = 'ONE' WHERE id = 1",
    "a delete": "DELETE FROM children WHERE id = 2",
    "a replaced row": "DELETE FROM children; DELETE FROM parents WHERE id = 2; "
    "INSERT INTO parents (id, name) VALUES (2, 'two')",
    "json that is no longer null": "UPDATE parents SET data = '{}' WHERE id = 2",
    "a trigger's rows": "INSERT INTO lonely VALUES (2); DELETE FROM lonely",
    "a circle": "INSERT INTO a VALUES (2); INSERT INTO b VALUES (2, 2); UPDATE a SET b_id = 2",
    "a partition": "INSERT INTO parts VALUES (1, '2025-05-05')",
    "rows of many types": "DELETE FROM typed",
    "a type that goes with its tables": "DROP TABLE typed, parents, children CASCADE; DROP TYPE mood",
    "a type that gets another value": "ALTER TYPE mood ADD VALUE 'odd'",
    "a domain that is changed": "ALTER DOMAIN short ADD CHECK (VALUE <> 'x')",
    "an emptied table": "TRUNCATE parents CASCADE",
    "an emptied table whose ids start again": "TRUNCATE parents RESTART IDENTITY CASCADE",
    "a sequence": "SELECT nextval('numbers') FROM generate_series(1, 7)",
    "a sequence that was set": "SELECT setval('numbers', 5000)",
    "a sequence that gave nothing out": "SELECT setval('fresh', 700, false)",
    "a sequence that starts again": "ALTER SEQUENCE fresh RESTART WITH 50",
    "rows without columns": "INSERT INTO nothing DEFAULT VALUES",
    "no rows without columns": "TRUNCATE nothing",
    "a row that a function allows": "INSERT INTO strict VALUES ('more')",
    "rows that no trigger lets go": "INSERT INTO entries VALUES (1), (2)",
    "a row that a rule keeps": "INSERT INTO soft VALUES (2); DELETE FROM soft WHERE id = 1",
    "a trigger that always fires": "INSERT INTO b VALUES (7, 1)",
    "very many rows": "INSERT INTO parents (name) SELECT 'n' || n FROM generate_series(1, 30000) n",
    "very many rows of a child": "INSERT INTO children (parent_id) SELECT 1 FROM generate_series(1, 30000)",
    "an id that was used up": "INSERT INTO parents (name) VALUES ('x'); DELETE FROM parents WHERE name = 'x'",
    "a refreshed view": "INSERT INTO parents (name) VALUES ('v'); REFRESH MATERIALIZED VIEW kept",
    "a new table": "CREATE TABLE more (id int); INSERT INTO more VALUES (1)",
    "a lost table": "DROP TABLE lonely",
    "a new column": "ALTER TABLE parents ADD COLUMN more text DEFAULT 'x'",
    "a new index": "CREATE INDEX more ON parents (mood)",
    "a lost trigger": "DROP TRIGGER logged ON lonely",
    "another function": "CREATE OR REPLACE FUNCTION log() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN RETURN NULL; END $$",
    "a new value of an enum": "ALTER TYPE mood ADD VALUE 'mixed'",
}


def connect(database: PostgresDatabase) -> psycopg.Connection[Any]:
    """As the app would."""
    _, how = database.blocking({})
    connection: psycopg.Connection[Any] = how()
    return connection


def write(database: PostgresDatabase, statements: str) -> None:
    with connect(database) as connection:
        connection.autocommit = True
        connection.execute(statements.encode())


def look(database: PostgresDatabase) -> list[tuple[str, str]]:
    with connect(database) as connection:
        return connection.execute(LOOK.encode()).fetchall()


Make = Callable[[str], PostgresDatabase]


@pytest.fixture
def make() -> Iterator[Make]:
    """Makes private databases on servers by their URLs, and closes what was opened for it."""
    servers: list[Server] = []

    def make_one(url: str) -> PostgresDatabase:
        server = Server(make_url(url), "here")
        servers.append(server)
        return PostgresDatabase(lambda: (server, None), RunIdentity("run", "main", Path("here")), 1)

    yield make_one
    for server in servers:
        server.close()


@pytest.fixture(params=["superuser", "createdb", "adopted"])
def database(
    request: pytest.FixtureRequest, make: Make, postgresql_url: str, createdb_url: str
) -> Iterator[PostgresDatabase]:
    """A database with tables and a baseline, for users with all, some and no rights."""
    url = {"superuser": postgresql_url, "createdb": createdb_url}.get(request.param)
    made = make(url or request.getfixturevalue("limited_url"))
    made.build(f"schema {request.param}", lambda: write(made, SCHEMA), rebuild=False)
    made.take_origin()
    write(made, BASELINE)
    made.take_baseline()
    yield made
    made.close()


@pytest.mark.parametrize("what", WRITES)
def test_whatever_was_written_is_undone(database: PostgresDatabase, what: str) -> None:
    """Twice, since what a reset leaves must be undone as well."""
    before = look(database)
    for _ in range(2):
        write(database, WRITES[what])
        found = database.reset()
        if found is Reset.EMPTIED:  # An adopted database can only be made again from its schema.
            assert len(look(database)) < len(before)
            return
        assert look(database) == before
    write(database, "INSERT INTO parents (name) VALUES ('next')")
    assert ("parents", "(3,next,,,)") in look(database)


@pytest.mark.parametrize("database", ["superuser"], indirect=True)
def test_what_was_not_written_is_not_touched(database: PostgresDatabase) -> None:
    """A row that stays is the same row version: nothing was written."""

    def versions() -> list[Any]:
        with connect(database) as connection:
            return connection.execute("SELECT xmin, ctid FROM parents ORDER BY id").fetchall()

    before = versions()
    write(database, "INSERT INTO a VALUES (7)")
    assert database.reset() is Reset.CLEAN
    assert versions() == before


@pytest.mark.parametrize(("rows", "is_truncated"), [(10, False), (20_000, True)])
def test_a_table_with_very_many_rows_is_truncated(
    database: PostgresDatabase, rows: int, is_truncated: bool
) -> None:
    """It has another file then, and the rows that it had before."""

    def file() -> Any:
        with connect(database) as connection:
            return connection.execute("SELECT pg_relation_filenode('parents')").fetchone()

    before, was = file(), look(database)
    write(database, f"INSERT INTO parents (name) SELECT 'n' || n FROM generate_series(1, {rows}) n")
    database.reset()
    assert look(database) == was
    assert (file() != before) is is_truncated


@pytest.mark.parametrize("database", ["superuser"], indirect=True)
@pytest.mark.parametrize(
    "statement",
    [
        'CREATE COLLATION other FROM "C"',
        "CREATE OPERATOR ==== (LEFTARG = text, RIGHTARG = text, FUNCTION = texteq)",
        "ALTER TEXT SEARCH CONFIGURATION words ALTER MAPPING FOR asciiword WITH english_stem",
        "CREATE PUBLICATION news FOR TABLE parents",
    ],
)
def test_each_definition_tells_one_state_from_another(
    database: PostgresDatabase, statement: str
) -> None:
    """Rows don't."""
    write(database, WRITES["an insert"])
    assert not database._control.differs("greenroom_reset")
    write(database, statement)
    assert database._control.differs("greenroom_reset")


def test_rewind_goes_back_behind_the_start_up(database: PostgresDatabase) -> None:
    """To what the schema alone has made."""
    write(database, WRITES["an insert"])
    database.rewind()
    assert [row for row in look(database) if row[0] == "parents"] == []
    database.reset()
    assert ("parents", '(1,one,"{""a"": 1}","{x,y}",good)') in look(database)


def test_a_transaction_that_was_left_open_is_ended(database: PostgresDatabase) -> None:
    """Its rows are gone, and the reset doesn't wait for it."""
    before = look(database)
    left = connect(database)
    left.execute("UPDATE parents SET name = 'left' WHERE id = 1")
    assert database.reset() is Reset.MOVED
    assert look(database) == before
    with pytest.raises(psycopg.OperationalError):
        left.execute("SELECT 1")
    left.close()


def test_a_transaction_that_only_reads_stays(database: PostgresDatabase) -> None:
    """A session of a fixture that lives longer than a test goes on."""
    reads = connect(database)
    reads.execute("SELECT * FROM parents")
    write(database, WRITES["an insert"])
    assert database.reset() is Reset.CLEAN
    assert reads.execute("SELECT count(*) FROM parents").fetchone() == (2,)
    reads.close()


@pytest.mark.parametrize(
    "lock",
    ["LOCK TABLE parents", "SELECT * FROM parents FOR UPDATE", "SELECT pg_advisory_xact_lock(7)"],
)
def test_a_lock_is_ended(database: PostgresDatabase, lock: str) -> None:
    """Whoever holds it."""
    before = look(database)
    holds = connect(database)
    holds.execute(lock.encode())
    database.roll_back()
    holds_still = connect(database)
    holds_still.execute(b"SET lock_timeout = 5000")
    holds_still.execute(lock.encode())
    write_meanwhile = "INSERT INTO a VALUES (9)"
    write(database, write_meanwhile)
    database.reset()
    assert look(database) == before
    holds.close()
    holds_still.close()


def test_a_commit_that_is_under_way_is_waited_for(database: PostgresDatabase) -> None:
    """And undone like every other one."""
    before = look(database)
    slow = connect(database)
    slow.execute("INSERT INTO lonely VALUES (5)")

    def finish() -> None:
        with slow:
            slow.execute("SELECT pg_sleep(0.05)")

    thread = threading.Thread(target=finish)
    thread.start()
    database.reset()
    thread.join()
    database.reset()
    assert look(database) == before


def test_greenrooms_own_connection_may_be_killed(database: PostgresDatabase) -> None:
    """It comes back, with what it knew."""
    before = look(database)
    write(database, "UPDATE parents SET name = 'changed' WHERE id = 1")
    with connect(database) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    database.reset()
    assert look(database) == before


def test_the_version_moves_when_somebody_commits(database: PostgresDatabase) -> None:
    """And not when somebody only reads."""
    before = database.version()
    look(database)
    assert database.version() == before
    write(database, "INSERT INTO lonely VALUES (9)")
    assert database.version() != before


def test_two_hundred_resets_leave_no_bloat(database: PostgresDatabase) -> None:
    """Dead rows would make each later scan slower."""
    for _ in range(200):
        write(database, "INSERT INTO parents (name) SELECT 'n' || n FROM generate_series(1, 50) n")
        database.reset()
    with connect(database) as connection:
        size = connection.execute("SELECT pg_relation_size('parents')").fetchone()
    assert size is not None
    assert size[0] <= 128 * 8192


def test_an_adopted_database_with_rows_is_refused(make: Make, postgresql_url: str) -> None:
    """Unless it is said that they may be deleted."""
    made_here = make(postgresql_url)
    made_here.open()
    write(made_here, "CREATE TABLE full_of (id int); INSERT INTO full_of VALUES (1)")
    url = make_url(postgresql_url).set(database=made_here.name).render_as_string()
    with pytest.raises(GreenroomError, match=r"GR029 the database .* has rows, in public\.full_of"):
        made.adopt(url, with_rows=False)
    made.adopt(url, with_rows=True)
    assert {one.kind for one in made.find(postgresql_url) if one.name == made_here.name} == {
        "adopted"
    }
    made_here.close()


def test_without_rights_and_without_an_adopted_database_both_ways_are_told(
    make: Make, limited_url: str
) -> None:
    """It is in use, and there is no other."""
    first, second = make(limited_url), make(limited_url)
    first.open()
    with pytest.raises(GreenroomError, match=r"GR028 each database .* is in use") as refused:
        second.open()
    assert "greenroom db adopt" in str(refused.value)
    first.close()
    nobody = make_url(limited_url)
    with psycopg.connect(
        host=str(nobody.query["host"]), user="postgres", dbname="postgres", autocommit=True
    ) as server:
        server.execute(f'COMMENT ON DATABASE "{nobody.database}" IS NULL'.encode())
    with pytest.raises(GreenroomError, match="GR028 greenroom may not create") as refused:
        make(limited_url).open()
    assert "CREATEDB" in str(refused.value)
    assert "greenroom db adopt" in str(refused.value)


def test_a_transaction_of_another_database_is_none_of_its_business(
    database: PostgresDatabase, make: Make, postgresql_url: str
) -> None:
    """Only what is in the way is ended: another run's work on the same server goes on."""
    other = make(postgresql_url)
    other.open()
    works = connect(other)
    works.execute("CREATE TABLE work (id int)")
    left = connect(database)
    left.execute("UPDATE parents SET name = 'left' WHERE id = 1")
    assert database.reset() is Reset.MOVED
    left.close()
    assert works.execute("SELECT count(*) FROM work").fetchone() == (0,)
    works.close()
    other.close()


def test_what_the_start_up_commits_later_is_not_the_baseline(
    database: PostgresDatabase,
) -> None:
    """A transaction that is open when the baseline is taken is ended: its rows would look old."""
    before = look(database)
    held = connect(database)
    held.execute("UPDATE parents SET name = 'held' WHERE id = 1")
    database.take_baseline()
    with pytest.raises(psycopg.OperationalError):
        held.commit()
    held.close()
    write(database, "UPDATE parents SET name = 'changed' WHERE id = 1")
    database.reset()
    assert look(database) == before


def test_a_lost_connection_that_others_notice_first_is_mended_too(
    database: PostgresDatabase,
) -> None:
    """`version` opens it again, without the functions of the reset."""
    before = look(database)
    with connect(database) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    assert database.version() is None
    assert database.version() is not None
    write(database, "UPDATE parents SET name = 'changed' WHERE id = 1")
    database.reset()
    assert look(database) == before


def test_somebody_elses_template_is_not_used(
    make: Make, postgresql_url: str, createdb_url: str
) -> None:
    """It couldn't be copied; and what a dead run of theirs left is theirs to drop."""
    theirs, ours = make(postgresql_url), make(createdb_url)

    def table(database: PostgresDatabase) -> Callable[[], None]:
        return lambda: write(database, "CREATE TABLE shared (id int)")

    assert theirs.build("shared", table(theirs), rebuild=True) is False
    assert ours.build("shared", table(ours), rebuild=False) is False
    theirs.close()
    ours.close()


def test_no_variable_leads_to_another_server(
    make: Make, postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """libpq would follow PGHOSTADDR rather than the host that it is told."""
    monkeypatch.setenv("PGHOSTADDR", "127.0.0.1")
    monkeypatch.setenv("PGPORT", "1")
    monkeypatch.setenv("PGTARGETSESSIONATTRS", "standby")
    monkeypatch.setenv("PGOPTIONS", "-c default_transaction_read_only=on")
    database = make(f"{postgresql_url}&port=5432")
    database.open()
    with connect(database) as connection:
        connection.execute("SET default_transaction_read_only = off")
        assert connection.execute("SELECT current_database()").fetchone() == (database.name,)
    database.close()


def test_what_a_run_was_killed_over_before_it_was_marked_is_dropped(postgresql_url: str) -> None:
    """Its name says whose it is, and that nobody holds it; another's database is left alone."""
    folder = str(make_url(postgresql_url).query["host"])
    names = {
        "greenroom_test_main_1_0a1b2c3d": False,
        "greenroom_clone_gw0_12_0a1b2c3d": False,
        "greenroom_template_0a1b2c3d4e5f_0a1b2c": False,
        "greenroom_test_mine": True,
        "my_greenroom_test_main_1_0a1b2c3d": True,
    }
    with psycopg.connect(host=folder, user="postgres", dbname="postgres", autocommit=True) as admin:
        for name in names:
            admin.execute(f"CREATE DATABASE {name}".encode())
        server = Server(make_url(postgresql_url), "here")
        server.sweep()
        server.close()
        rows = admin.execute("SELECT datname FROM pg_database").fetchall()
        left = {str(name) for (name,) in rows}
        assert {name: name in left for name in names} == names
        for name, stays in names.items():
            if stays:
                admin.execute(f"DROP DATABASE {name}".encode())


def test_what_is_in_use_is_seen_from_each_database(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Locks are a database's own, and where nobody may connect to `postgres` each project has another door."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    run = embedded.join(uuid.uuid4().hex, Path("doors"), None)
    folder = str(run.folder)
    with psycopg.connect(host=folder, user="postgres", dbname="postgres", autocommit=True) as admin:
        admin.execute("CREATE ROLE maker LOGIN CREATEDB")
        admin.execute("REVOKE CONNECT ON DATABASE postgres FROM PUBLIC")
        for door in ("one", "two"):
            admin.execute(f"CREATE DATABASE {door} OWNER maker".encode())
    one, two = (
        Server(make_url(f"postgresql://maker@/{door}?host={folder}"), "here")
        for door in ("one", "two")
    )
    one.create("greenroom_test_main_1_0a1b2c3d", Mark("test"))
    try:
        assert two.sweep() == []
        assert not two.try_hold("greenroom_test_main_1_0a1b2c3d")
        one.close()
        assert until(lambda: two.sweep() == ["greenroom_test_main_1_0a1b2c3d"])
    finally:
        one.close()
        two.close()
        run.leave()


def test_rows_that_a_policy_hides_are_rows(limited_url: str) -> None:
    """Whoever can't see whether there are any doesn't adopt it."""
    url = make_url(limited_url)
    folder, name = str(url.query["host"]), str(url.database)
    with psycopg.connect(host=folder, user=name, dbname=name, autocommit=True) as own:
        own.execute("CREATE TABLE notes (id int)")
        own.execute("INSERT INTO notes VALUES (1)")
        own.execute("ALTER TABLE notes ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY")
    with pytest.raises(GreenroomError, match=r"GR029 whether limited_.* has rows can't be seen"):
        made.adopt(limited_url, with_rows=False)
    with psycopg.connect(host=folder, user="postgres", dbname=name, autocommit=True) as admin:
        admin.execute("CREATE TABLE secrets (id int)")
        admin.execute("ALTER TABLE notes NO FORCE ROW LEVEL SECURITY")
        admin.execute("TRUNCATE notes")
    with pytest.raises(GreenroomError, match="permission denied for table secrets"):
        made.adopt(limited_url, with_rows=False)


def test_an_adopted_database_may_belong_to_somebody_else(make: Make, postgresql_url: str) -> None:
    """An administrator has made it, and has marked it by the statement that `db adopt` tells."""
    name = "not_mine"
    folder = str(make_url(postgresql_url).query["host"])
    with psycopg.connect(host=folder, user="postgres", dbname="postgres", autocommit=True) as admin:
        admin.execute(f"CREATE ROLE {name} LOGIN".encode())
        admin.execute(f"CREATE DATABASE {name}".encode())
        url = f"postgresql://{name}@/{name}?host={folder}"
        with pytest.raises(GreenroomError, match="GR028 only the owner") as refused:
            made.adopt(url, with_rows=False)
        statement = str(refused.value).partition("Have the owner run: ")[2]
        admin.execute(statement.encode())
        # Who may do no more in it than everybody takes it only where his URL names it.
        other = Server(make_url(url).set(database="postgres"), "here")
        assert name not in other.adopted()
        other.close()
        database = make(url)
        database.open()
        assert database.name == name
        database.close()
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())
        admin.execute(f"DROP ROLE {name}".encode())


def test_the_adopted_database_is_the_one_that_the_url_names(
    make: Make, postgresql_url: str
) -> None:
    """Another project's is left alone; one that nobody has used may serve a second worker."""
    folder = str(make_url(postgresql_url).query["host"])
    names = ["ours_a", "ours_b", "theirs"]
    with psycopg.connect(host=folder, user="postgres", dbname="postgres", autocommit=True) as admin:
        admin.execute(b"CREATE ROLE ours LOGIN")
        for name in names:
            admin.execute(f"CREATE DATABASE {name} OWNER ours".encode())
            made.adopt(f"postgresql://ours@/{name}?host={folder}", with_rows=False)
        text = Mark("adopted", project="/theirs").text().replace("'", "''")
        admin.execute(f"COMMENT ON DATABASE theirs IS '{text}'".encode())
        first, second, third = (make(f"postgresql://ours@/ours_b?host={folder}") for _ in range(3))
        first.open()
        second.open()
        assert [first.name, second.name] == ["ours_b", "ours_a"]
        with pytest.raises(
            GreenroomError, match=r"GR028 each database .* is in use: ours_a, ours_b"
        ):
            third.open()
        first.close()
        second.close()
        for name in names:
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())
        admin.execute(b"DROP ROLE ours")


def test_an_adopted_database_over_which_a_run_was_killed_is_built_anew(
    make: Make, limited_url: str
) -> None:
    """Its tables are trusted after a run that has left it as it was built, and after no other."""

    def build(database: PostgresDatabase) -> bool:
        return database.build("the same", lambda: write(database, SCHEMA), rebuild=False)

    first = make(limited_url)
    assert build(first) is False
    first.take_origin()
    first.close()
    first._connected_server().close()

    killed = make(limited_url)
    assert build(killed) is True
    write(killed, WRITES["an insert"])
    killed._control.close()
    killed._connected_server().close()

    third = make(limited_url)
    assert until(
        lambda: third._connected_server().try_hold(third._connected_server().url.database or "")
    )
    third._connected_server().release(third._connected_server().url.database or "")
    assert build(third) is False
    third.close()


@pytest.mark.parametrize("tables", [5, 150])
def test_a_reset_is_one_round_trip(
    make: Make, postgresql_url: str, monkeypatch: pytest.MonkeyPatch, tables: int
) -> None:
    """However many tables there are, and whether or not they were written."""
    database = make(postgresql_url)
    schema = "".join(
        f"CREATE TABLE t{n} (id serial PRIMARY KEY, name text);" for n in range(tables)
    )
    database.build(None, lambda: write(database, schema), rebuild=False)
    write(database, "INSERT INTO t0 (name) VALUES ('baseline')")
    database.take_baseline()
    database.reset()
    asked: list[object] = []
    ask, execute = Control.ask, psycopg.Connection.execute

    def counted_ask(own: Any, question: str) -> str:
        asked.append(question)
        return ask(own, question)

    def counted_execute(own: Any, *args: Any, **options: Any) -> Any:
        asked.append(args[0])
        return execute(own, *args, **options)

    for statements in (
        "",
        "".join(f"INSERT INTO t{n} (name) VALUES ('x');" for n in range(tables)),
    ):
        if statements:
            write(database, statements)
        asked.clear()
        with monkeypatch.context() as patch:
            patch.setattr(Control, "ask", counted_ask)
            patch.setattr(psycopg.Connection, "execute", counted_execute)
            assert database.reset() is Reset.CLEAN
        assert len(asked) == 1
    with connect(database) as connection:
        assert connection.execute("SELECT id, name FROM t0").fetchall() == [(1, "baseline")]
        assert connection.execute(f"SELECT count(*) FROM t{tables - 1}".encode()).fetchone() == (0,)
    database.close()


def test_the_fingerprint_of_a_template_knows_the_server(
    postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another version, or another set of extensions, may make other tables."""
    server = Server(make_url(postgresql_url), "here")
    before = server.fingerprint("schema")
    assert before == server.fingerprint("schema") != server.fingerprint("other")
    with monkeypatch.context() as patch:
        patch.setitem(vars(server), "version", "99.1")
        assert server.fingerprint("schema") != before
    assert server.fingerprint("schema") == before
    monkeypatch.setattr(server, "_one", lambda question: "plpgsql 1.0,postgis 3.5")
    assert server.fingerprint("schema") != before
    server.close()


def test_a_layer_in_which_nothing_was_written_is_none(make: Make, postgresql_url: str) -> None:
    """The server's own number of transactions moves with what others do there."""
    database = make(postgresql_url)
    database.build(None, lambda: write(database, "CREATE TABLE t (id serial)"), rebuild=False)
    database.take_baseline()
    assert not database.layers.push("a fixture that read")
    assert database.layers.top == "greenroom_reset"
    write(database, "INSERT INTO t DEFAULT VALUES")
    assert database.layers.push("a fixture that wrote")
    assert not database.layers.push("another one that read")
    database.layers.pop("a fixture that wrote")
    database.reset()
    with connect(database) as connection:
        assert connection.execute("SELECT count(*) FROM t").fetchone() == (0,)
    database.close()
