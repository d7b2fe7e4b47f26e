"""Which of somebody else's databases is taken, where greenroom may not create its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from greenroom.database.mark import Mark
from greenroom.facts.errors import Code, GreenroomError

if TYPE_CHECKING:
    from sqlalchemy.engine import URL

#: How many tables a refusal names.
_SHOWN = 5


class Server(Protocol):
    """A server that has adopted databases."""

    url: URL
    place: str

    def adopted(self) -> Mapping[str, Mark]:
        """Those that this user may use, with their marks."""

    def try_hold(self, name: str) -> bool:
        """Hold a database, if nobody else does."""


def take(server: Server, project: str, ways_out: tuple[str, str, str]) -> tuple[str, Mark]:
    """An adopted database that nobody uses now; it is held.

    It is the one that the server's URL names, or one that no other project has used.

    :param ways_out: what is missing, and the two ways to have it, for the error.
    :raises GreenroomError: if there is none.
    """
    named = server.url.database
    adopted = {
        name: mark
        for name, mark in server.adopted().items()
        if name == named or mark.project in {"", project}
    }
    for name, mark in sorted(adopted.items(), key=lambda item: item[0] != named):
        if server.try_hold(name):
            return name, mark
    if adopted:
        raise GreenroomError(
            Code.MAY_NOT_CREATE,
            f"each database that greenroom has adopted {server.place} is in use: "
            f"{', '.join(adopted)}.",
            "Adopt one for each worker (greenroom db adopt URL), or run with fewer: pytest -n 1.",
        )
    lacks, first, second = ways_out
    raise GreenroomError(
        Code.MAY_NOT_CREATE,
        f"greenroom may not create databases {server.place}: {lacks}",
        f"Take one of two ways:\n  {first}\n  {second}",
    )


def is_as_built(mark: Mark, fingerprint: str, *, rebuild: bool) -> bool:
    """Whether an adopted database has the tables of an earlier run, and nothing else.

    :param mark: its mark as it was when it was taken.
    """
    return bool(fingerprint) and mark.fingerprint == fingerprint and mark.complete and not rebuild


def of_the_server(name: str) -> GreenroomError:
    """The error of a database that nobody can give away."""
    return GreenroomError(
        Code.NOT_OURS,
        f"{name} belongs to the server itself.",
        "Create an empty database for the tests, and adopt that.",
    )


def no_clone(place: str) -> GreenroomError:
    """The error of a test that wants a database of its own beside an adopted one."""
    return GreenroomError(
        Code.MAY_NOT_CREATE,
        f"a clone can't be made {place}: greenroom may not create databases there.",
        "Run this test on a server where it may, or under the isolation reset.",
    )


def has_rows(name: str, tables: Sequence[str]) -> GreenroomError:
    """The error of a database that isn't empty, and that nobody has said may be emptied."""
    shown = ", ".join(tables[:_SHOWN])
    return GreenroomError(
        Code.NOT_OURS,
        f"the database {name} has rows, in {shown}{' and more' if len(tables) > _SHOWN else ''}: "
        "greenroom deletes the contents of a database that it adopts.",
        "Name an empty database; or repeat the command with --with-rows if they may be deleted.",
    )
