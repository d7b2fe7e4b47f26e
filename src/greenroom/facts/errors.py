"""What can go wrong, each with a code that stays the same for ever.

An error says what happened, why, and what to do. `docs/errors.md` has a section for each code.
"""

from __future__ import annotations

from enum import Enum


class Code(Enum):
    """The stable codes. A retired code is never used again."""

    NO_APP = "GR001"
    APP_IMPORT = "GR002"
    NOT_AN_APP = "GR003"
    TWO_APPS = "GR004"
    CONFIGURATION = "GR005"
    ENV_FILE = "GR006"
    MARKER = "GR007"
    INACTIVE = "GR008"
    START_UP = "GR010"
    DIALECT = "GR012"
    NO_ENGINE = "GR013"
    REFUSED = "GR014"
    NO_TABLES = "GR015"
    FOLDER = "GR016"
    BUSY = "GR017"
    SCHEMA = "GR018"
    WRONG_CLIENT = "GR019"
    OVERRIDE = "GR020"
    LEFT_OPEN = "GR021"
    RUN_OVER = "GR022"
    DISK_FULL = "GR023"
    NO_ANSWER = "GR024"
    LEFT_RUNNING = "GR025"
    SERVER = "GR026"
    NO_SERVER = "GR027"
    MAY_NOT_CREATE = "GR028"
    NOT_OURS = "GR029"
    EXTRA = "GR030"
    MIGRATION = "GR031"
    SANDBOX = "GR032"
    LAYER = "GR033"
    RAW = "GR034"
    HANGS = "GR035"
    LEFT_CHANGED = "GR036"
    NOT_RETURNED = "GR037"
    OPENAPI = "GR038"
    OUTCOME = "GR039"
    CONTRACT = "GR040"
    QUERIES = "GR041"
    GATE = "GR042"
    PAYLOAD = "GR043"
    CLOCK = "GR044"
    OUTGOING = "GR045"
    OUTBOUND = "GR046"
    MAIL = "GR047"
    SLEEP = "GR048"
    SETTINGS = "GR049"
    MAKE = "GR050"
    CALLER = "GR051"
    CHECK = "GR052"


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
