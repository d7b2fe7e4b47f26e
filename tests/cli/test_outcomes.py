"""`greenroom combine` and `greenroom diff`."""

from __future__ import annotations

from pathlib import Path

import pytest

from greenroom.cli.main import main
from greenroom.facts.outcome import Cell, Example, Outcome, Planned, Problem
from greenroom.facts.stored import from_json, to_json


def outcome(*looked: str, app: str = "main:app", wrong: bool = False) -> Outcome:
    """Of an operation with two planned answers; the statuses that were looked at are given."""
    name = "GET /items"
    made = Outcome(app, {name})
    for status in ("200", "404"):
        made.plan[name, status] = Planned(name, status, ("declared in OpenAPI",))
    for status in looked:
        made.cells[name, status] = Cell(1, {"application/json"}, {f"test_{status}"})
    if wrong:
        problem = Problem(name, "200", "schema", "/id", "an integer")
        made.problems[problem] = Example({"test_200"}, '"1"', "{}", "{}")
    return made


def written(folder: Path, name: str, one: Outcome) -> str:
    (folder / name).write_text(to_json(one), encoding="utf-8")
    return str(folder / name)


def test_shards_are_combined(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What one of them has shown is shown."""
    shards = [
        written(tmp_path, f"{number}.json", outcome(status))
        for number, status in enumerate(("200", "404"))
    ]
    target = tmp_path / "out" / "all.json"
    assert main(["combine", *shards, "-o", str(target)]) == 0
    assert "2 of 2 planned answers are covered (100 %)" in capsys.readouterr().out
    combined = from_json(target.read_text(encoding="utf-8"), "all.json")
    assert combined == from_json(to_json(outcome("200", "404")), "x")


def test_a_page_is_made_of_combined_shards(tmp_path: Path) -> None:
    """By the name of the file."""
    shard = written(tmp_path, "1.json", outcome("200"))
    assert main(["combine", shard, "-o", str(tmp_path / "all.html")]) == 0
    assert "<!doctype html>" in (tmp_path / "all.html").read_text(encoding="utf-8")


def test_combined_shards_may_fail_under_a_percentage(tmp_path: Path) -> None:
    """The gate of a CI matrix, which no shard could pass by itself."""
    shard = written(tmp_path, "1.json", outcome("200"))
    assert main(["combine", shard, "--fail-under", "50"]) == 0
    assert main(["combine", shard, "--fail-under", "51"]) == 1


def test_shards_of_different_apps_are_not_combined(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With both names."""
    one = written(tmp_path, "1.json", outcome("200"))
    other = written(tmp_path, "2.json", outcome("200", app="other:app"))
    assert main(["combine", one, other]) == 1
    error = capsys.readouterr().err
    assert "GR039" in error
    assert "other:app" in error
    assert "main:app" in error


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"format": 2}', '{"format": 1, "app": 3}', "\0", "[" * 100_000]
)
def test_a_file_that_is_no_outcome_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    """Cut short, of another version, something else: never a traceback."""
    (tmp_path / "x.json").write_text(text)
    assert main(["combine", str(tmp_path / "x.json")]) == 1
    assert "GR039" in capsys.readouterr().err


def test_a_file_cut_anywhere_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """At each tenth of its length."""
    text = to_json(outcome("200", wrong=True))
    for end in range(0, len(text) - 2, max(1, len(text) // 10)):
        (tmp_path / "x.json").write_text(text[:end])
        assert main(["combine", str(tmp_path / "x.json")]) == 1
        assert "GR039" in capsys.readouterr().err


def test_a_missing_file_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And bytes that are no text."""
    assert main(["diff", str(tmp_path / "no.json"), str(tmp_path / "no.json")]) == 1
    assert "can't be read" in capsys.readouterr().err
    (tmp_path / "x.json").write_bytes(b"\xff\xfe")
    assert main(["combine", str(tmp_path / "x.json")]) == 1
    assert "can't be read" in capsys.readouterr().err


def test_a_difference_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """New gaps and problems are 1; what is solved is 0."""
    base = written(tmp_path, "base.json", outcome("200", "404"))
    head = written(tmp_path, "head.json", outcome("200", wrong=True))
    assert main(["diff", base, head]) == 1
    assert capsys.readouterr().out.splitlines() == [
        "new problems: 1",
        "  GET /items 200 schema at /id: expected an integer",
        "new gaps: 1",
        "  GET /items 404: declared in OpenAPI",
    ]
    assert main(["diff", head, base]) == 0
    assert capsys.readouterr().out.splitlines()[0] == "solved problems: 1"
    assert main(["diff", base, base]) == 0
    assert capsys.readouterr().out == "Nothing has changed.\n"


@pytest.mark.parametrize("given", ["all", "101", "-5"])
def test_a_percentage_that_is_none_is_refused(tmp_path: Path, given: str) -> None:
    """As wrong arguments are."""
    with pytest.raises(SystemExit) as raised:
        main(["combine", "x.json", f"--fail-under={given}"])
    assert raised.value.code == 2


def test_the_gaps_of_an_operation_that_is_gone_are_not_closed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Deleting code isn't testing it."""
    base = written(tmp_path, "base.json", outcome("200"))
    head = written(tmp_path, "head.json", Outcome("main:app"))
    assert main(["diff", base, head]) == 0
    assert capsys.readouterr().out.splitlines() == ["removed operations: 1", "  GET /items"]


def test_a_problem_that_nobody_saw_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Such a file wasn't written by greenroom."""
    one = outcome("200", wrong=True)
    for example in one.problems.values():
        example.tests.clear()
    assert main(["combine", written(tmp_path, "x.json", one)]) == 1
    assert "GR039" in capsys.readouterr().err


def test_a_file_of_another_kind_is_not_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither a page nor an outcome."""
    shard = written(tmp_path, "1.json", outcome("200"))
    assert main(["combine", shard, "-o", str(tmp_path / "all.txt")]) == 1
    assert "End it in .html or .json." in capsys.readouterr().err
