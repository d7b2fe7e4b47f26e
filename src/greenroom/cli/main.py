"""`greenroom`: what is done outside of a test run."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from greenroom.cli import db, outcomes
from greenroom.facts.errors import GreenroomError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; the exit code is 0, or 1 if something went wrong.

    Wrong arguments are 2, as argparse has it.
    """
    parser = argparse.ArgumentParser(
        prog="greenroom", description="Real databases for tests, and what a suite proves."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")
    db.add_to(commands)
    outcomes.add_to(commands)
    chosen = parser.parse_args(arguments)
    try:
        return int(chosen.run(chosen))
    except GreenroomError as error:
        print(error, file=sys.stderr)
        return 1
