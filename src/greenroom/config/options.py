"""The options: each is declared here once, and everything else is derived from the declaration.

The key in `[tool.greenroom]`, the environment variable, the command-line flag, the help text, the
check of the value and the reference in the docs all come from `OPTIONS`.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from pathlib import PurePath
from typing import NamedTuple

from greenroom.facts.isolation import ACCEPTED as ISOLATIONS
from greenroom.facts.isolation import Isolation
from greenroom.facts.outgoing import Outgoing
from greenroom.facts.sleep import MODES as SLEEPS

#: The public fixtures, whose request says that a suite uses greenroom.
FIXTURES = (
    "app",
    "client",
    "sync_client",
    "client_factory",
    "db_session",
    "session_factory",
    "overrides",
    "live_server",
    "queries",
    "clock",
    "outbound",
    "mailbox",
    "settings",
    "fake_redis",
    "make",
    "auth_client",
    "fuzz",
)


class RejectedError(ValueError):
    """A value that an option doesn't accept; the text says what it does accept."""


class Option(NamedTuple):
    """One option of greenroom, as it is declared.

    :param key: its name in `[tool.greenroom]`.
    :param default: its value where nobody says anything.
    :param accepts: the accepted values, in words.
    :param help: what it decides, in one sentence.
    :param parse: turns what was written into the value, or raises `RejectedError`.
    """

    key: str
    default: object
    accepts: str
    help: str
    parse: Callable[[object], object]

    @property
    def field(self) -> str:
        """The attribute of `Settings` that holds its value."""
        return self.key.replace("-", "_")

    @property
    def variable(self) -> str:
        """The environment variable that sets it."""
        return f"GREENROOM_{self.field.upper()}"

    @property
    def flag(self) -> str:
        """The command-line flag that sets it."""
        return f"--greenroom-{self.key}"


def _text(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise RejectedError(f"{value!r} is not a non-empty string")
    return value.strip()


_APP = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*(\(.*\))?\Z", re.DOTALL)
_SERVER = re.compile(r"(postgresql|postgres|mysql|mariadb)(\+\w+)?://")
_ATTRIBUTE = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*\Z")


def _app(value: object) -> str:
    text = _text(value)
    if (
        not _APP.match(text)
        or text.partition(":")[0].endswith(".py")
        or not _has_plain_arguments(text.partition(":")[2])
    ):
        raise RejectedError(f"{text!r} is not of that form")
    return text


def _has_plain_arguments(call: str) -> bool:
    """Whether a factory is called with plain values by name, or it isn't a call."""
    try:
        parsed = ast.parse(call, mode="eval").body
        if isinstance(parsed, ast.Call):
            for one in parsed.keywords:
                ast.literal_eval(one.value)
            return not parsed.args and all(one.arg for one in parsed.keywords)
    except (SyntaxError, ValueError):
        return False
    return True


def _isolation(value: object) -> Isolation:
    text = _text(value)
    if text not in ISOLATIONS:
        raise RejectedError(f"{text!r} is not one of them")
    return Isolation(text)


def _database(value: object) -> str:
    text = _text(value)
    if text not in {"auto", "embedded"} and not _SERVER.match(text):
        # Not the text itself: it may hold a password.
        raise RejectedError("that is not of that form")
    return text


def _schema(value: object) -> str:
    text = _text(value)
    if text not in {"auto", "alembic", "none"} and not _ATTRIBUTE.match(text):
        raise RejectedError(f"{text!r} is not of that form")
    return text


def _switch(value: object) -> bool:
    if isinstance(value, bool):
        return value
    text = _text(value).lower()
    if text not in {"true", "false", "1", "0"}:
        raise RejectedError(f"{text!r} is neither")
    return text in {"true", "1"}


def _passwords(value: object) -> str:
    text = _text(value)
    if text not in {"cheap", "real"}:
        raise RejectedError(f"{text!r} is neither")
    return text


def _seconds(value: object) -> float:
    try:
        if not isinstance(value, (str, int, float)) or isinstance(value, bool):
            raise TypeError
        seconds = float(value)
    except (TypeError, ValueError):
        raise RejectedError(f"{value!r} is not a number") from None
    if not 0 <= seconds < float("inf"):
        raise RejectedError(f"{value!r} is out of range")
    return seconds


def _contract(value: object) -> str:
    text = _text(value)
    if text not in {"off", "report", "fail"}:
        raise RejectedError(f"{text!r} is none of them")
    return text


def _report(value: object) -> tuple[str, ...]:
    parts = tuple(part.strip() for part in _text(value).split(","))
    for part in parts:
        if part not in {"terminal", "html", "json"} and not part.endswith((".html", ".json")):
            hint = (
                "; to run that path, write it before the flag"
                if PurePath(part).suffix == ""
                else ""
            )
            raise RejectedError(f"{part!r} is none of them{hint}")
    return parts


def _outgoing(value: object) -> Outgoing:
    text = ",".join(map(str, value)) if isinstance(value, list) else _text(value)
    try:
        return Outgoing.parse(text)
    except ValueError as error:
        raise RejectedError(str(error)) from None


def _sleep(value: object) -> str:
    text = _text(value)
    if text not in SLEEPS:
        raise RejectedError(f"{text!r} is none of them")
    return text


_OPERATION = re.compile(r"(GET|POST|PUT|PATCH|DELETE) /\S*\Z", re.IGNORECASE)
_OF_A_USER = re.compile(r"user(\.[A-Za-z_]\w*)+\Z")
_FUNCTION = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*(\(.*\))?\Z", re.DOTALL)


def _caller(value: object) -> str:
    text = _text(value)
    if _OPERATION.match(text) or _OF_A_USER.match(text):
        return text
    try:
        ast.parse(text.partition(":")[2], mode="eval")
    except SyntaxError:
        raise RejectedError(f"{text!r} is not of that form") from None
    if not _FUNCTION.match(text):
        raise RejectedError(f"{text!r} is not of that form")
    return text


def _seed(value: object) -> int:
    try:
        if isinstance(value, bool):
            raise TypeError
        return int(value)  # type: ignore[call-overload, no-any-return]
    except (TypeError, ValueError):
        raise RejectedError(f"{value!r} is no whole number") from None


def _percent(value: object) -> float:
    percent = _seconds(value)
    if percent > 100:  # noqa: PLR2004 - per cent
        raise RejectedError(f"{value!r} is more than 100")
    return percent


def _path(value: object) -> str:
    return str(PurePath(_text(value)))


OPTIONS: tuple[Option, ...] = (
    Option(
        "app",
        None,
        '"module:attribute", "module:factory()" or "module:factory(testing=True)"',
        "The app under test, ASGI or WSGI.",
        _app,
    ),
    Option(
        "database",
        "auto",
        '"auto", "embedded" or the URL of a server',
        "The server on which the test databases are made, beside the one that the URL names.",
        _database,
    ),
    Option(
        "isolation",
        Isolation.RESET,
        " or ".join(f'"{name}"' for name in ISOLATIONS),
        "What becomes of the rows that a test leaves behind.",
        _isolation,
    ),
    Option(
        "schema",
        "auto",
        '"auto", "alembic", "none" or "module:attribute" of a declarative base, a MetaData or a '
        "function",
        "What the tables are made from: auto takes Alembic where the project has it, else the mapped "
        "classes; none leaves that to the app's own start-up.",
        _schema,
    ),
    Option(
        "rebuild",
        False,
        "true or false",
        "Make the tables anew, and don't use a template of an earlier run.",
        _switch,
    ),
    Option(
        "keep",
        False,
        "true or false",
        "Keep the database of a test that failed under the isolation clone, and print its address.",
        _switch,
    ),
    Option(
        "passwords",
        "cheap",
        '"cheap" or "real"',
        "The cost of password hashes (bcrypt, argon2, pwdlib, passlib) while tests run: the least that "
        "the algorithm allows, or what the app says.",
        _passwords,
    ),
    Option(
        "limit",
        30.0,
        "a number of seconds; 0 for none",
        "How long a request by one of greenroom's clients may take before its test fails.",
        _seconds,
    ),
    Option(
        "contract",
        "report",
        '"off", "report" or "fail"; the table has more',
        "What becomes of an answer that isn't what the app declares: nothing, a section at the end, or "
        "a failed test.",
        _contract,
    ),
    Option(
        "report",
        (),
        '"terminal", "html", "json", or files that end so, with commas',
        "What is written of the answers that the suite has shown: the matrix in the terminal, a page, an "
        "outcome that greenroom combine and greenroom diff read.",
        _report,
    ),
    Option(
        "fail-under",
        0.0,
        "a number from 0 to 100",
        "The run fails if a smaller part of the planned answers is covered, in per cent.",
        _percent,
    ),
    Option(
        "outgoing",
        Outgoing(),
        '"block", "allow", or hosts, with commas',
        "Whether tests may connect to other machines: to none, to all, or to those hosts.",
        _outgoing,
    ),
    Option(
        "sleep",
        "report",
        " or ".join(f'"{name}"' for name in SLEEPS),
        "What becomes of a real sleep of more than 0.05 s in a test or in the app.",
        _sleep,
    ),
    Option(
        "caller",
        None,
        '"POST /login", "module:function(user.id)", "module:dependency" or "user.attribute"',
        "How a user becomes a credential for client.as_user: by an operation that logs in, a function that "
        "makes a token, the dependency that gives the user, or what the user holds.",
        _caller,
    ),
    Option(
        "checks",
        False,
        "true or false; the table has more",
        "Add the automatic checks of each operation to the suite's tests.",
        _switch,
    ),
    Option(
        "seed",
        None,
        "a whole number",
        "What the values of make follow from; pytest-randomly's where that is there, else 0.",
        _seed,
    ),
    Option(
        "env-file",
        None,
        "a path, relative to the project",
        "Environment variables that are set before the app is imported; .env.test where it exists.",
        _path,
    ),
    Option(
        "directory",
        None,
        "a path, relative to the project",
        "The folder for the private databases; a memory disk where there is one, else the system's "
        "folder for temporary files.",
        _path,
    ),
)
