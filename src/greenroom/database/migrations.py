"""Alembic's migrations, if the project has them: found, fingerprinted, and run as Alembic runs them."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import hashlib
import io
import logging
import os
import re
import threading
import tomllib
import warnings
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

from greenroom.database import disk
from greenroom.facts.errors import Code, GreenroomError

_REVISION = re.compile(r"^revision(?:\s*:[^=]+)?\s*=\s*['\"]([^'\"]+)", re.MULTILINE)
_DOWN = re.compile(r"^down_revision(?:\s*:[^=]+)?\s*=\s*(.+?)$", re.MULTILINE)
_NAMES = re.compile(r"['\"]([^'\"]+)['\"]")


class Migrations:
    """A project's migrations.

    :param folder: where `alembic.ini` or the pyproject.toml with `[tool.alembic]` lies.
    :param source: which of them it is, for the header and for messages.
    """

    def __init__(self, folder: Path, source: str) -> None:
        self._folder = folder
        self._source = source

    def fingerprint(self) -> str:
        """Of everything that `upgrade head` reads: the configuration, `env.py`, the migrations."""
        found = hashlib.sha256()
        names = [self._folder / "alembic.ini", self._folder / "pyproject.toml"]
        files = [file for file in names if file.is_file()] + self._scripts
        for file in files:
            found.update(f"{file.name}\0".encode())
            found.update(_tables(file) if file.name == "pyproject.toml" else file.read_bytes())
        return found.hexdigest()

    def describe(self) -> str:
        """The newest revision, in the header's words."""
        revisions: set[str] = set()
        replaced: set[str] = set()
        for file in self._scripts:
            if file.suffix != ".py":
                continue
            text = file.read_text(encoding="utf-8", errors="replace")
            own, down = _REVISION.search(text), _DOWN.search(text)
            if own:
                revisions.add(own[1])
                replaced.update(_NAMES.findall(down[1]) if down else ())
        heads = sorted(revisions - replaced)
        return f"alembic {', '.join(head[:12] for head in heads)}" if heads else "alembic"

    def upgrade(self, where: str) -> None:
        """Run every migration, in a thread of its own: `env.py` may start an event loop.

        :param where: the database that they are led to, for messages.
        :raises GreenroomError: if one fails, with its own error.
        """
        caught: list[BaseException] = []

        def run() -> None:
            # As the main thread has one, for an `env.py` that asks for it.
            loop = asyncio.new_event_loop()
            asyncio.set_event_loop(loop)
            try:
                from alembic import command

                command.upgrade(self._config(), "heads")
            except BaseException as error:  # noqa: BLE001 - it is passed on below
                caught.append(error)
            finally:
                loop.run_until_complete(loop.shutdown_asyncgens())
                loop.close()

        with _working_in(self._folder), _logging_kept():
            here = contextvars.copy_context()
            thread = threading.Thread(target=here.run, args=[run], name="greenroom-alembic")
            thread.start()
            thread.join()
        if not caught:
            return
        error = caught[0]
        if isinstance(error, GreenroomError):
            raise error
        if disk.is_full(error):
            raise disk.cannot_be_written(where, error)
        raise GreenroomError(
            Code.MIGRATION,
            f"`alembic upgrade head` failed on the test database: {type(error).__name__}: "
            f"{str(error).strip().splitlines()[0] if str(error).strip() else '(no message)'}",
            "Correct the migration; or name what to make the tables from instead: "
            "[tool.greenroom] schema.",
            own_frames(error, self._folder),
        )

    def _config(self) -> Any:
        from alembic.config import Config

        ini, toml = self._folder / "alembic.ini", self._folder / "pyproject.toml"
        options: dict[str, Any] = {"stdout": io.StringIO()}
        if toml.is_file() and _tables(toml):
            options["toml_file"] = str(toml)
        return Config(str(ini) if ini.is_file() else None, **options)

    @cached_property
    def _scripts(self) -> list[Path]:
        """Everything in the folders of the migrations."""
        from alembic.script import ScriptDirectory

        with _working_in(self._folder):
            try:
                # What Alembic deprecates is said when it runs, not when it is only looked at.
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    script = ScriptDirectory.from_config(self._config())
            except Exception as error:  # noqa: BLE001 - whatever the configuration holds
                raise GreenroomError(
                    Code.MIGRATION,
                    f"Alembic's configuration ({self._source}) can't be used: {error}.",
                    "Correct it; or name what to make the tables from instead: [tool.greenroom] "
                    "schema.",
                ) from None
            places = {Path(script.dir).resolve()}
            places |= {Path(place).resolve() for place in script.version_locations or ()}
        files = {file for place in places for file in place.rglob("*")}
        return sorted(file for file in files if file.is_file() and file.suffix != ".pyc")


def find(root: Path) -> Migrations | None:
    """The migrations of the project in a folder, or None.

    :raises GreenroomError: if there are some, and Alembic isn't installed.
    """
    if (root / "alembic.ini").is_file():
        source = "alembic.ini"
    elif _tables(root / "pyproject.toml"):
        source = "[tool.alembic]"
    else:
        return None
    try:
        import alembic  # noqa: F401
    except ImportError:
        raise GreenroomError(
            Code.EXTRA,
            f"the project has migrations ({source}), but Alembic isn't installed here.",
            "pip install alembic; or make the tables from the models: [tool.greenroom] schema = "
            '"module:Base".',
        ) from None
    return Migrations(root, source)


def _tables(toml: Path) -> bytes:
    """What `[tool.alembic]` says, or nothing."""
    try:
        document = tomllib.loads(toml.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return b""
    table = document.get("tool", {}).get("alembic")
    return repr(table).encode() if table else b""


@contextlib.contextmanager
def _working_in(folder: Path) -> Iterator[None]:
    """Alembic takes relative paths from the folder that it is called in."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


@contextlib.contextmanager
def _logging_kept() -> Iterator[None]:
    """Undo what `fileConfig` in an `env.py` does to the loggers: it would silence the app's."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    known = {
        name: (logger.disabled, logger.level, list(logger.handlers), logger.propagate)
        for name, logger in list(logging.Logger.manager.loggerDict.items())
        if isinstance(logger, logging.Logger)
    }
    try:
        yield
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
        for name, logger in list(logging.Logger.manager.loggerDict.items()):
            if isinstance(logger, logging.Logger):
                disabled, own_level, own_handlers, propagate = known.get(
                    name, (False, logging.NOTSET, [], True)
                )
                logger.disabled = disabled
                logger.setLevel(own_level)
                logger.handlers[:] = own_handlers
                logger.propagate = propagate


def own_frames(error: BaseException, folder: Path) -> str:
    """The lines of the project's own files that the error went through."""
    lines = []
    trace = error.__traceback__
    while trace is not None:
        file = Path(trace.tb_frame.f_code.co_filename)
        if folder in file.parents and "site-packages" not in file.parts:
            lines.append(
                f"  {file.relative_to(folder)}:{trace.tb_lineno} {trace.tb_frame.f_code.co_name}"
            )
        trace = trace.tb_next
    return "\n".join(lines)
