"""`greenroom db`: show and remove the databases that greenroom made, and adopt others."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from greenroom.config.project import read_project
from greenroom.config.read import read
from greenroom.facts.errors import Code, GreenroomError

if TYPE_CHECKING:
    from greenroom.database.made import Made


def add_to(commands: Any) -> None:
    """Declare the command and its parts."""
    parser = commands.add_parser("db", help="the databases that greenroom made")
    parts = parser.add_subparsers(dest="part", required=True, metavar="list|clean|open|adopt")
    shown = parts.add_parser("list", help="show them, and whether they are in use")
    shown.set_defaults(run=_list)
    cleaned = parts.add_parser("clean", help="drop all that are not in use, and nothing else")
    cleaned.set_defaults(run=_clean)
    for part in (shown, cleaned):
        part.add_argument(
            "url",
            nargs="?",
            help="the server; else GREENROOM_DATABASE or [tool.greenroom] database",
        )
    opened = parts.add_parser("open", help="start the embedded server with a kept database in it")
    opened.add_argument("name", help="the database's, as the failed test's report tells it")
    opened.set_defaults(run=_open)
    adopted = parts.add_parser("adopt", help="let greenroom use an existing database")
    adopted.add_argument("url", help="the database's URL; its contents will be deleted")
    adopted.add_argument("--yes", action="store_true", help="don't ask")
    adopted.add_argument("--with-rows", action="store_true", help="also if it has rows")
    adopted.set_defaults(run=_adopt)


def _list(chosen: argparse.Namespace) -> int:
    from greenroom.database import made

    found = made.find(_server(chosen.url))
    for one in found:
        print(_line(one))
    if not found:
        print("greenroom has made no database that is still there.")
    return 0


def _clean(chosen: argparse.Namespace) -> int:
    from greenroom.database import made

    dropped = made.clean(_server(chosen.url))
    for one in dropped:
        print(f"dropped {one.name} {one.place}")
    print(f"{len(dropped)} dropped.")
    return 0


def _open(chosen: argparse.Namespace) -> int:
    from greenroom.database import made

    with made.opened(chosen.name, Path.cwd()) as address:
        print(f"{address}\nIt is there until you press Enter.", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            sys.stdin.readline()
    return 0


def _adopt(chosen: argparse.Namespace) -> int:
    from greenroom.database import made

    name = made.name_of(chosen.url)
    if not chosen.yes:
        if not sys.stdin.isatty():
            raise GreenroomError(
                Code.NOT_OURS,
                f"adopting {name} needs a yes: its contents will be deleted by every test run.",
                "Repeat the command with --yes.",
            )
        answer = input(
            f"The contents of {name} will be deleted by every test run. Adopt it? [y/N] "
        )
        if answer.strip().lower() not in {"y", "yes"}:
            print("Nothing was changed.")
            return 1
    made.adopt(chosen.url, with_rows=chosen.with_rows)
    print(f"{name} is adopted. Name it in GREENROOM_DATABASE or [tool.greenroom] database.")
    return 0


def _server(url: str | None) -> str | None:
    """The server that was named, here or in the project's configuration."""
    if url is not None:
        return url
    table = read_project(Path.cwd()).table
    value = read(table or {}, os.environ, {}).database.value
    return value if "://" in value else None


def _line(one: Made) -> str:
    days = int((time.time() - one.used) / 86400) if one.used else None
    used = "" if days is None else "used today" if days == 0 else f"used {days} days ago"
    state = "in use" if one.in_use else used
    return "  ".join(
        part for part in (f"{one.name:44}", f"{one.kind:9}", one.place, state, one.project) if part
    )
