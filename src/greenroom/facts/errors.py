"""What can go wrong, each with a code that stays the same for ever.

An error says what happened, why, and what to do. `docs/errors.md` has a section for each code.
"""

from __future__ import annotations

from enum import Enum
from typing import Self


class Code(Enum):
    """The stable codes, each with what it stands for. A retired code is never used again."""

    NO_APP = "GR001", "No app was found"
    APP_IMPORT = "GR002", "The app can't be imported"
    NOT_AN_APP = "GR003", "The attribute isn't an app"
    TWO_APPS = "GR004", "Two apps could be meant"
    CONFIGURATION = "GR005", "The configuration has mistakes"
    ENV_FILE = "GR006", "The environment file can't be used"
    MARKER = "GR007", "A marker is used wrongly"
    INACTIVE = "GR008", "greenroom isn't active"
    START_UP = "GR010", "The app's start-up or shut-down failed"
    DIALECT = "GR012", "The database isn't supported yet"
    NO_ENGINE = "GR013", "There is no engine"
    REFUSED = "GR014", "A connection to the app's own database was refused"
    NO_TABLES = "GR015", "No table is known"
    FOLDER = "GR016", "No folder for the test databases"
    BUSY = "GR017", "The database can't be reset"
    SCHEMA = "GR018", "The tables can't be made"
    WRONG_CLIENT = "GR019", "`sync_client` in async code"
    OVERRIDE = "GR020", "An override can't be set"
    LEFT_OPEN = "GR021", "A test left a transaction open"
    RUN_OVER = "GR022", "A connection after the run"
    DISK_FULL = "GR023", "The disk is full"
    NO_ANSWER = "GR024", "The app didn't answer"
    LEFT_RUNNING = "GR025", "A test left work running"
    SERVER = "GR026", "The server doesn't work"
    NO_SERVER = "GR027", "There is no server"
    MAY_NOT_CREATE = "GR028", "Greenroom may not create databases on the server"
    NOT_OURS = "GR029", "That database isn't greenroom's to use"
    EXTRA = "GR030", "An extra isn't installed"
    MIGRATION = "GR031", "A migration failed"
    SANDBOX = "GR032", "The isolation `rollback` can't be truthful here"
    LAYER = "GR033", "What a fixture of a higher scope has committed can't be kept"
    RAW = (
        "GR034",
        "A connection that the app opens by a driver itself can't be led to the test database",
    )
    HANGS = "GR035", "A request took too long"
    LEFT_CHANGED = "GR036", "A test left something changed"
    NOT_RETURNED = "GR037", "A test left a connection checked out"
    OPENAPI = "GR038", "An OpenAPI document can't be built"
    OUTCOME = "GR039", "An outcome file can't be used"
    CONTRACT = "GR040", "An answer broke the app's contract"
    QUERIES = "GR041", "Requests have sent another number of statements than `queries` allows"
    GATE = "GR042", "The run fails although its tests may not have"
    PAYLOAD = "GR043", "No valid payload can be made of a model"
    CLOCK = "GR044", "The `clock` was given something that is no moment"
    OUTGOING = "GR045", "A connection to another machine was refused"
    OUTBOUND = "GR046", "A fake service doesn't fit what was called"
    MAIL = "GR047", "There isn't one message"
    SLEEP = "GR048", "A test really slept"
    SETTINGS = "GR049", "A setting can't be set"
    MAKE = "GR050", "A row or a body can't be made"
    CALLER = "GR051", "A caller can't be made"
    CHECK = "GR052", "An automatic check failed"
    INIT = "GR053", "greenroom init can't go on"

    #: What it stands for, a sentence without its full stop.
    title: str

    def __new__(cls, code: str, title: str) -> Self:
        made = object.__new__(cls)
        made._value_ = code
        made.title = title
        return made


class GreenroomError(Exception):
    """A problem that greenroom found: its code, what happened and why, and what to do about it.

    :param code: the stable code.
    :param what: what happened and why, in one or two sentences without a closing line break.
    :param advice: what to do; one sentence or a few lines.
    :param detail: more to read, such as the traceback of the app's own code.
    """

    def __init__(self, code: Code, what: str, advice: str, detail: str = "") -> None:
        super().__init__(code, what, advice, detail)
        self.code = code
        self.what = what
        self.advice = advice
        self.detail = detail

    def __str__(self) -> str:
        lines = [f"{self.code.value} {self.what}", *self.advice.splitlines()]
        text = "\n".join(lines)
        return f"{text}\n\n{self.detail.rstrip()}" if self.detail else text
