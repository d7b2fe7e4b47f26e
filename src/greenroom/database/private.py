"""What every dialect does for a test: one of the app's databases, as a private one.

The rest of greenroom speaks to this alone; which server or file stands behind it is the dialect's
own knowledge.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from enum import Enum
from typing import TYPE_CHECKING, Any

from greenroom.database.layers import Layers

if TYPE_CHECKING:
    from sqlalchemy.engine import URL, Engine
    from sqlalchemy.engine.interfaces import Dialect


class Reset(Enum):
    """What a reset found, and what the caller has to do about it."""

    #: Nobody was in the way.
    CLEAN = "clean"
    #: Somebody had left a transaction open; it was rolled back.
    ROLLED_BACK = "rolled back"
    #: Somebody had left one open, and connections were closed for it: pools must be dropped.
    MOVED = "moved"
    #: The tables had been changed: the database is made anew, and pools must be dropped.
    REMADE = "remade"
    #: The same, and the app must start again: what its start-up had made is gone.
    EMPTIED = "emptied"


class PrivateDatabase(ABC):
    """One of the app's databases, as one that only this process uses."""

    #: Its name and version, for the header.
    product: str
    #: Where it is, for the header and for messages. Never with a password.
    place: str
    #: Whether its connections go over to another process, and must be closed there and here.
    on_a_server: bool = True
    #: Whether its engines share one connection now, which any of their threads may use.
    is_shared: bool = False
    #: What `reset` would need and can't have; None if nothing is missing.
    no_reset: str | None = None
    #: Whether the tables in an adopted database are somebody else's, and stay.
    keeps_tables: bool = False
    #: What fixtures of a higher scope have committed.
    layers: Layers
    #: Closes the app's pooled connections. Called before the server would end them: a driver that
    #: finds its connection ended says so in the app's log.
    let_go: Callable[[], None] = staticmethod(lambda: None)

    # -- leading the app there ---------------------------------------------------------------------

    @property
    @abstractmethod
    def is_open(self) -> bool:
        """Whether `url` can be asked for."""

    @abstractmethod
    def open(self) -> None:
        """Have it exist, if only empty. Raises GreenroomError."""

    @abstractmethod
    def url(self, url: URL) -> URL:
        """The app's URL, leading to this database. The database must be open."""

    @abstractmethod
    def lead(self, dialect: Dialect, arguments: list[Any], keywords: dict[str, Any]) -> None:
        """Change a driver's arguments so that they lead here, and keep what else they say."""

    @abstractmethod
    def blocking(self, told: Mapping[str, Any]) -> tuple[URL, Callable[..., Any]]:
        """A way to connect for code that can't await, and a URL: its dialect, and what else decides where tables go.

        :param told: what the app's own driver is called with: what it sets in a session is set here as well.
        """

    def watch(self, engine: Engine) -> None:  # noqa: B027 - most dialects have no need to
        """See what an engine that leads here does, where the dialect needs to."""

    # -- its contents ------------------------------------------------------------------------------

    @abstractmethod
    def build(self, fingerprint: str | None, make: Callable[[], None], *, rebuild: bool) -> bool:
        """Have the tables in it.

        :param fingerprint: of what the tables are made from; None if it can't be known.
        :param make: makes them, through connections that lead here.
        :param rebuild: whether a template of an earlier run is ignored.
        :returns: whether they were there already, in a template of an earlier run.
        :raises GreenroomError: if they can't be made.
        """

    def empty(self) -> None:  # noqa: B027 - only a taken template's tables are ever too many
        """Drop what an earlier run has made in it."""

    @abstractmethod
    def is_empty(self) -> bool:
        """Whether there is no table, view or index in it."""

    @property
    @abstractmethod
    def has_baseline(self) -> bool:
        """Whether `reset` has something to go back to."""

    @abstractmethod
    def version(self) -> object | None:
        """A value that changes whenever another connection commits; None if it isn't known.

        It never waits: the loop that would wait may be the one that the commit needs.
        """

    def writes(self) -> object | None:
        """A value that differs if anybody has written meanwhile, and may differ otherwise too."""
        return self.version()

    @abstractmethod
    def take_origin(self) -> None:
        """Make the state of now the one that a start-up begins from."""

    @abstractmethod
    def take_baseline(self) -> None:
        """Make the state of now the one that every test begins from."""

    @abstractmethod
    def rewind(self) -> Reset:
        """Go back to the state before the app's start-up, which is about to run again."""

    @abstractmethod
    def reset(self) -> Reset:
        """Go back to the baseline if anything was written since. Raises GreenroomError."""

    @abstractmethod
    def roll_back(self) -> bool:
        """End the transactions that were left open; whether there were any."""

    @abstractmethod
    def clone(self) -> None:
        """Go on with a database that is like the baseline, and that `end_clone` drops."""

    @abstractmethod
    def end_clone(self, *, keep: bool) -> str | None:
        """Go back to the database from before `clone`; the kept one's address if it is kept."""

    @abstractmethod
    def clone_address(self) -> str | None:
        """Where the clone is found after the run, if it is kept; None if there is no clone now."""

    @abstractmethod
    def close(self) -> None:
        """Remove it. Calling it twice is harmless."""
