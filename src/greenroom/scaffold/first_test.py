"""A first test, of what the app was seen to answer."""

from __future__ import annotations

from greenroom.facts.survey import Survey
from greenroom.scaffold.project import Project
from greenroom.scaffold.proposal import Proposal

_NOT_FOUND = 404
_NAME = "test_smoke.py"


def first_test(project: Project, survey: Survey) -> Proposal | None:
    """The test, if the project has none."""
    folder, answer = project.tests_folder, survey.answer
    if project.tests or project.own_client or answer is None or folder is None:
        return None
    if not project.collects(_NAME):
        return None
    name = "what_is_not_there_is_not_found" if answer.status == _NOT_FOUND else "the_app_answers"
    lines = [
        f"{'def' if survey.is_wsgi else 'async def'} test_{name}(client):",
        f"    response = {'' if survey.is_wsgi else 'await '}client.get({_quoted(answer.path)})",
        "",
        f"    assert response.status_code == {answer.status}",
    ]
    text = "\n".join(lines) + "\n"
    return Proposal(folder / _NAME, None, text, "a first test, which passes")


def _quoted(text: str) -> str:
    return f'"{text}"' if '"' not in text and "\\" not in text else repr(text)
