"""A suite that passes is true: three faults that the usual recipe hides make greenroom's go red.

The suite is the same in both runs. With the recipe's conftest, the test and the app share a session:
what the test has loaded needs no lazy load, what the app has flushed needs no commit, and the test
session's autoflush does what the app's own sessionmaker forbids.
"""

from __future__ import annotations

import pytest

from tests.harness import Project, app_source, suite_source

PROJECT = Project({"main.py": app_source("lying"), "test_orders.py": suite_source("lying")})


def test_the_usual_recipe_stays_green(pytester: pytest.Pytester) -> None:
    """All three faults are in production tomorrow."""
    recipe = PROJECT.with_files(conftest=suite_source("shared_session_conftest"))
    recipe.run(pytester, "-p", "no:greenroom", "-o", "asyncio_mode=auto", "-W", "default").passed(3)


def test_greenroom_goes_red_on_each(pytester: pytest.Pytester) -> None:
    """Each with the error that production would show."""
    result = PROJECT.run(pytester, "-W", "default")
    result.counts(failed=3)
    result.says(
        "MissingGreenlet",
        "assert 'new' == 'paid'",
        "assert ['lamp'] == ['lamp', 'chair']",
    )
    result.silent_about("greenroom/runtime", "greenroom/client")


@pytest.mark.parametrize(
    ("fault", "repair", "test"),
    [
        ("relationship()", 'relationship(lazy="selectin")', "test_lazy_load"),
        ("await db.flush()", "await db.commit()", "test_forgotten_commit"),
        (
            "    lines = list(await",
            "    await db.flush()\n    lines = list(await",
            "test_forgotten_flush",
        ),
    ],
)
def test_each_goes_green_when_its_fault_is_mended(
    pytester: pytest.Pytester, fault: str, repair: str, test: str
) -> None:
    """The tests are right; it was the app that was wrong."""
    assert fault in PROJECT.files["main.py"]
    mended = PROJECT.with_files(main=PROJECT.files["main.py"].replace(fault, repair))
    mended.run(pytester, "-k", test).ran.assert_outcomes(passed=1, deselected=2)
