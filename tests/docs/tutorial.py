"""The tutorial, typed in word by word: each step is green where it says so, and red where it says so."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

from tests.docs.blocks import Command, put, steps_of

PAGE = "docs/tutorial.md"
_COLOURS = re.compile(r"\x1b\[[\d;]*m")


def type_in(folder: Path, scripts: Path, install: str, options: str = "") -> list[str]:
    """Do what the page says in an empty folder; the commands that were given.

    :param scripts: the folder of the environment's commands.
    :param install: what `pip install greenroom` is in this place.
    :param options: what pytest gets besides.
    """
    files: dict[str, str] = {}
    given = []
    path = os.pathsep.join([str(scripts), os.environ["PATH"]])
    environ = {
        key: text for key, text in os.environ.items() if "PYTEST" not in key and key != "PYTHONPATH"
    }
    for step in steps_of(PAGE):
        if not isinstance(step, Command):
            put(files, *step)
            name = step[0].partition("#")[0]
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(files[name], encoding="utf-8")
            continue
        command = step.text.replace("pip install greenroom", install)
        done = subprocess.run(
            ["sh", "-c", command],
            cwd=folder,
            env={**environ, "PATH": path, "PYTEST_ADDOPTS": options, "NO_COLOR": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
        output = _COLOURS.sub("", done.stdout + done.stderr)
        if step.shown and not step.is_shown_in(output):
            shown = "\n".join(step.shown)
            raise AssertionError(f"$ {command}\nshould print\n{shown}\nand printed\n{output}")
        is_red = any(" failed" in line for line in step.shown)
        assert (done.returncode != 0) is is_red, (
            f"$ {command}\nended with {done.returncode}\n{output}"
        )
        given.append(command)
    return given
