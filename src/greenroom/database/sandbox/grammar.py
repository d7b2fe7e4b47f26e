"""What a statement does to a shared connection, as far as its text says.

Where the text doesn't say enough, it is taken for a write: that keeps others waiting, and is never
wrong.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

from greenroom.database.sandbox.harmless import HARMLESS, HARMLESS_PREFIXES
from greenroom.database.statements import may_define


class Kind(Enum):
    """The kinds of statements that a sandbox tells apart."""

    READ = "read"
    WRITE = "write"
    #: Opens a transaction by its own words.
    BEGIN = "begin"
    COMMIT = "commit"
    ROLLBACK = "rollback"
    SAVEPOINT = "savepoint"
    RELEASE = "release"
    #: Changes the connection, and not the database.
    SETTING = "setting"
    #: A setting until the end of the transaction; otherwise like a write.
    LOCAL = "local"
    #: Can't be said truthfully on a shared connection.
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement.

    :param detail: of a setting or a savepoint: its name; of a refused statement: why.
    :param unset: whether a setting goes back to its default.
    :param changes_rows: whether it is an INSERT, UPDATE, DELETE or REPLACE.
    :param text: in lower case, without comments and without what is quoted.
    """

    kind: Kind
    detail: str = ""
    unset: bool = False
    changes_rows: bool = False
    text: str = ""


_QUOTED = re.compile(
    r"--[^\n]*|/\*.*?\*/|\$(?P<tag>\w*)\$.*?\$(?P=tag)\$|[eE]?'(?:[^'\\]|''|\\.)*'", re.DOTALL
)
_CALL = re.compile(r'([a-z_"][\w."]*)\s*\(')
_WORD = re.compile(r"[a-z]+")
_READING = {"select", "values", "table", "show", "describe", "desc", "explain", "with"}
_ROWS = {"insert", "update", "delete", "replace", "merge"}

_REFUSED = [
    (re.compile(r"\bskip\s+locked\b"), "SKIP LOCKED needs rows that another connection has locked"),
    (re.compile(r"\bnowait\b"), "NOWAIT needs rows that another connection has locked"),
    (re.compile(r"^(?:un)?listen\b|^notify\b|\bpg_notify\s*\("), "NOTIFY is sent by a real commit"),
    (
        re.compile(r"\bpg_(?:try_)?advisory_|\bget_lock\s*\(|\brelease_lock\s*\("),
        "a lock of the application's own is held against other connections, and there are none",
    ),
    (
        re.compile(r"^prepare\s+transaction\b|^(?:commit|rollback)\s+prepared\b|^xa\b"),
        "a prepared transaction outlives its connection",
    ),
    (
        re.compile(r"^create\s+(?:or\s+replace\s+)?(?:global\s+|local\s+)?temp(?:orary)?\b"),
        "a temporary table belongs to one connection, and here it would be everybody's",
    ),
    (
        re.compile(
            r"^vacuum\b|^discard\b|^(?:create|drop)\s+(?:database|tablespace)\b|^alter\s+system\b"
            r"|\bindex\s+concurrently\b|^reindex\b.*\bconcurrently\b|^attach\b|^detach\b"
        ),
        "this can't be done in a transaction",
    ),
    (
        re.compile(r"\b(?:txid_current|pg_current_xact_id|pg_export_snapshot|pg_backend_pid)\b"),
        "it asks for the connection's own transaction, which all share",
    ),
    (
        re.compile(
            r"\bisolation\s+level\s+(?:repeatable|serializable)|\bisolation\s+level\s+read\s+un"
        ),
        "a transaction sees what others commit meanwhile",
    ),
    (
        re.compile(r"^(?:commit|rollback)\b.*\band\s+chain\b"),
        "a chained transaction isn't told apart",
    ),
]
_MYSQL_COMMITS = re.compile(
    r"^(?:truncate|analyze|optimize|repair|check|flush|lock|unlock|load\s+index|cache\s+index|install|"
    r"uninstall|set\s+password|set\s+(?:session\s+|@@)?autocommit|start\s+(?:slave|replica))\b"
)
_LOCAL_CONFIG = re.compile(
    r"set_config\s*\(\s*'([^']+)'\s*,[^()]*,\s*(?:true|'t(?:rue)?')\s*\)", re.IGNORECASE
)
_PLAIN_TRANSACTIONS = {
    "set transaction isolation level read committed",
    "set transaction read write",
}
_MYSQL_VARIABLE = re.compile(r"(?<![@\w])@[a-z_]\w*")


@lru_cache(maxsize=2000)
def parse(text: str, backend: str) -> Statement:
    """What a statement does.

    :param backend: `sqlite`, `postgresql` or `mysql`.
    """
    bare = " ".join(_QUOTED.sub(_blank, text).lower().split()).strip("; ")
    if not bare:
        return Statement(Kind.READ)
    parts = [part.strip() for part in bare.split(";")]
    if len(parts) > 1 and not bare.startswith("create trigger"):
        return _several([_parse(part, text, backend) for part in parts if part], bare)
    return _parse(bare, text, backend)


def _several(found: list[Statement], bare: str) -> Statement:
    for statement in found:
        if statement.kind is Kind.REFUSED:
            return statement
        if statement.kind not in {Kind.READ, Kind.WRITE}:
            why = "a transaction or a setting is changed among other statements of one call"
            return Statement(Kind.REFUSED, why)
    changes = any(statement.changes_rows for statement in found)
    return Statement(Kind.WRITE, changes_rows=changes, text=bare)


def _parse(bare: str, text: str, backend: str) -> Statement:
    match = _WORD.match(bare.lstrip("( "))
    first = match.group() if match else ""
    why = _refused(bare, text, first, backend)
    if why is not None:
        return Statement(Kind.REFUSED, why)
    words = bare.split()
    if first in {"set", "reset", "pragma"}:
        return _setting(bare, first, words, backend)
    return _of_transactions(bare, first, words, backend) or _of_rows(bare, text, first)


def _refused(bare: str, text: str, first: str, backend: str) -> str | None:
    for pattern, why in _REFUSED:
        if pattern.search(bare):
            return why
    return _refused_by_mysql(bare, text, first) if backend == "mysql" else None


def _of_transactions(bare: str, first: str, words: list[str], backend: str) -> Statement | None:
    if first == "begin" or bare.startswith("start transaction"):
        exclusive = backend == "sqlite" and words[1:2] in (["immediate"], ["exclusive"])
        return Statement(Kind.BEGIN, "exclusive" if exclusive else "")
    if first in {"commit", "end"}:
        return Statement(Kind.COMMIT)
    if first in {"rollback", "abort"} and "to" not in words:
        return Statement(Kind.ROLLBACK)
    if first in {"savepoint", "release"}:
        return Statement(Kind(first), words[-1])
    return None


def _of_rows(bare: str, text: str, first: str) -> Statement:
    if "set_config(" in bare.replace(" ", ""):
        name = _LOCAL_CONFIG.search(text)
        if name is None:
            why = "set_config() is told truthfully only with its name written out, and for a transaction"
            return Statement(Kind.REFUSED, why)
        return Statement(Kind.LOCAL, name.group(1).lower(), text=bare)
    if first in _READING and _only_reads(bare):
        return Statement(Kind.READ, text=bare)
    return Statement(Kind.WRITE, changes_rows=first in _ROWS, text=bare)


def _refused_by_mysql(bare: str, text: str, first: str) -> str | None:
    if _MYSQL_COMMITS.search(bare) or (may_define(text) and first not in {"call", "execute", "do"}):
        return "MariaDB and MySQL commit before it"
    if _MYSQL_VARIABLE.search(bare):
        return "a user variable belongs to one connection, and here it would be everybody's"
    return None


def _setting(bare: str, first: str, words: list[str], backend: str) -> Statement:
    if first == "pragma":
        name = re.split(r"[=(\s]", bare.removeprefix("pragma").strip())[0]
        changes = "=" in bare or (
            "(" in bare and not name.endswith(("info", "list", "xinfo", "check"))
        )
        return Statement(Kind.SETTING if changes else Kind.READ, name)
    if first == "reset":
        return Statement(Kind.SETTING, _setting_name(" ".join(words[1:])), unset=True)
    if words[1:2] in (["constraints"], ["local"]):
        kind = Kind.LOCAL if words[1] == "local" else Kind.WRITE
        return Statement(kind, _setting_name(" ".join(words[2:])), text=bare)
    names = [word for word in words[1:] if word not in {"session", "global"}]
    if names[:1] == ["transaction"] and backend == "postgresql":
        kind = Kind.READ if bare in _PLAIN_TRANSACTIONS else Kind.REFUSED
        return Statement(kind, "a transaction of another kind than the others")
    return Statement(Kind.SETTING, _setting_name(" ".join(names)))


def _setting_name(rest: str) -> str:
    """The name of a setting, from what stands after SET or RESET."""
    name = re.split(r"[=\s]", rest)[0]
    return "timezone" if name == "time" else name


def _only_reads(bare: str) -> bool:
    words = set(_WORD.findall(bare))
    if words & (_ROWS - {"replace"} | {"into", "analyze"}):
        return False
    if "for" in words and re.search(r"\bfor\s+(?:no\s+key\s+)?(?:key\s+)?(?:update|share)\b", bare):
        return False
    if "lock in share mode" in bare:
        return False
    return all(_is_harmless(name) for name in _CALL.findall(bare))


def _is_harmless(name: str) -> bool:
    short = name.removeprefix("pg_catalog.").strip('"')
    return short in HARMLESS or short.startswith(HARMLESS_PREFIXES)


def _blank(match: re.Match[str]) -> str:
    return " " if match.group().startswith(("-", "/")) else " '' "
