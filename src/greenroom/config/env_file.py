"""The environment file: read before the app is imported, taken back after the run."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from greenroom.facts.errors import Code, GreenroomError
from greenroom.facts.setting import Setting

DEFAULT = ".env.test"


def find(root: Path, setting: Setting[str | None]) -> Path | None:
    """The file to read: the one that was named, else `.env.test` where the project has it.

    :raises GreenroomError: if a file was named that isn't there.
    """
    if setting.value is None:
        file = root / DEFAULT
        return file if file.is_file() else None
    file = root / setting.value
    if not file.is_file():
        raise GreenroomError(
            Code.ENV_FILE,
            f"the env-file {file}, named by {setting.source}, doesn't exist.",
            "Create it, or name another one.",
        )
    return file


def load(file: Path) -> Callable[[], None]:
    """Set the file's variables that the environment doesn't have yet; give back the undoing.

    A variable that is already set wins, so that a CI job can still override one.

    :raises GreenroomError: if a line can't be parsed; then nothing is set.
    """
    from dotenv.main import DotEnv
    from dotenv.parser import parse_stream

    try:
        with file.open(encoding="utf-8") as stream:
            wrong = [binding.original for binding in parse_stream(stream) if binding.error]
        # A ${NAME} in the file means what NAME will be: the variable that is already set.
        values = {} if wrong else DotEnv(file, encoding="utf-8", override=False).dict()
    except (OSError, UnicodeDecodeError) as error:
        raise GreenroomError(
            Code.ENV_FILE, f"{file} can't be read: {error}.", "Make it a readable UTF-8 file."
        ) from None
    if wrong:
        lines = "\n".join(f"  line {part.line}: {part.string.strip()}" for part in wrong)
        raise GreenroomError(
            Code.ENV_FILE,
            f"{file} doesn't parse:\n{lines}",
            "Each line is NAME=value; quote a value that has spaces or a #.",
        )
    added = {
        name: value
        for name, value in values.items()
        if value is not None and name not in os.environ
    }
    os.environ.update(added)

    def undo() -> None:
        for name, value in added.items():
            if os.environ.get(name) == value:
                del os.environ[name]

    return undo
