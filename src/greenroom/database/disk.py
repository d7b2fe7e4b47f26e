"""A disk that has no room for the test database: what drivers call it, and what is told of it."""

from __future__ import annotations

from greenroom.facts.errors import Code, GreenroomError

#: PostgreSQL's `disk_full`.
_SQLSTATE = "53100"
#: MariaDB's and MySQL's: the disk is full, the table is full.
_MYSQL = {1021, 1114}
_MYSQL_DRIVERS = {"asyncmy", "pymysql"}  # aiomysql's errors are PyMySQL's.
#: SQLite's SQLITE_READONLY, SQLITE_IOERR, SQLITE_FULL and SQLITE_CANTOPEN.
_SQLITE = {8, 10, 13, 14}


def is_full(error: BaseException) -> bool:
    """Whether a driver, or SQLAlchemy for it, says that a database can't be written any more.

    By their codes: what they say beside them is in the server's language, and names tables and columns.
    """
    found = getattr(error, "orig", None) or error
    if _SQLSTATE in {getattr(found, "sqlstate", None), getattr(found, "pgcode", None)}:
        return True
    sqlite = getattr(found, "sqlite_errorcode", None)
    if isinstance(sqlite, int):
        return sqlite & 0xFF in _SQLITE
    if type(found).__module__.partition(".")[0] not in _MYSQL_DRIVERS:
        return False
    return bool(found.args) and found.args[0] in _MYSQL


def cannot_be_written(where: str, error: BaseException) -> GreenroomError:
    """The error of a test database whose disk is full.

    :param where: the database, as it is shown.
    """
    said = str(getattr(error, "orig", None) or error).strip()
    return GreenroomError(
        Code.DISK_FULL,
        f"the test database ({where}) can't be written: {said.splitlines()[0] if said else 'the disk is full'}.",
        "Free some space there, or have it elsewhere: [tool.greenroom] directory for SQLite and the "
        "embedded PostgreSQL (GREENROOM_DIRECTORY, --greenroom-directory), or another server.",
    )
