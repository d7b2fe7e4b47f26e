"""How greenroom's errors reach pytest: as their text, never as a traceback into greenroom."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from greenroom.facts.errors import GreenroomError
from greenroom.plugin.state import ROOM


@contextmanager
def reported() -> Iterator[None]:
    """Fail the test, or its fixture, with the error's text."""
    message = None
    try:
        yield
    except GreenroomError as error:
        message = str(error)
    if message is not None:
        raise pytest.fail.Exception(message, pytrace=False) from None


@contextmanager
def ending_the_run(session: pytest.Session) -> Iterator[None]:
    """Fail with the error's text, and run no further test: none could be trusted."""
    message = None
    try:
        yield
    except GreenroomError as error:
        message = str(error)
    if message is not None:
        stop(session, message)
        raise pytest.fail.Exception(message, pytrace=False) from None


def stop(session: pytest.Session, message: str) -> None:
    """Let the run end before its next test, with an error that is shown once."""
    session.shouldfail = message.splitlines()[0]
    session.config.stash[ROOM].fatal[message] = None
