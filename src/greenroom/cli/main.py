"""`greenroom`: what is done outside of a test run."""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Sequence

from greenroom.cli import db, init, outcomes
from greenroom.facts.errors import GreenroomError

#: The exit code after Ctrl-C, as shells have it.
INTERRUPTED = 130


def parser() -> argparse.ArgumentParser:
    """What can be asked for."""
    made = argparse.ArgumentParser(
        prog="greenroom", description="Real databases for tests, and what a suite proves."
    )
    commands = made.add_subparsers(dest="command", required=True, metavar="command")
    init.add_to(commands)
    db.add_to(commands)
    outcomes.add_to(commands)
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; the exit code is 0, or 1 if something went wrong.

    Wrong arguments are 2, as argparse has it.
    """
    chosen = parser().parse_args(arguments)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # A terminal may not know all letters.
    try:
        return int(chosen.run(chosen))
    except GreenroomError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nInterrupted.", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:  # Whoever reads has read enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
