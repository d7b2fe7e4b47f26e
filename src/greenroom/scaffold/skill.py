"""A page for coding assistants: how tests are written with greenroom."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from greenroom.scaffold.project import Project
from greenroom.scaffold.proposal import Proposal, read

#: Where assistants look for what a project teaches them.
PLACE = Path(".agents", "skills", "greenroom", "SKILL.md")


def skill(project: Project, path: Path | None) -> Proposal | None:
    """The page, if there is none.

    :param path: where it's wanted, relative to the project; None takes the usual place.
    """
    chosen = path or PLACE
    if read(project.root / chosen) is not None:
        return None
    text = files("greenroom.scaffold").joinpath("skill.md").read_text(encoding="utf-8")
    return Proposal(chosen, None, text, "teaches coding assistants to write tests with greenroom")
