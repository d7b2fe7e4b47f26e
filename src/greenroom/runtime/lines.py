"""Which line of the project's code runs now."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any


def line_of(
    is_own: Callable[[Path], bool], root: Path, frames: Iterable[FrameType] | None = None
) -> str | None:
    """The innermost line of the project's own code, relative to its folder; None if none is.

    :param is_own: whether a file is one of those that count.
    :param frames: where to look, the innermost first; None is the stack of now.
    """
    for frame in frames if frames is not None else _stack():
        file = Path(frame.f_code.co_filename)
        if is_own(file):
            name = file.relative_to(root) if root in file.parents else file
            return f"{name}:{frame.f_lineno}"
    return None


def _stack() -> Iterator[FrameType]:
    """The frames of now.

    A statement of an async session is sent in a greenlet, whose stack ends where the session's begins;
    it goes on in the greenlet that waits for it.
    """
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001 - the stack is the question
    current: Any = _current_greenlet()
    while frame is not None or current is not None:
        while frame is not None:
            yield frame
            frame = frame.f_back
        current = current.parent if current is not None else None
        frame = current.gr_frame if current is not None else None


def _current_greenlet() -> Any:
    module = sys.modules.get("greenlet")
    return module.getcurrent() if module is not None else None
