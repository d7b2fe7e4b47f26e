"""How a run tells what the suite proves: in the terminal, in files, to JUnit and GitHub; and when it fails."""

from __future__ import annotations

import json
import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.harness import Project, Result

APP = """
from fastapi import FastAPI, HTTPException
from fastapi.responses import JSONResponse
app = FastAPI()

@app.get("/items/{item_id}")
async def read(item_id: int) -> int:
    if item_id > 9:
        raise HTTPException(404)
    return item_id

@app.get("/wrong", response_model=int)
async def wrong():
    return JSONResponse("one|two")
"""
TEST = """
async def test_read(client):
    assert (await client.get("/items/1")).json() == 1

async def test_wrong(client):
    await client.get("/wrong")
"""
ALL = (
    TEST
    + """
async def test_rest(client):
    assert (await client.get("/items/10")).status_code == 404
    assert (await client.get("/items/x")).status_code == 422
    assert (await client.get("/wrong")).status_code == 200
"""
)


@pytest.fixture(autouse=True)
def no_github(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run of this suite may itself be on GitHub."""
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)


def run(pytester: pytest.Pytester, *args: str, test: str = TEST, table: str = "") -> Result:
    files = {
        "main.py": APP,
        "pyproject.toml": f"[tool.greenroom]\n{table}",
        "test_main.py": test,
    }
    return Project(files).run(pytester, "-p", "no:randomly", *args)


def section(result: Result) -> list[str]:
    """The lines of the section."""
    lines = result.out.split("what the suite proves")[1].splitlines()[1:]
    end = next(number for number, line in enumerate(lines) if line.startswith("====="))
    return [line for line in lines[:end] if line.strip()]


def test_a_few_lines_are_told_by_default(pytester: pytest.Pytester) -> None:
    """What is covered, what is missing most, what is wrong."""
    result = run(pytester)
    result.passed(2)
    assert section(result) == [
        "1 of 4 planned answers are covered (25 %)",
        "most is missing of:",
        "  GET /items/{item_id}: 404, 422 (1 of 3)",
        "  GET /wrong: 200 (0 of 1)",
        "1 problem with answers:",
        '  GET /wrong 200 schema: expected an integer, came "one|two" (test_main.py::test_wrong)',
    ]


def test_the_matrix_is_told_if_asked_for(pytester: pytest.Pytester) -> None:
    """By `--greenroom-report`."""
    result = run(pytester, "--greenroom-report")
    rows = [line.rstrip() for line in section(result)]
    assert "                     200 404 422" in rows
    assert "GET /items/{item_id}  x   .   ." in rows
    assert "GET /wrong            o" in rows


def test_a_very_quiet_run_tells_only_what_it_was_asked_for(pytester: pytest.Pytester) -> None:
    """`-qq`."""
    assert "what the suite proves" not in run(pytester, "-qq").out
    assert "written: " in run(pytester, "-qq", "--greenroom-report=html").out


def test_two_workers_tell_it_once(pytester: pytest.Pytester) -> None:
    """The numbers are those of both."""
    files = {"main.py": APP, "pyproject.toml": "[tool.greenroom]\n", "test_main.py": ALL}
    result = Project(files).run_subprocess(pytester, "-n", "2")
    result.passed(3)
    assert result.out.count("what the suite proves") == 1
    assert "4 of 4 planned answers are covered (100 %)" in result.out


@pytest.mark.parametrize(
    ("given", "names"),
    [
        ("json", {"greenroom.json"}),
        ("html,json", {"greenroom.json", "greenroom.html"}),
        ("out/shard-1.json", {"out/shard-1.json"}),
    ],
)
def test_files_are_written_where_they_are_asked_for(
    pytester: pytest.Pytester, given: str, names: set[str]
) -> None:
    """In the root of the run."""
    result = run(pytester, f"--greenroom-report={given}")
    for name in names:
        assert (result.folder / name).is_file()
        assert f"written: {result.folder / name}" in result.out


@pytest.mark.parametrize("given", ["xml", "tests", "json,pdf"])
def test_a_report_of_another_kind_is_refused(pytester: pytest.Pytester, given: str) -> None:
    """A path that follows the flag among them."""
    result = run(pytester, f"--greenroom-report={given}")
    assert "GR005" in result.out
    assert '"terminal", "html", "json", or files that end so' in result.out


def test_a_file_that_cannot_be_written_fails_the_run(pytester: pytest.Pytester) -> None:
    """With its path; the tests' own outcome is told all the same."""
    (pytester.path / "taken").write_text("")
    result = run(pytester, "--greenroom-report=taken/x.json")
    assert result.code == 1
    assert "GR039" in result.out
    assert "2 passed" in result.out


@pytest.mark.parametrize(("least", "code"), [("25", 0), ("25.1", 1), ("100", 1)])
def test_a_run_fails_under_a_percentage(pytester: pytest.Pytester, least: str, code: int) -> None:
    """And says how much it is, and who asked."""
    result = run(pytester, f"--greenroom-fail-under={least}")
    assert result.code == code
    told = f"GR042 25 % of the planned answers are covered, and {least} % are asked for"
    assert (f"{told} (--greenroom-fail-under)" in result.out) == bool(code)


@pytest.mark.parametrize("least", ["all", "101", "-1", "nan"])
def test_a_percentage_that_is_none_is_refused(pytester: pytest.Pytester, least: str) -> None:
    """Before anything runs."""
    result = run(pytester, f"--greenroom-fail-under={least}")
    assert "GR005" in result.out
    assert "a number from 0 to 100" in result.out


def test_known_gaps_pass_and_new_ones_fail(pytester: pytest.Pytester) -> None:
    """Held against a baseline, which is an outcome of before."""
    table = '[tool.greenroom.contract]\nbaseline = "known.json"\n'
    assert run(pytester, "--greenroom-report=known.json").code == 0
    assert run(pytester, table=table).code == 0
    assert run(pytester, table=table, test=ALL).code == 0
    fewer = TEST.replace('assert (await client.get("/items/1")).json() == 1', "pass")
    result = run(pytester, table=table, test=fewer)
    assert result.code == 1
    assert "GR042 there are gaps that known.json doesn't know." in result.out
    assert "  GET /items/{item_id} 200: declared in OpenAPI" in result.out


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "is no outcome of greenroom, or it was cut short"),
        ('{"format": 9}', "is an outcome of format 9; this version reads format 1"),
        ('{"format": 1}', "is an outcome that lacks something"),
        (None, "isn't there.\nWrite it: pytest --greenroom-report=known.json"),
    ],
)
def test_a_baseline_that_cannot_be_used_is_told_before_the_run(
    pytester: pytest.Pytester, text: str | None, told: str
) -> None:
    """It can't be known what is new."""
    if text is not None:
        (pytester.path / "known.json").write_text(text)
    result = run(pytester, table='[tool.greenroom.contract]\nbaseline = "known.json"\n')
    assert result.code == pytest.ExitCode.USAGE_ERROR
    assert "GR039" in result.out
    assert told in result.out


def test_a_baseline_of_another_app_fails_the_run(pytester: pytest.Pytester) -> None:
    """Nothing could be compared."""
    result = run(pytester, "--greenroom-report=known.json")
    plain = json.loads((result.folder / "known.json").read_text())
    (result.folder / "known.json").write_text(json.dumps({**plain, "app": "other:app"}))
    result = run(pytester, table='[tool.greenroom.contract]\nbaseline = "known.json"\n')
    assert result.code == 1
    assert "is of the app other:app, and this run of main:app" in result.out


def test_junit_gets_the_figures(pytester: pytest.Pytester) -> None:
    """As properties of the suite."""
    result = run(pytester, "--junitxml=junit.xml")
    tree = ET.parse(result.folder / "junit.xml")  # noqa: S314 - it's our own
    found = {one.get("name"): one.get("value") for one in tree.iter("property")}
    assert found == {
        "greenroom.covered": "1",
        "greenroom.planned": "4",
        "greenroom.problems": "1",
    }


def test_github_gets_a_summary_and_annotations(
    pytester: pytest.Pytester, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a step has a place for its summary."""
    summary = tmp_path / "summary.md"
    summary.write_text("before\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    result = run(pytester)
    text = summary.read_text()
    assert text.startswith("before\n### What the suite proves")
    assert "1 of 4 planned answers are covered (25 %)." in text
    assert "| `GET /items/{item_id}` | 404, 422 | 1 of 3 |" in text
    assert '`"one\\|two"`' in text
    assert re.search(
        r"^::warning file=test_main\.py,title=greenroom schema::GET /wrong 200 schema: expected",
        result.out,
        re.MULTILINE,
    )


def test_nothing_is_said_to_github_elsewhere(pytester: pytest.Pytester) -> None:
    """No annotations on a developer's machine."""
    assert "::warning" not in run(pytester).out


def test_the_gates_wait_for_a_whole_run(pytester: pytest.Pytester) -> None:
    """One test, or one file, shows less than the suite; its problems are new ones all the same."""
    table = '[tool.greenroom.contract]\nbaseline = "known.json"\n'
    assert run(pytester, "--greenroom-report=known.json", test=ALL).code == 0
    for part in (["-k", "read"], ["test_main.py::test_read"], ["test_main.py"]):
        assert run(pytester, "--greenroom-fail-under=100", *part, table=table, test=ALL).code == 0
    (pytester.path / "known.json").unlink()
    fine = ALL.replace('"/wrong"', '"/items/1"')
    assert run(pytester, "--greenroom-report=known.json", test=fine).code == 0
    result = run(pytester, "-k", "wrong", table=table, test=ALL)
    assert result.code == 1
    assert "GR042 there are problems that known.json doesn't know." in result.out


def test_a_baseline_is_written_where_it_is_read(pytester: pytest.Pytester) -> None:
    """In the project's folder, also where pytest's own root is above it."""
    (pytester.path / "pytest.ini").write_text("[pytest]\n")
    table = '[tool.greenroom]\n[tool.greenroom.contract]\nbaseline = "known.json"\n'
    files = {
        "backend/main.py": APP,
        "backend/pyproject.toml": table,
        "backend/test_main.py": TEST,
    }
    first = Project(files).run(pytester, "backend", "--greenroom-report=known.json")
    assert first.code == 0, first.out
    assert (pytester.path / "backend" / "known.json").is_file()
    assert Project(files).run(pytester, "backend").code == 0


@pytest.mark.parametrize("flag", ["--greenroom-report=json", "--greenroom-fail-under=9"])
def test_nothing_is_asked_of_a_contract_that_is_off(pytester: pytest.Pytester, flag: str) -> None:
    """A gate that is silently open is none."""
    result = run(pytester, "--greenroom-contract=off", flag)
    assert result.code == pytest.ExitCode.USAGE_ERROR
    assert "GR005 the contract is off (--greenroom-contract)" in result.out


def test_a_run_that_asks_nothing_says_that_it_writes_nothing(pytester: pytest.Pytester) -> None:
    """An older file would be taken for its own."""
    result = run(pytester, "--greenroom-report=json", test="def test_x(): pass")
    assert result.code == 0
    assert "the app was asked nothing: nothing is written or compared" in result.out


def test_a_path_that_the_flag_has_swallowed_is_told(pytester: pytest.Pytester) -> None:
    """`--greenroom-report tests`."""
    result = run(pytester, "--greenroom-report", "tests")
    assert "to run that path, write it before the flag" in result.out


def test_the_three_worst_operations_and_ten_problems_are_told(pytester: pytest.Pytester) -> None:
    """No more, without being asked."""
    app = """
from fastapi import FastAPI
from fastapi.responses import JSONResponse
app = FastAPI()

def add(number):
    @app.get(f"/wrong{number}", response_model=None, responses={200: {"model": int}})
    async def wrong():
        return JSONResponse("x")

for number in range(12):
    add(number)
"""
    test = """
import pytest

@pytest.mark.parametrize("number", range(12))
async def test_it(client, number):
    await client.get(f"/wrong{number}")
"""
    files = {"main.py": app, "pyproject.toml": "[tool.greenroom]\n", "test_main.py": test}
    told = section(Project(files).run(pytester))
    assert sum(line.endswith("(0 of 1)") for line in told) == 3
    assert sum("/wrong" in line and " schema: " in line for line in told) == 10
    assert told[-1] == "  and 2 more; --greenroom-report shows them"
    full = section(Project(files).run(pytester, "--greenroom-report"))
    assert sum(" schema: " in line for line in full) == 12


def test_a_worker_that_died_is_missed(pytester: pytest.Pytester) -> None:
    """Its answers are gone with it, and the report says so."""
    test = (
        TEST
        + """
import os
async def test_die(client):
    await client.get("/items/1")
    os._exit(3)
"""
    )
    files = {"main.py": APP, "pyproject.toml": "[tool.greenroom]\n", "test_main.py": test}
    result = Project(files).run_subprocess(pytester, "-n", "1", "-p", "no:randomly")
    assert "the worker gw0 has died: what its tests have shown is missing" in result.out
