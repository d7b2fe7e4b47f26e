"""A file that is proposed: shown as a diff, and written if it's wanted."""

from __future__ import annotations

import contextlib
import difflib
import os
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from greenroom.facts.errors import Code, GreenroomError


@dataclass(frozen=True, slots=True)
class Proposal:
    """One file.

    :param path: relative to the project.
    :param before: its text as it is now; None if there is none.
    :param after: its text as it would be.
    :param why: what it's for, a phrase.
    """

    path: Path
    before: str | None
    after: str
    why: str

    def diff(self) -> str:
        """The change, as `git diff` has it."""
        name = self.path.as_posix()
        lines = difflib.unified_diff(
            (self.before or "").splitlines(keepends=True),
            self.after.splitlines(keepends=True),
            "/dev/null" if self.before is None else f"a/{name}",
            f"b/{name}",
        )
        return "".join(
            line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
            for line in lines
        )

    def write(self, root: Path) -> None:
        """Write it, whole or not at all.

        :raises GreenroomError: if it can't be written, or has changed since it was read.
        """
        path = (root / self.path).resolve()
        try:
            if read(path) != self.before:
                raise GreenroomError(
                    Code.INIT,
                    f"{self.path} has changed since it was read: it was left as it is.",
                    "Run greenroom init again.",
                )
            path.parent.mkdir(parents=True, exist_ok=True)
            _replace(path, self.after)
        except OSError as error:
            raise _cannot_write(self.path, error) from None


def read(path: Path) -> str | None:
    """A file's text, with its line breaks as they are; None if there is no such file.

    :raises GreenroomError: if it can't be read, or isn't text.
    """
    try:
        return path.read_bytes().decode("utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, UnicodeDecodeError) as error:
        said = error.strerror if isinstance(error, OSError) else str(error)
        raise GreenroomError(
            Code.INIT, f"{path} can't be read: {said}.", "Correct it, or make it readable."
        ) from None


def check_writable(root: Path, proposals: Sequence[Proposal]) -> None:
    """Raise GreenroomError if one of the files couldn't be written. Nothing is written."""
    for proposal in proposals:
        if sum(one.path == proposal.path for one in proposals) > 1:
            raise GreenroomError(
                Code.INIT,
                f"{proposal.path} is wanted for two things.",
                "Name another file: greenroom init --skill FILE.",
            )
        path = (root / proposal.path).resolve()
        nearest = path.parent
        while not nearest.exists():
            nearest = nearest.parent
        if not nearest.is_dir():
            raise _cannot_write(
                proposal.path, NotADirectoryError(0, f"{nearest} is no folder"), early=True
            )
        if not os.access(nearest, os.W_OK | os.X_OK) or (
            path.exists() and not os.access(path, os.W_OK)
        ):
            raise _cannot_write(proposal.path, PermissionError(0, "Permission denied"), early=True)


def _replace(path: Path, text: str) -> None:
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(text.encode("utf-8"))
        if path.exists():
            shutil.copymode(path, name)
        else:
            mask = os.umask(0)
            os.umask(mask)
            Path(name).chmod(0o666 & ~mask)
        Path(name).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise


def _cannot_write(path: Path, error: OSError, *, early: bool = False) -> GreenroomError:
    return GreenroomError(
        Code.INIT,
        f"{path} can't be written: {error.strerror}.{' Nothing was written.' if early else ''}",
        "Make it writable, or run greenroom init where it is.",
    )
