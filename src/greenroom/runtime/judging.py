"""What the answer to an automatic check says: that the app is right, that it's wrong, or nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from greenroom.facts.check import Check, Kind
from greenroom.facts.errors import Code, GreenroomError
from greenroom.report.diagnosis import masked

_SERVER_ERROR = 500
UNAUTHENTICATED = (401, 403)
_NOT_FOUND = 404
_SHOWN = 300
#: Checks whose body is what is wrong.
_OF_BODIES = (Kind.INVALID, Kind.NO_JSON)


class CannotBuildError(Exception):
    """A check turns out to say nothing; the text says why."""


def judge(check: Check, response: Any, *, has_user: bool, unknown: str) -> None:
    """Judge an answer.

    :param has_user: whether somebody has asked who may be anybody.
    :param unknown: the path parameters of which no row is known.
    :raises GreenroomError: if the app fails the check.
    :raises CannotBuildError: if the answer is one to something else.
    """
    status = response.status_code
    shown = masked(str(getattr(response, "text", "")))[:_SHOWN]
    came = f"{status}{': ' + shown if shown else ''}"
    if status >= _SERVER_ERROR:
        raise failed(check, f"a failure of the server came: {came}")
    if check.kind in {*_OF_BODIES, Kind.UNKNOWN, Kind.WRONG_FORM}:
        _is_about_something_else(check, response, came, has_user=has_user, unknown=unknown)
    if status not in check.expected:
        wanted = " or ".join(map(str, check.expected))
        raise failed(check, f"expected {wanted}, came {came}")
    content_type = response.headers.get("content-type", "")
    if shown and "json" not in content_type:
        raise failed(
            check, f"an error in JSON was expected, came {content_type or 'no type'}: {shown}"
        )


def _is_about_something_else(
    check: Check, response: Any, came: str, *, has_user: bool, unknown: str
) -> None:
    """Raise CannotBuildError if the app hasn't come as far as what the check is about."""
    status = response.status_code
    if status in UNAUTHENTICATED and has_user:
        raise CannotBuildError(f"the user who asks may not: {came}")
    if status in UNAUTHENTICATED:
        raise CannotBuildError(
            f"it wants a credential that its document doesn't declare, and nobody has one: {came}"
        )
    if status == _NOT_FOUND and _NOT_FOUND not in check.expected and unknown:
        raise CannotBuildError(f"what {unknown} names isn't known, so nothing is there: {came}")
    if check.kind in _OF_BODIES and status in check.expected:
        elsewhere = _refused_places(response)
        if elsewhere and "body" not in elsewhere:
            raise CannotBuildError(f"what was refused is the {', '.join(elsewhere)}: {came}")


def _refused_places(response: Any) -> list[str]:
    """The parts of a request that FastAPI's own answer to invalid input names."""
    try:
        told = json.loads(response.text)
    except ValueError:
        return []
    errors = told.get("detail") if isinstance(told, dict) else None
    if not isinstance(errors, list):
        return []
    places = [one.get("loc") for one in errors if isinstance(one, dict)]
    return list(dict.fromkeys(str(one[0]) for one in places if isinstance(one, list) and one))


def failed(check: Check, what: str) -> GreenroomError:
    """The error of an app that fails a check."""
    advice = {
        Kind.ANONYMOUS: "Let the operation depend on what asks for the credential.",
        Kind.FORGOTTEN: "Others on the same collection require a credential. Let it depend on what asks for one. "
        "If anybody may, drop the check:",
        Kind.MALFORMED: "Let what reads the credential refuse one that it can't read.",
        Kind.FORGED: "Let what reads the credential verify by whom it was signed.",
        Kind.EXPIRED: "Let what reads the credential look at the time at which it expires.",
        Kind.ANOTHERS: "Look for the row among those of the user who asks. If all may see it, drop the check:",
        Kind.UNKNOWN: "Answer 404 where the parameter names nothing. If that's meant otherwise, drop the check:",
    }.get(check.kind, "Correct the operation; or drop the check:")
    drop = f'[tool.greenroom.checks.drop] "{check}" = "the reason"'
    return GreenroomError(
        Code.CHECK, f"{check}: {what}", f"{advice} {drop}" if advice.endswith(":") else advice
    )


class Shapes:
    """The shapes that errors' bodies have; one whose keys are some of another's is the same."""

    def __init__(self) -> None:
        self._places: dict[str, list[str]] = {}
        self._keys: dict[str, frozenset[str]] = {}

    def add(self, place: str, response: Any) -> None:
        """Look at one."""
        try:
            body = json.loads(response.text)
        except ValueError:
            body = "no JSON"
        if not isinstance(body, Mapping):
            shape = body if body == "no JSON" else type(body).__name__
            self._places.setdefault(shape, []).append(place)
            return
        keys = frozenset(map(str, body))
        shape = next(
            (name for name, known in self._keys.items() if known <= keys or keys <= known),
            "{" + ", ".join(sorted(keys)) + "}",
        )
        self._keys[shape] = self._keys.get(shape, frozenset()) | keys
        self._places.setdefault(shape, []).append(place)

    def judge(self) -> None:
        """Raise GreenroomError if there are several."""
        if len(self._places) < 2:  # noqa: PLR2004 - several
            return
        told = [f"  {shape}: {', '.join(places)}" for shape, places in sorted(self._places.items())]
        raise GreenroomError(
            Code.CHECK,
            "the app's errors have bodies of different shapes.",
            "\n".join(
                [*told, "Let one exception handler write them all, Starlette's own among them."]
            ),
        )
