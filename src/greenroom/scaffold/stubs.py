"""Tests that the plan asks for and nobody has written: red until somebody fills them in."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from greenroom.facts.outcome import Planned
from greenroom.scaffold.project import Project, read_or_nothing
from greenroom.scaffold.proposal import Proposal

#: Parts of a path that say nothing of what is behind it.
_SILENT = re.compile(r"(api|v\d+|)\Z")


def stubs(project: Project, missing: Iterable[Planned], *, is_wsgi: bool) -> list[Proposal]:
    """A file for each part of the app, with a test for each answer that isn't shown.

    A stub is known by its first line, filled in or not: it isn't written a second time.
    """
    if not project.collects("test_missing.py"):
        return []
    known = "\n".join(read_or_nothing(project.root / file) for file in project.tests)
    parts: dict[str, list[Planned]] = {}
    for one in missing:
        if f"{_title(one)}:" not in known:
            parts.setdefault(_part(one.operation), []).append(one)
    folder = project.tests_folder or Path()
    return [
        Proposal(
            _free(project, folder, part),
            None,
            _source(planned, is_wsgi=is_wsgi),
            f"{len(planned)} answer{'' if len(planned) == 1 else 's'} that no test shows",
        )
        for part, planned in sorted(parts.items())
    ]


def _free(project: Project, folder: Path, part: str) -> Path:
    """A name that no other test has, wherever it lies: two modules of one name can't be collected."""
    taken = {test.name for test in project.tests}
    number, path = 1, folder / f"test_{part}_missing.py"
    while path.name in taken or (project.root / path).exists():
        number += 1
        path = folder / f"test_{part}_missing_{number}.py"
    return path


def _source(planned: Sequence[Planned], *, is_wsgi: bool) -> str:
    tests: list[str] = []
    names: set[str] = set()
    for one in planned:
        name = stem = f"test_{_words(one.operation)}_answers_{_words(one.status)}"
        while name in names:
            name = f"{stem}_{len(names)}"
        names.add(name)
        because = "; ".join(one.because).replace("\\", "").replace('"', "'")
        tests.append(
            f"{'def' if is_wsgi else 'async def'} {name}(client):\n"
            f'    """{_title(one)}: {because}."""\n'
            f'    pytest.fail("not written yet")\n'
        )
    return "import pytest\n\n\n" + "\n\n".join(tests)


def _title(planned: Planned) -> str:
    return f"{planned.operation} {planned.status}".replace('"', "'").replace("\\", "")


def _part(operation: str) -> str:
    segments = operation.partition(" ")[2].split("/")
    words = [_words(one) for one in segments if "{" not in one and not _SILENT.match(one)]
    return next((word for word in words if word), "app")


def _words(text: str) -> str:
    return re.sub(r"[^0-9A-Za-z]+", "_", text).strip("_").lower()
