"""The code blocks of a page that are files: those with a title."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
_BLOCK = re.compile(r"^```\w+ title=(?P<name>\S+)\n(?P<source>.*?)^```$", re.DOTALL | re.MULTILINE)


def files_of(page: str) -> dict[str, str]:
    """The titled blocks of a page, by their title."""
    text = (ROOT / page).read_text(encoding="utf-8")
    return {match["name"]: match["source"] for match in _BLOCK.finditer(text)}
