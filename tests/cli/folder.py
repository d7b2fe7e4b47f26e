"""A project's folder on disk, and the commands that are given in it."""

from __future__ import annotations

import contextlib
import io
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from greenroom.cli.main import main
from tests.harness import OTHERS


@dataclass(frozen=True)
class Done:
    """What a command printed, and how it ended."""

    returncode: int
    stdout: str
    stderr: str


class Folder:
    """A project's folder, and the commands that are given in it."""

    def __init__(self, path: Path, environ: Mapping[str, str] | None = None) -> None:
        self.path = path
        self.environ = environ or {}
        self.path.mkdir(parents=True, exist_ok=True)

    def write(self, **files: str) -> Folder:
        for name, text in files.items():
            file = self.path / name.replace("__", "/").replace("_dot_", ".").replace("_dash_", "-")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        return self

    def init(self, *arguments: str, answers: str = "") -> Done:
        """In this process, as if it were one of its own."""
        before = set(sys.modules)
        out, err = io.StringIO(), io.StringIO()
        sys.stdin, stdin = io.StringIO(answers), sys.stdin
        # It runs the suite, which knows nothing of this environment's plugins.
        os.environ["PYTEST_ADDOPTS"] = " ".join(OTHERS)
        try:
            with contextlib.chdir(self.path), redirect_stdout(out), redirect_stderr(err):
                code = main(["init", *arguments])
        except SystemExit as error:
            code = int(str(error.code))
        finally:
            sys.stdin = stdin
            del os.environ["PYTEST_ADDOPTS"]
            for name in {"main", "app"} & (set(sys.modules) - before):
                del sys.modules[name]
        return Done(code, out.getvalue(), err.getvalue())

    def pytest(self, *arguments: str) -> Done:
        return self.run(sys.executable, "-m", "pytest", *OTHERS, "-p", "no:randomly", *arguments)

    def git(self, *arguments: str) -> str:
        who = ["-c", "user.name=n", "-c", "user.email=e@example.com"]
        done = self.run("git", *who, *arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def run(self, *command: str, **options: Any) -> Done:
        environ = {name: text for name, text in os.environ.items() if "PYTEST" not in name}
        done = subprocess.run(
            command,
            cwd=self.path,
            capture_output=True,
            text=True,
            check=False,
            env={**environ, **self.environ},
            **options,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def files(self) -> dict[str, str]:
        return {
            file.relative_to(self.path).as_posix(): file.read_text(encoding="utf-8")
            for file in sorted(self.path.rglob("*"))
            if file.is_file() and not {".git", "__pycache__", ".pytest_cache"} & set(file.parts)
        }

    def files_text(self, name: str) -> str:
        return (self.path / name).read_text(encoding="utf-8")

    def data(self) -> dict[str, object]:
        return tomllib.loads((self.path / "pyproject.toml").read_text(encoding="utf-8"))["tool"]  # type: ignore[no-any-return]


def changes(diff: str) -> list[str]:
    """The lines of a diff that are added or taken away."""
    return [line for line in diff.splitlines() if re.match(r"[+-](?!\+\+ |-- )", line)]
