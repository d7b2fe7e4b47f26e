"""Which requests for fixtures a suite's source shows."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from greenroom.config.suite import Request, find_request


def find(tmp_path: Path, **files: str) -> Request | None:
    for name, source in files.items():
        file = tmp_path / f"{name.replace('__', '/')}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(textwrap.dedent(source), encoding="utf-8")
    return find_request(tmp_path, [tmp_path], ["venv", ".*"], ["test_*.py", "check_*.py"])


@pytest.mark.parametrize(
    "source",
    [
        "def test_it(client): pass",
        "async def test_it(db_session): pass",
        "class TestIt:\n    def test_it(self, *, overrides): pass",
        "import pytest\n@pytest.fixture\ndef thing(app): pass",
        "import pytest\n@pytest.mark.usefixtures('client')\ndef test_it(): pass",
        "import pytest\n@pytest.mark.usefixtures('client')\nclass TestIt: pass",
        "import pytest\npytestmark = [pytest.mark.usefixtures('db_session')]",
        "import pytest\npytestmark = pytest.mark.usefixtures('db_session')",
        "from unittest.mock import patch\n@patch('a.b')\ndef test_it(client, mocked): pass",
        "import pytest\n@pytest.fixture\ndef client(client): return client",
    ],
)
def test_a_request_is_found(tmp_path: Path, source: str) -> None:
    """In a test, in a fixture, by a mark."""
    assert find(tmp_path, test_it=source) is not None


@pytest.mark.parametrize(
    "source",
    [
        "def helper(client): pass",
        "def test_it(other): 'client'",
        "import pytest\n@pytest.mark.parametrize('a, client', [(1, 2)])\ndef test_it(a, client): pass",
        "import pytest\n@pytest.mark.parametrize('client', [1])\nclass TestIt:\n"
        "    def test_it(self, client): pass",
        "from unittest.mock import patch\n@patch('a.b')\ndef test_it(client): pass",
        "from unittest import mock\n@mock.patch.object(str, 'x')\ndef test_it(client): pass",
        "import pytest\n@pytest.fixture\ndef client(): pass\ndef test_it(client): pass",
        "import pytest\n@pytest.fixture(name='client')\ndef other(): pass\ndef test_it(client): pass",
        "import pytest\ndef make(): pass\nclient = pytest.fixture(make)\ndef test_it(client): pass",
        "import pytest_asyncio\n@pytest_asyncio.fixture(scope='module')\nasync def client(): pass\n"
        "def test_it(client): pass",
        "from elsewhere import client\ndef test_it(client): pass",
        "def test_it(client: pass",
    ],
)
def test_what_is_not_a_request(tmp_path: Path, source: str) -> None:
    """Filled in by something else, or no test at all, or no Python."""
    assert find(tmp_path, test_it=source) is None


FIXTURE = "import pytest\n@pytest.fixture\ndef client(): pass"
TEST = "def test_it(client): pass"


def test_a_conftest_provides_for_its_folder_and_below(tmp_path: Path) -> None:
    """And for nobody else."""
    assert find(tmp_path, api__conftest=FIXTURE, api__deep__test_it=TEST) is None
    request = find(tmp_path, other__test_it=TEST)
    assert request is not None
    assert request.file.parent.name == "other"


def test_a_module_of_fixtures_provides_for_all(tmp_path: Path) -> None:
    """One that a conftest names in pytest_plugins, for example."""
    assert find(tmp_path, fixtures__http=FIXTURE, test_it=TEST) is None


def test_another_test_module_provides_for_nobody(tmp_path: Path) -> None:
    """Its fixtures are its own."""
    assert find(tmp_path, test_other=FIXTURE, test_it=TEST) is not None


def test_folders_that_pytest_skips_are_skipped(tmp_path: Path) -> None:
    """And virtual environments, by whatever name."""
    (tmp_path / "environment").mkdir()
    (tmp_path / "environment" / "pyvenv.cfg").touch()
    assert find(tmp_path, venv__test_it=TEST, environment__test_it=TEST) is None
