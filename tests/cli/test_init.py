"""`greenroom init`: what it proposes, and that it writes that and nothing else."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest

from tests.cli.folder import Folder, changes
from tests.docs.blocks import files_of

APP = """
from fastapi import FastAPI, HTTPException
app = FastAPI()

@app.get("/items/{item_id}")
def read_item(item_id: int):
    raise HTTPException(404)

@app.get("/health")
def health(): return {"status": "ok"}

@app.post("/items", status_code=201)
def create_item(body: dict): return body
"""

HEALTHY = "async def test_health(client): assert (await client.get('/health')).status_code == 200"


@pytest.fixture
def bare(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "shop").write(main_dot_py=APP)


def test_a_bare_project_gets_a_suite_that_is_green(bare: Folder) -> None:
    """Settings, a first test of what the app was seen to answer, and a workflow."""
    done = bare.init("--yes")
    assert done.returncode == 0, done.stderr
    assert set(bare.files()) == {
        ".env.test",
        ".github/workflows/tests.yml",
        "main.py",
        "pyproject.toml",
        "tests/test_smoke.py",
    }
    assert 'client.get("/health")' in bare.files()["tests/test_smoke.py"]
    ran = bare.pytest("-q")
    assert "1 passed" in ran.stdout, ran.stdout
    assert ran.returncode == 0


def test_what_is_shown_is_what_git_shows(bare: Folder) -> None:
    """Line by line, of new files and of a changed one."""
    bare.write(pyproject_dot_toml='# mine\n[project]\nname = "shop"\nversion = "1"\n')
    bare.git("init", "-q")
    bare.git("add", "-A")
    bare.git("commit", "-qm", "first")
    done = bare.init("--yes")
    bare.git("add", "-AN", ".")
    shown = bare.git("diff", "--no-color")
    assert sorted(changes(done.stdout)) == sorted(changes(shown))
    assert not [line for line in changes(shown) if line.startswith("-")]


def test_the_second_time_there_is_nothing_to_do(bare: Folder) -> None:
    """Also with what was asked for besides."""
    wanted = ["--yes", "--stubs", "--skill"]
    assert bare.init(*wanted).returncode == 0
    before = bare.files()
    done = bare.init(*wanted)
    assert "Nothing to do." in done.stdout
    assert bare.files() == before
    assert bare.init("--check", "--stubs", "--skill").returncode == 0


def test_check_writes_nothing_and_says_so_by_its_code(bare: Folder) -> None:
    """For CI."""
    before = bare.files()
    done = bare.init("--check")
    assert (done.returncode, bare.files()) == (1, before)
    assert "4 files proposed." in done.stdout


def test_each_file_is_asked_for(bare: Folder) -> None:
    """Only what gets a yes is written."""
    done = bare.init(answers="n\nn\nyes\nn\n")
    assert set(bare.files()) == {"main.py", "tests/test_smoke.py"}
    assert "Write tests/test_smoke.py? [y/N]" in done.stdout
    assert "One file written." in done.stdout


def test_nobody_who_answers_is_a_no(bare: Folder) -> None:
    """As in a pipe."""
    done = bare.init()
    assert "Nobody answers: give --yes to write, or --check to look." in done.stdout
    assert set(bare.files()) == {"main.py"}
    assert done.returncode == 0


def test_nothing_is_overwritten(bare: Folder) -> None:
    """Whatever the files say."""
    own = {
        "pyproject_dot_toml": '[tool.greenroom]\napp = "main:app"\n[tool.pytest.ini_options]\n'
        'asyncio_mode = "strict"\naddopts = "-q"\n[tool.coverage.run]\nbranch = false\n',
        "tests__test_own_dot_py": "async def test_own(client): pass\n",
    }
    bare.write(**own)
    (bare.path / ".env.test").write_text("A=1\n")
    (bare.path / ".gitlab-ci.yml").write_text("tests:\n  script: pytest\n")
    before = bare.files()
    assert bare.init("--yes").returncode == 0
    after = bare.files()
    assert {
        name: text for name, text in after.items() if name in before and name != "pyproject.toml"
    } == {name: text for name, text in before.items() if name != "pyproject.toml"}
    assert set(after) == set(before)
    table = bare.data()["pytest"]["ini_options"]  # type: ignore[index]
    assert (table["asyncio_mode"], table["addopts"]) == ("strict", "-q")
    assert "asyncio_default_test_loop_scope" not in table


def test_markers_that_nobody_has_declared_keep_strict_markers_out(bare: Folder) -> None:
    """The suite would not be collected."""
    bare.write(
        pyproject_dot_toml='[tool.pytest.ini_options]\nmarkers = ["fast: quick"]\n',
        tests__test_own_dot_py="import pytest\n@pytest.mark.fast\n@pytest.mark.slow\n"
        "async def test_own(client): pass\n",
    )
    done = bare.init("--yes")
    assert (
        "strict markers are left out: the suite uses marks that nobody has declared" in done.stdout
    )
    assert "strict" not in str(bare.data()["pytest"])
    assert "1 passed" in bare.pytest("-q").stdout


def test_a_project_whose_settings_are_elsewhere_keeps_them_there(bare: Folder) -> None:
    """pytest.ini wins over pyproject.toml."""
    bare.write(pytest_dot_ini="[pytest]\n")
    done = bare.init("--yes")
    assert "pytest takes its settings from pytest.ini, which is left as it is" in done.stdout
    assert "pytest" not in bare.data()
    assert "1 passed" in bare.pytest("-q").stdout


def test_a_suite_for_anyio_keeps_its_mode(bare: Folder) -> None:
    """In auto mode pytest-asyncio would take its fixtures."""
    bare.write(
        tests__test_own_dot_py="import pytest\npytestmark = pytest.mark.anyio\n"
        "@pytest.fixture\ndef anyio_backend(): return 'asyncio'\n"
        "async def test_own(client): assert (await client.get('/health')).status_code == 200\n"
    )
    bare.init("--yes")
    assert "asyncio_mode" not in str(bare.data())
    assert "1 passed" in bare.pytest("-q").stdout


def test_names_of_variables_are_taken_over_and_no_values(bare: Folder) -> None:
    """They may be secrets."""
    bare.write(_dot_env="export TOKEN=s3cret\nSHOP_NAME = x\n# OTHER=1\n")
    bare.init("--yes")
    text = bare.files()[".env.test"]
    assert "# TOKEN=\n# SHOP_NAME=\n" in text
    assert "s3cret" not in text
    assert "OTHER" not in text


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"requirements_dot_txt": ""}, 'pip install -r requirements.txt "greenroom"'),
        ({"uv_dot_lock": ""}, 'uv run --with "greenroom" pytest'),
        ({"poetry_dot_lock": ""}, "poetry run pytest"),
        (
            {
                "pyproject_dot_toml": '[build-system]\nrequires = []\n[project]\nname = "s"\nversion = "1"\n'
                '[project.optional-dependencies]\ndev = ["greenroom"]\n'
            },
            'pip install -e ".[dev]"',
        ),
        (
            {
                "pyproject_dot_toml": '[project]\nname = "s"\nversion = "1"\ndependencies = ["fastapi"]\n'
                '[dependency-groups]\ndev = ["greenroom"]\n'
            },
            'pip install "fastapi" --group dev',
        ),
        (
            {
                "uv_dot_lock": "",
                "pyproject_dot_toml": '[project]\nname = "s"\nversion = "1"\n[dependency-groups]\n'
                'quality = ["ruff"]\nsuite = ["greenroom"]\n',
            },
            "uv run --group suite pytest",
        ),
        (
            {
                "pyproject_dot_toml": '[build-system]\nrequires = []\n[project]\nname = "s"\nversion = "1"\n'
                '[project.optional-dependencies]\nsuite = ["greenroom"]\n'
            },
            'pip install -e ".[suite]"',
        ),
        (
            {
                "requirements_dash_dev_dot_txt": "",
                "pyproject_dot_toml": '[project]\nname = "s"\nversion = "1"\ndependencies = ["fastapi"]\n',
            },
            'pip install -r requirements-dev.txt "fastapi" "greenroom"',
        ),
    ],
    ids=["requirements", "uv", "poetry", "extra", "group", "uv's group", "extra", "both"],
)
@pytest.mark.parametrize("service", ["github", "gitlab"])
def test_the_workflow_installs_as_the_project_does(
    bare: Folder, service: str, files: dict[str, str], expected: str
) -> None:
    """And it is valid YAML."""
    import yaml

    bare.write(**files)
    assert bare.init("--yes", "--ci", service).returncode == 0
    name = ".github/workflows/tests.yml" if service == "github" else ".gitlab-ci.yml"
    text = bare.files()[name]
    assert expected in text
    jobs = yaml.safe_load(text)
    job = jobs["jobs"]["tests"] if service == "github" else jobs["tests"]
    steps = [step.get("run", "") for step in job["steps"]] if service == "github" else job["script"]
    assert "pytest" in steps[-1]


def test_no_workflow_is_proposed_where_none_is_wanted(bare: Folder) -> None:
    """`--ci none`."""
    bare.init("--yes", "--ci", "none")
    assert not [name for name in bare.files() if name.endswith(".yml")]


def test_a_service_that_nobody_knows_is_refused(bare: Folder) -> None:
    """With those that are known."""
    done = bare.init("--ci", "jenkins")
    assert done.returncode == 2
    assert "'jenkins'" in done.stderr
    assert "github" in done.stderr
    assert set(bare.files()) == {"main.py"}


def test_stubs_are_red_until_somebody_fills_them_in(bare: Folder) -> None:
    """One for each answer that is planned and that no test looks at."""
    bare.init("--yes", "--stubs")
    text = bare.files()["tests/test_items_missing.py"]
    assert '"""GET /items/{item_id} 404: HTTPException raised in main.read_item; ' in text
    assert '"""POST /items 201: declared in OpenAPI."""' in text
    assert "health" not in text
    ran = bare.pytest("-q", "--greenroom-report=outcome.json")
    stubs = len(re.findall(r"^async def test_", text, re.MULTILINE))
    assert f"{stubs} failed, 1 passed" in ran.stdout
    plan = json.loads((bare.path / "outcome.json").read_text())
    assert stubs == plan["planned"] - 1


def test_a_stub_that_was_filled_in_is_not_written_again(bare: Folder) -> None:
    """Nor one that is red still; what is new gets a file of its own."""
    bare.init("--yes", "--stubs")
    more = (
        APP
        + '\n@app.delete("/items/{item_id}", status_code=204)\ndef delete_item(item_id: int): pass\n'
    )
    bare.write(main_dot_py=more)
    bare.init("--yes", "--stubs")
    second = bare.files()["tests/test_items_missing_2.py"]
    assert set(re.findall(r'"""(\w+ \S+ \d+):', second)) == {
        "DELETE /items/{item_id} 204",
        "DELETE /items/{item_id} 404",
        "DELETE /items/{item_id} 422",
    }


def test_what_is_covered_gets_no_stub_whatever_else_is_wanted(bare: Folder) -> None:
    """Also where the other proposals get a no, and with `--check`."""
    bare.write(tests__test_own_dot_py=f"{HEALTHY}\n")
    done = bare.init("--stubs", answers="n\n" * 9)
    assert "Write tests/test_items_missing.py?" in done.stdout
    assert '"""GET /health 200' not in done.stdout
    assert "Nothing was written." in done.stdout
    assert '"""GET /health 200' not in bare.init("--check", "--stubs").stdout


def test_a_suite_that_cannot_be_run_gives_no_stubs(bare: Folder) -> None:
    """What pytest said is shown."""
    bare.write(tests__test_own_dot_py="import nowhere_to_be_found\n")
    done = bare.init("--yes", "--stubs")
    assert done.returncode == 1
    assert "GR053 the suite can't be run to see what it shows" in done.stderr
    assert "nowhere_to_be_found" in done.stderr


def test_the_page_for_assistants_is_short_and_says_what_it_is(bare: Folder) -> None:
    """Front matter with a name and a description, 200 lines at most."""
    import yaml

    bare.init("--yes", "--skill")
    text = bare.files()[".agents/skills/greenroom/SKILL.md"]
    assert len(text.splitlines()) <= 200
    front = yaml.safe_load(text.split("---")[1])
    assert front["name"] == "greenroom"
    assert 20 < len(front["description"]) < 1024
    bare.init("--yes", "--skill", "docs/testing.md")
    assert bare.files()["docs/testing.md"] == text


def test_what_the_page_for_assistants_shows_passes(bare: Folder) -> None:
    """Its tests, of the tutorial's app; its fixtures, which are all there are."""
    from greenroom.config.options import FIXTURES

    bare.init("--yes", "--skill")
    page = bare.files()[".agents/skills/greenroom/SKILL.md"]
    blocks = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    assert len(blocks) == 2
    app = files_of("docs/tutorial.md")["main.py"]
    test = "from main import Item, ItemIn as ItemCreate\n" + "\n".join(blocks)
    bare.write(main_dot_py=app, tests__test_smoke_dot_py=test)
    ran = bare.pytest("-q")
    assert re.search(r"\b\d+ passed", ran.stdout), ran.stdout
    assert ran.returncode == 0
    for name in FIXTURES:
        assert f"`{name}`" in page


def test_a_first_test_of_a_flask_app_blocks(tmp_path: Path) -> None:
    """And no loops are spoken of."""
    folder = Folder(tmp_path).write(
        app_dot_py="from flask import Flask\napp = Flask(__name__)\n"
        "@app.get('/hello')\ndef hello(): return {'a': 1}\n"
    )
    done = folder.init("--yes")
    assert done.returncode == 0, done.stderr
    assert "\ndef test_" in "\n" + folder.files()["tests/test_smoke.py"]
    assert "asyncio" not in str(folder.data())
    assert "1 passed" in folder.pytest("-q").stdout


def test_it_is_called_from_a_folder_below(bare: Folder) -> None:
    """The project is the one that pytest would find."""
    below = Folder(bare.path / "docs")
    bare.write(
        pyproject_dot_toml='[project]\nname = "s"\nversion = "1"\ndependencies = ["greenroom"]\n'
    )
    assert below.init("--yes").returncode == 0
    assert "tests/test_smoke.py" in bare.files()


def test_outside_of_a_project_nothing_happens(tmp_path: Path) -> None:
    """Every place that was looked at is named."""
    done = Folder(tmp_path).init("--yes")
    assert done.returncode == 1
    assert done.stderr.startswith("GR001 no app was found in")
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_an_app_that_cannot_be_imported_is_told(bare: Folder) -> None:
    """With the line of the project's own."""
    bare.write(
        main_dot_py="import os\nKEY = os.environ['SHOP_KEY']\nfrom fastapi import FastAPI\napp = FastAPI()\n"
    )
    done = bare.init("--yes")
    assert done.returncode == 1
    assert "GR002" in done.stderr
    assert "SHOP_KEY" in done.stderr
    assert set(bare.files()) == {"main.py"}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"[project\n", "GR005"),
        (b"name = '\xff'\n", "GR053"),
    ],
    ids=["no TOML", "no UTF-8"],
)
def test_a_pyproject_that_cannot_be_read_is_left_alone(
    bare: Folder, content: bytes, said: str
) -> None:
    """And nothing else is written."""
    (bare.path / "pyproject.toml").write_bytes(content)
    done = bare.init("--yes")
    assert done.returncode == 1
    assert done.stderr.startswith(said), done.stderr
    assert "Traceback" not in done.stderr
    assert (bare.path / "pyproject.toml").read_bytes() == content
    assert len(list(bare.path.iterdir())) == 2


def test_uncommitted_changes_are_warned_of(bare: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    """The diff would show both; what asking the app compiles isn't among them."""
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    bare.git("init", "-q")
    assert "warning: not committed yet: main.py." in bare.init("--check").stdout
    bare.git("add", "-A")
    bare.git("commit", "-qm", "first")
    assert "warning" not in bare.init("--check").stdout


def test_a_file_that_git_ignores_is_told(bare: Folder) -> None:
    """It would be missing in CI."""
    bare.write(_dot_gitignore=".env*\n")
    bare.git("init", "-q")
    said = "note: .env.test is ignored by git (.gitignore:1:.env*): it would be missing in CI."
    assert said in bare.init("--yes").stdout


def bound_by_rights() -> None:
    """Have permissions hold for root, too, in the program that comes next (CAP_DAC_OVERRIDE)."""
    import ctypes

    drop_from_bounding_set, override = 24, 1
    ctypes.CDLL(None).prctl(drop_from_bounding_set, override, 0, 0, 0)


@pytest.mark.skipif(sys.platform != "linux", reason="rights of files are Linux's here")
def test_where_it_may_not_write_it_writes_nothing(bare: Folder) -> None:
    """Neither by half nor with a traceback."""
    bare.path.chmod(0o555)
    try:
        done = bare.run(
            sys.executable, "-m", "greenroom", "init", "--yes", preexec_fn=bound_by_rights
        )
    finally:
        bare.path.chmod(0o755)
    assert done.returncode == 1
    assert re.search(
        r"GR053 \S+ can't be written: Permission denied. Nothing was written.", done.stderr
    ), done.stderr
    assert "Traceback" not in done.stderr
    assert set(bare.files()) == {"main.py"}


def test_a_file_in_the_place_of_a_folder_is_told(bare: Folder) -> None:
    """`tests` is no folder here."""
    bare.write(tests="not a folder\n")
    done = bare.init("--yes")
    assert done.returncode == 1
    assert "GR053 tests/test_smoke.py can't be written" in done.stderr
    assert set(bare.files()) == {"main.py", "tests"}


SIBLING = "import models\n" + APP


@pytest.mark.parametrize(
    "files",
    [
        {"app__main_dot_py": SIBLING, "app__models_dot_py": ""},
        {"main_dot_py": APP, "__init___dot_py": ""},
    ],
    ids=["a script beside its modules", "a package at the top"],
)
def test_an_app_that_cannot_be_named_is_found_again(tmp_path: Path, files: dict[str, str]) -> None:
    """Where it lies it can't be imported by a name, so none is written."""
    folder = Folder(tmp_path / "shop")
    for name, text in files.items():
        file = folder.path / name.replace("_dot_py", ".py").replace("app__", "app/")
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
    done = folder.run(sys.executable, "-m", "greenroom", "init", "--yes")
    assert done.returncode == 0, done.stderr
    assert folder.data()["greenroom"] == {}
    assert "1 passed" in folder.pytest("-q").stdout
    again = folder.run(sys.executable, "-m", "greenroom", "init", "--check")
    assert "Nothing to do." in again.stdout, again.stdout + again.stderr


@pytest.mark.parametrize(
    "test",
    [
        "from pytest import mark\n@mark.slow\ndef test_own(client): pass\n",
        "import pytest\nslow = getattr(pytest.mark, 'slow')\n@slow\ndef test_own(client): pass\n",
        "import pytest\n@pytest.mark.timeout(5)\ndef test_own(client): pass\n",
    ],
    ids=["another import", "another name", "a plugin that isn't there"],
)
def test_marks_are_seen_however_they_are_written(bare: Folder, test: str) -> None:
    """pytest is asked."""
    bare.write(tests__test_own_dot_py=test)
    assert "strict markers are left out" in bare.init("--yes").stdout
    assert "1 passed" in bare.pytest("-q").stdout


def test_a_mark_in_a_comment_is_none(bare: Folder) -> None:
    """Strict markers are proposed."""
    bare.write(tests__test_own_dot_py="# @pytest.mark.slow\ndef test_own(client): pass\n")
    bare.init("--yes")
    assert bare.data()["pytest"]["strict_markers"] is True  # type: ignore[index]


def test_a_suite_that_speaks_of_loops_keeps_its_own(bare: Folder) -> None:
    """Its fixtures are on the loops that it says."""
    test = """
import pytest, pytest_asyncio, asyncio
@pytest_asyncio.fixture
async def loop(): return asyncio.get_running_loop()
@pytest.mark.asyncio(loop_scope="function")
async def test_own(loop, app): assert loop is asyncio.get_running_loop()
"""
    bare.write(tests__test_own_dot_py=test)
    bare.init("--yes")
    assert "asyncio" not in str(bare.data()["pytest"])


HARMFUL = """
import time
from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.responses import StreamingResponse
app = FastAPI()

@app.get("/ticks")
def ticks():
    def endless():
        while True:
            yield b"."
            time.sleep(0.01)
    return StreamingResponse(endless())

@app.get("/leave")
def leave(): raise SystemExit(3)

@app.get("/csrf")
def csrf(response: Response): response.set_cookie("sid", "1"); response.status_code = 204

@app.get("/me")
def me(request: Request):
    if "sid" not in request.cookies: raise HTTPException(401)

@app.get("/logout")
def logout(): raise AssertionError("nobody has asked for this")
"""


def test_the_first_test_is_of_what_a_client_sees_that_has_asked_nothing_else(bare: Folder) -> None:
    """What never ends, or ends the process, is left after a moment; what may do something isn't asked."""
    bare.write(main_dot_py=HARMFUL)
    done = bare.run(sys.executable, "-m", "greenroom", "init", "--yes")
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert "1 passed" in bare.pytest("-q").stdout


def test_an_app_that_answers_nothing_gets_settings_only(bare: Folder) -> None:
    """It says so."""
    raising = (
        APP
        + """
@app.middleware("http")
async def broken(request, call_next): raise RuntimeError("not today")
"""
    )
    bare.write(main_dot_py=raising)
    done = bare.init("--yes")
    assert "there is no first test to propose" in done.stdout
    assert "tests/test_smoke.py" not in bare.files()
    assert "pyproject.toml" in bare.files()


def test_a_client_of_the_projects_own_has_no_first_test(bare: Folder) -> None:
    """How it is used isn't known."""
    bare.write(tests__conftest_dot_py="import pytest\n@pytest.fixture\ndef client(): return None\n")
    bare.init("--yes")
    assert "tests/test_smoke.py" not in bare.files()


def test_the_first_test_goes_where_pytest_looks(bare: Folder) -> None:
    """Or it isn't proposed."""
    bare.write(pyproject_dot_toml='[tool.pytest.ini_options]\ntestpaths = ["spec"]\n')
    bare.init("--yes")
    assert "spec/test_smoke.py" in bare.files()
    other = Folder(bare.path / "other").write(
        main_dot_py=APP,
        pyproject_dot_toml='[tool.pytest.ini_options]\npython_files = "check_*.py"\n',
    )
    other.init("--yes")
    assert not [name for name in other.files() if "smoke" in name]


def test_tests_of_examples_are_not_the_suite(bare: Folder) -> None:
    """Their folder isn't where pytest is sent."""
    bare.write(examples__x__test_a_dot_py="def test_a(): pass\n")
    bare.init("--yes")
    assert bare.data()["pytest"]["testpaths"] == ["tests"]  # type: ignore[index]
    assert "tests/test_smoke.py" in bare.files()


def test_stubs_are_of_the_whole_suite_whatever_its_options_leave_out(bare: Folder) -> None:
    """`-x` and `-m` of the project's own."""
    test = f"import pytest\ndef test_red(): assert 0\n@pytest.mark.slow\n{HEALTHY}\n"
    settings = '[tool.greenroom]\n[tool.pytest.ini_options]\naddopts = "-x -m \'not slow\'"\nmarkers = ["slow"]\n'
    bare.write(tests__test_own_dot_py=test, pyproject_dot_toml=settings)
    bare.init("--yes", "--stubs")
    assert "GET /health" not in bare.files()["tests/test_items_missing.py"]


def test_stubs_of_odd_paths_can_be_collected(bare: Folder) -> None:
    """Also where a file of that name lies in another folder."""
    odd = (
        APP
        + """
@app.get("/größe²/{q}")
def size(q: int): return q
@app.get("/a-b/{x}")
def first(x: int): return x
@app.get("/a_b/{x}")
def second(x: int): return x
"""
    )
    bare.write(main_dot_py=odd, tests__api__test_items_missing_dot_py="def test_moved(app): pass\n")
    bare.init("--yes", "--stubs")
    ran = bare.pytest("--collect-only", "-q")
    assert ran.returncode == 0, ran.stdout
    assert "tests/test_items_missing_2.py" in bare.files()


def test_a_suite_that_asks_the_app_nothing_gets_a_stub_for_everything(bare: Folder) -> None:
    """It shows nothing, whatever passes."""
    bare.write(tests__test_own_dot_py="def test_own(): pass\n")
    done = bare.init("--yes", "--stubs")
    assert done.returncode == 0, done.stderr
    assert '"""GET /health 200' in bare.files()["tests/test_health_missing.py"]


def test_ctrl_c_at_a_question_ends_it(bare: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was written before is said."""
    answers = iter(["y"])

    def asked(question: str) -> str:
        try:
            return next(answers)
        except StopIteration:
            raise KeyboardInterrupt from None

    monkeypatch.setattr("builtins.input", asked)
    done = bare.init()
    assert done.returncode == 130
    assert "One file written." in done.stdout
    assert "Traceback" not in done.stderr


def test_a_terminal_that_knows_no_umlaut_is_no_obstacle(bare: Folder) -> None:
    """Nor is a folder of such a name."""
    folder = Folder(bare.path / "größe", {"PYTHONIOENCODING": "ascii"}).write(
        main_dot_py=APP, pyproject_dot_toml="# é\n"
    )
    done = folder.run(sys.executable, "-m", "greenroom", "init", "--yes")
    assert done.returncode == 0, done.stderr
    assert "# é\n" in (folder.path / "pyproject.toml").read_text(encoding="utf-8")


def test_files_that_cannot_be_read_are_no_obstacle(bare: Folder) -> None:
    """A `.env` that is a folder, requirements in UTF-16, as some shells write them."""
    (bare.path / ".env").mkdir()
    (bare.path / "requirements.txt").write_text("fastapi\n", encoding="utf-16")
    (bare.path / ".env.example").write_bytes(b"NAME=gr\xf6\n")
    done = bare.init("--yes")
    assert done.returncode == 0, done.stderr
    assert "# NAME=\n" in bare.files_text(".env.test")
    assert "-r requirements.txt" in bare.files_text(".github/workflows/tests.yml")


def test_below_the_top_of_a_repository_no_workflow_is_written(bare: Folder) -> None:
    """Nobody would run it there."""
    Folder(bare.path.parent).git("init", "-q")
    done = bare.init("--yes")
    assert "a workflow belongs there" in done.stdout
    assert not [name for name in bare.files() if name.endswith(".yml")]


@pytest.mark.parametrize(
    ("requires", "expected"),
    [("==3.12.*", "3.12"), ("~=3.12", "3.12"), (">=3.9", "3.11"), (">3.11,<3.14", "3.11")],
)
def test_the_python_of_the_workflow_is_one_that_the_project_allows(
    bare: Folder, requires: str, expected: str
) -> None:
    """The oldest that greenroom runs on."""
    bare.write(
        pyproject_dot_toml=f'[project]\nname = "s"\nversion = "1"\nrequires-python = "{requires}"\n'
        "dependencies = ['uvloop; sys_platform != \"win32\"']\n"
    )
    bare.init("--yes")
    text = bare.files()[".github/workflows/tests.yml"]
    assert f'python-version: "{expected}"' in text
    assert "uvloop" in text


def test_one_file_for_two_things_is_refused(bare: Folder) -> None:
    """Before anything is written."""
    done = bare.init("--yes", "--skill", "pyproject.toml")
    assert done.returncode == 1
    assert "GR053 pyproject.toml is wanted for two things" in done.stderr
    assert set(bare.files()) == {"main.py"}


def test_a_folder_above_is_not_the_suites_whatever_its_name(tmp_path: Path) -> None:
    """The app's engine is the app's: its own database is never made."""
    app = """
from contextlib import asynccontextmanager
from fastapi import FastAPI
from sqlalchemy import create_engine, text
engine = create_engine("sqlite:///shop.db")

@asynccontextmanager
async def lifespan(app):
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE IF NOT EXISTS items (id int)"))
    yield

app = FastAPI(lifespan=lifespan)

@app.get("/health")
def health(): return {}
"""
    folder = Folder(tmp_path / "tests" / "shop").write(main_dot_py=app)
    done = folder.init("--yes")
    assert done.returncode == 0, done.stderr
    assert "on sqlite" in done.stdout
    assert not (folder.path / "shop.db").exists()


def test_a_workflow_that_releases_runs_no_tests(bare: Folder) -> None:
    """`make release` is no suite; `make test` is."""
    bare.write(
        _dot_github__workflows__release_dot_yml="jobs:\n  a:\n    steps:\n      - run: make release\n"
    )
    bare.init("--yes")
    assert ".github/workflows/tests.yml" in bare.files()
    bare.write(_dot_gitlab_dash_ci_dot_yml="a:\n  script:\n    - make -j2 test\n")
    assert "is left as it is" not in bare.init("--check", "--ci", "gitlab").stdout


def test_the_python_that_poetry_asks_for_is_the_workflows(bare: Folder) -> None:
    """And a pytest that it keeps old gets its settings where that looks."""
    bare.write(
        pyproject_dot_toml='[tool.poetry.dependencies]\npython = "^3.12"\n'
        '[tool.poetry.group.dev.dependencies]\npytest = "^8"\n'
    )
    bare.init("--yes")
    assert 'python-version: "3.12"' in bare.files()[".github/workflows/tests.yml"]
    assert "[tool.pytest.ini_options]" in bare.files()["pyproject.toml"]


def test_what_git_ignores_is_no_reason_to_fail_in_ci(bare: Folder) -> None:
    """It is never there."""
    bare.write(_dot_gitignore=".env*\n", _dot_env="TOKEN=x\n")
    bare.git("init", "-q")
    done = bare.init("--yes")
    assert "note: git ignores .env, which the app may read here" in done.stdout
    (bare.path / ".env.test").unlink()
    again = bare.init("--check")
    assert (again.returncode, "Nothing to do." in again.stdout) == (0, True), again.stdout


@pytest.mark.parametrize("told", ["src/*/tests", "tests/test_api.py"])
def test_tests_that_lie_in_no_one_folder_get_no_folder(bare: Folder, told: str) -> None:
    """No folder is called `*`, and a file is none."""
    bare.write(
        pyproject_dot_toml=f'[tool.pytest.ini_options]\ntestpaths = ["{told}"]\n',
        tests__test_api_dot_py=HEALTHY,
    )
    done = bare.init("--yes", "--stubs")
    assert done.returncode == 0, done.stderr
    assert not [name for name in bare.files() if "*" in name or "test_api.py/" in name]


def test_stubs_that_pytest_would_not_see_are_not_written(bare: Folder) -> None:
    """And that is said."""
    bare.write(
        pyproject_dot_toml='[tool.pytest.ini_options]\npython_files = ["check_*.py"]\n',
        check_it_dot_py=HEALTHY,
    )
    done = bare.init("--yes", "--stubs")
    assert "note: no stubs: python_files keeps pytest from files named test_*.py." in done.stdout
    assert not [name for name in bare.files() if "missing" in name]


def test_the_page_of_a_flask_app_awaits_nothing(tmp_path: Path) -> None:
    """It has no models and no dependencies either."""
    folder = Folder(tmp_path).write(
        app_dot_py="from flask import Flask\napp = Flask(__name__)\n@app.get('/')\ndef hello(): return {}\n"
    )
    assert folder.init("--yes", "--skill").returncode == 0
    page = folder.files()[".agents/skills/greenroom/SKILL.md"]
    for word in ("await", "async def", "overrides", "ItemCreate", ".json()"):
        assert word not in page
    assert "Every fixture blocks." in page
