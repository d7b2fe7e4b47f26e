"""The private folder of a process."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from filelock import FileLock

from greenroom.database import folder
from greenroom.facts.errors import GreenroomError


def folders(base: Path) -> list[Path]:
    return sorted(path for path in base.glob("greenroom-*/*") if path.is_dir())


def test_it_is_made_for_this_process_alone_and_removed(tmp_path: Path) -> None:
    """Nobody else can look into it."""
    made = folder.make(str(tmp_path))
    assert folders(tmp_path) == [made.path]
    assert made.path.name.startswith(f"{os.getpid()}-")
    assert made.path.parent.stat().st_mode & 0o077 == 0
    made.close()
    made.close()
    assert folders(tmp_path) == []


def test_what_a_dead_process_left_is_cleared(tmp_path: Path) -> None:
    """A folder whose lock nobody holds."""
    living = folder.make(str(tmp_path))
    dead = living.path.parent / "4194304-dead"
    dead.mkdir()
    (dead / "1.db").write_bytes(b"rows")

    other = folder.make(str(tmp_path))

    assert folders(tmp_path) == sorted([living.path, other.path])
    living.close()
    other.close()


def test_a_folder_whose_lock_is_held_is_left_alone(tmp_path: Path) -> None:
    """However old it looks."""
    base = folder.make(str(tmp_path))
    held = base.path.parent / "1-held"
    held.mkdir()
    with FileLock(held / "in-use.lock"):
        folder.sweep(base.path.parent)
        assert held.exists()
    base.close()
    assert not held.exists()


def test_a_place_that_cannot_be_used_is_passed_over_and_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next one is taken, and the header says why."""
    blocked = tmp_path / "blocked"
    blocked.mkdir()
    (blocked / f"greenroom-{folder.user_name()}").write_text("a file where the folder should be")
    monkeypatch.setattr(folder, "MEMORY_DISK", blocked)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    made = folder.make(None)
    assert made.place == f"temporary folder ({blocked}: file exists)"
    made.close()


def test_no_place_at_all_is_an_error(tmp_path: Path) -> None:
    """With the reason."""
    (tmp_path / "file").touch()
    with pytest.raises(GreenroomError, match=r"GR016 .*file: not a directory"):
        folder.make(str(tmp_path / "file"))
