"""Look at an app that has no suite yet: start it as a run does, and ask it something harmless."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path

from greenroom.app import discover
from greenroom.app.parameters import parameters_of
from greenroom.config import read
from greenroom.config.project import read_project
from greenroom.facts.run import RunIdentity
from greenroom.facts.survey import Answer, Survey
from greenroom.runtime.activation import Active
from greenroom.runtime.performance import Performance
from greenroom.runtime.room import Room

#: What every app answers with 404, if nothing better is found.
NOWHERE = "/there-is-no-such-page"
_SUCCESS, _NOT_FOUND, _FAILURE = 200, 404, 500


def survey(root: Path, environ: Mapping[str, str]) -> Survey:
    """Find, load and start the app of a project, on databases of greenroom's own.

    :raises GreenroomError: if there is none, or what stands in the way of starting it.
    """
    project = read_project(root)
    settings = read.read(project.table or {}, environ, {})
    target = discover.find(root, settings.app, project.entrypoint)
    if target is None:
        raise discover.no_app(root)
    active = Active(root, settings, target, "greenroom init")
    room = Room(active, RunIdentity(uuid.uuid4().hex, "main", root), is_test_file)
    try:
        room.open()
        room.load_app()
        room.prepare()
        return _asked(room)
    finally:
        room.close()


def is_test_file(file: Path) -> bool:
    """Whether a file is a suite's, by its name or its folder."""
    name = file.name
    is_named = name.startswith("test_") or name.endswith("_test.py") or name == "conftest.py"
    return is_named or bool({"tests", "test"} & set(file.parent.parts[-3:]))


def _asked(room: Room) -> Survey:
    loop = asyncio.new_event_loop()
    try:
        room.begin(loop)
        try:
            room.before_test("greenroom init")
            answer = _answer(room)
        finally:
            room.end()
    finally:
        loop.close()
    known = room.summary()
    return Survey(
        address=_address(room, known.app),
        source=room.target.source,
        is_wsgi=room.is_wsgi,
        databases=tuple(one.product for one in known.databases),
        answer=answer,
        plan=tuple(room.proof.plan.values()),
    )


def _address(room: Room, loaded: str) -> str:
    return str(room.target) if room.target.factory else loaded


def _answer(room: Room) -> Answer:
    """The best of what the app answers: a success, or an id that isn't there, or a page that isn't."""
    performance = Performance(room, room.app, blocking=True)
    client = performance.sync_client()
    found = []
    try:
        for path in _paths(room):
            room.before_test("greenroom init")
            status = _status(client, path)
            if status == _SUCCESS and "{" not in path:
                return Answer(path, status)
            if status is not None and status < _FAILURE:
                found.append(Answer(path, status))
    finally:
        performance.close()
    return next((one for one in found if one.status == _NOT_FOUND), found[0])


def _status(client: object, path: str) -> int | None:
    get = client.get  # type: ignore[attr-defined]
    try:
        return int(get(path).status_code)
    except Exception:  # noqa: BLE001 - it's the project's own code: another path will do
        return None


def _paths(room: Room) -> Iterator[str]:
    """What can be asked by GET: what needs nothing first, then ids that aren't there."""
    routes = [route for route in room.proof.operations.routes if route.operation.method == "GET"]
    with_ids = []
    for route in routes:
        path = route.operation.path
        if "{" not in path and "<" not in path:
            yield path
        else:
            with_ids.append((path, parameters_of(route)))
    for path, parameters in with_ids:
        asked = path
        for one in parameters:
            asked = asked.replace(f"{{{one.name}}}", one.unknown or one.plain)
        if "{" not in asked and "<" not in asked:
            yield asked
    yield NOWHERE
