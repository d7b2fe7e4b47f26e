"""A page for coding assistants: how tests are written with greenroom."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path

from greenroom.scaffold.project import Project
from greenroom.scaffold.proposal import Proposal, read

#: Where assistants look for what a project teaches them.
PLACE = Path(".agents", "skills", "greenroom", "SKILL.md")


def skill(project: Project, path: Path | None, *, is_wsgi: bool) -> Proposal | None:
    """The page, if there is none.

    :param path: where it's wanted, relative to the project; None takes the usual place.
    :param is_wsgi: whether the app is Flask's: its tests don't await, and it has no dependencies and no models.
    """
    chosen = path or PLACE
    if read(project.root / chosen) is not None:
        return None
    text = files("greenroom.scaffold").joinpath("skill.md").read_text(encoding="utf-8")
    if is_wsgi:
        text = _without_awaiting(text)
    return Proposal(chosen, None, text, "teaches coding assistants to write tests with greenroom")


def _without_awaiting(text: str) -> str:
    """The page for an app whose tests block."""
    text = text.replace("async def", "def").replace("await ", "")
    text = text.replace(
        "`def` tests need no\nmarker; in a `def` test the same fixtures block: no `await`.",
        "Every fixture blocks.",
    )
    text = re.sub(r"\n## Invalid input\n.*?(?=\n## )", "", text, flags=re.DOTALL)
    text = re.sub(r"\| `overrides` \|.*\n", "", text)
    return re.sub(r"; `make\.payload\(ItemCreate\)` is a valid body", "", text)
