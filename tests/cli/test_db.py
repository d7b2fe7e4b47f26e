"""`greenroom db`: what greenroom made is shown and removed, and nothing else."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url

from greenroom.cli.main import main
from greenroom.database.mark import Mark
from greenroom.database.postgresql.server import Server


@pytest.fixture
def server(postgresql_url: str) -> Server:
    """A server with something of everybody's."""
    return Server(make_url(postgresql_url), "here")


def test_what_is_not_in_use_is_shown_and_removed(
    server: Server, postgresql_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A database in use, an adopted one and an unmarked one stay."""
    names = [f"greenroom_cli_{what}" for what in ("used", "left", "adopted", "mine")]
    server.create(names[0], Mark("test", project="/shop", used=1.0))
    server.create(names[1], Mark("template", project="/shop", complete=True, used=1.0))
    server.create(names[2], Mark("adopted"))
    server.release(names[1])
    server.release(names[2])
    server.admin.execute(f'CREATE DATABASE "{names[3]}"'.encode())

    assert main(["db", "list", postgresql_url]) == 0
    shown = {line.split()[0]: line for line in capsys.readouterr().out.splitlines()}
    assert "test" in shown[names[0]]
    assert "in use" in shown[names[0]]
    assert "template" in shown[names[1]]
    assert "/shop" in shown[names[1]]
    assert names[3] not in shown

    assert main(["db", "clean", postgresql_url]) == 0
    assert f"dropped {names[1]}" in capsys.readouterr().out
    rows = server.admin.execute("SELECT datname FROM pg_database").fetchall()
    there = sorted(name for (name,) in rows if name in names)
    for name in there:
        server.admin.execute(f'DROP DATABASE "{name}"'.encode())
    server.close()
    assert there == sorted([names[0], names[2], names[3]])


def test_the_server_is_the_one_that_the_project_names(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    postgresql_url: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """In `[tool.greenroom]` or in the environment; without one, only the cache is looked at."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert main(["db", "list"]) == 0
    assert "no database" in capsys.readouterr().out
    kept = tmp_path / "cache" / "greenroom" / "postgresql-1" / "abc"
    kept.mkdir(parents=True)
    kept.with_name("abc.project").write_text("/shop")
    assert main(["db", "list"]) == 0
    assert "/shop" in capsys.readouterr().out
    monkeypatch.setenv("GREENROOM_DATABASE", postgresql_url)
    assert main(["db", "clean"]) == 0
    assert "dropped abc" in capsys.readouterr().out
    assert not kept.exists()


def test_a_database_is_adopted_after_a_yes(
    postgresql_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It asks; a no changes nothing; without a terminal it wants --yes."""
    url = make_url(postgresql_url).set(database="to_adopt", password="geheim")  # noqa: S106
    text = url.render_as_string(hide_password=False)
    folder = str(url.query["host"])
    with psycopg.connect(
        host=folder, user="postgres", dbname="postgres", autocommit=True
    ) as connection:
        connection.execute("CREATE DATABASE to_adopt")
        assert main(["db", "adopt", text]) == 1
        assert "--yes" in capsys.readouterr().err
        monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
        for answer, code in (("n", 1), ("y", 0)):
            monkeypatch.setattr("builtins.input", lambda _, answer=answer: answer)
            assert main(["db", "adopt", text]) == code
        said = capsys.readouterr()
        assert "is adopted" in said.out
        assert "geheim" not in said.out + said.err
        assert main(["db", "list", postgresql_url]) == 0
        assert "to_adopt" in capsys.readouterr().out
        connection.execute("DROP DATABASE to_adopt")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["list", "no url:geheim"], "GR005 that is not the URL of a server"),
        (["list", "oracle://me:geheim@host/x"], "GR005 oracle"),
        (["list", "postgresql://me:geheim@127.0.0.1:1/x"], "GR026"),
        (["list", "mysql://me:geheim@127.0.0.1:1/x"], "GR026"),
        (["list", "postgresql://me:geheim@127.0.0.1:port/x"], "GR005"),
        (["adopt", "postgresql://me:geheim@127.0.0.1/template1", "--yes"], "GR029 template1"),
        (["adopt", "postgresql://me:geheim@127.0.0.1:1/shop", "--yes"], "GR026"),
        (["adopt", "mysql://me:geheim@127.0.0.1/x", "--yes"], "GR026"),
        (["adopt", "postgresql://127.0.0.1:1/x?user=me&password=geheim"], "GR029 adopting"),
        (["open", "greenroom_clone_x"], "GR029 no database is kept for"),
    ],
)
def test_what_cannot_be_done_is_told_without_a_password(
    arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """And without a traceback."""
    assert main(["db", *arguments]) == 1
    said = capsys.readouterr()
    assert says in said.err
    assert "geheim" not in said.err + said.out


def test_it_is_a_command_and_a_module() -> None:
    """With a help, and 2 for wrong arguments."""
    for command in (["greenroom"], [sys.executable, "-m", "greenroom"]):
        program = str(Path(sys.executable).with_name(command[0])) if len(command) == 1 else ""
        call = [program] if program else command
        helped = subprocess.run(
            [*call, "db", "--help"], capture_output=True, text=True, check=False
        )
        assert helped.returncode == 0
        assert "adopt" in helped.stdout
        assert subprocess.run([*call, "nonsense"], capture_output=True, check=False).returncode == 2
