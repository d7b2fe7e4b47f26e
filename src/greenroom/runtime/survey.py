"""Look at an app that has no suite yet: start it as a run does, and ask it something harmless."""

from __future__ import annotations

import asyncio
import itertools
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from greenroom.app import discover
from greenroom.app.parameters import parameters_of
from greenroom.config import read
from greenroom.config.project import read_project
from greenroom.facts.run import RunIdentity
from greenroom.facts.setting import Setting
from greenroom.facts.survey import Answer, Survey
from greenroom.runtime.activation import Active, test_file_rule
from greenroom.runtime.performance import Performance
from greenroom.runtime.room import Room

#: What every app answers with 404, if nothing better is found.
_NOWHERE = "/there-is-no-such-page"
#: What pytest takes for test modules where nobody says otherwise.
_TEST_FILES = ("test_*.py", "*_test.py")
_SUCCESS, _NOT_FOUND, _FAILURE = 200, 404, 500
#: How long, in seconds, an answer is waited for, and how many paths are asked at most.
_PATIENCE, _MOST = 3.0, 12
#: What is asked first, as it's there to be asked; and what isn't asked, as it may do something.
_HARMLESS = ("health", "ping", "status", "ready", "live", "version")
_HARMFUL = (
    "log",
    "sign",
    "delete",
    "remove",
    "export",
    "download",
    "stream",
    "event",
    "token",
    "callback",
)


def survey(root: Path, environ: Mapping[str, str]) -> Survey:
    """Find, load and start the app of a project, on databases of greenroom's own.

    :raises GreenroomError: if there is none, or what stands in the way of starting it.
    """
    project = read_project(root)
    settings = read.read(project.table or {}, environ, {})
    settings = replace(settings, limit=Setting(_PATIENCE, "greenroom init"))
    target = discover.find(root, settings.app, project.entrypoint)
    if target is None:
        raise discover.no_app(root)
    active = Active(root, settings, target, "greenroom init")
    rule = test_file_rule(_TEST_FILES, root)
    room = Room(active, RunIdentity(uuid.uuid4().hex, "main", root), rule)
    try:
        room.open()
        room.load_app()
        room.prepare()
        answer = _asked(room)
        known = room.summary()
        return Survey(
            address=_address(room, known.app),
            module=target.module,
            source=target.source,
            declares=project.declares,
            is_wsgi=room.is_wsgi,
            databases=tuple(one.product for one in known.databases),
            answer=answer,
            plan=tuple(room.proof.plan.values()),
        )
    finally:
        room.close()


def _asked(room: Room) -> Answer | None:
    loop = asyncio.new_event_loop()
    try:
        room.begin(loop)
        try:
            return _answer(room)
        finally:
            room.end()
    finally:
        loop.close()


def _address(room: Room, loaded: str) -> str:
    address = str(room.target) if room.target.factory else loaded
    # One that is only found where it lies can't be named: it's found again.
    return address if discover.import_root(room.root, address) == room.target.path else ""


def _answer(room: Room) -> Answer | None:
    """The best of what the app answers: a success, or an id that isn't there, or a page that isn't.

    None if every path that was asked fails.
    """
    found = []
    for path in [*itertools.islice(_paths(room), _MOST), _NOWHERE]:
        status = _status(room, path)
        if status == _SUCCESS:
            return Answer(path, status)
        if status is not None and status < _FAILURE:
            found.append(Answer(path, status))
    return next((one for one in found if one.status == _NOT_FOUND), found[0] if found else None)


def _status(room: Room, path: str) -> int | None:
    """What a client answers who has asked nothing else, as in a test of its own; None if it fails."""
    room.before_test("greenroom init")
    performance = Performance(room, room.app, blocking=True)
    get: Any = performance.sync_client().get
    try:
        return int(get(path).status_code)
    except KeyboardInterrupt:
        raise
    except BaseException:  # noqa: BLE001 - it's the project's own code: another path will do
        return None
    finally:
        performance.close()


def _paths(room: Room) -> Iterator[str]:
    """What can be asked by GET: what needs nothing first, then ids that aren't there."""
    routes = [
        route
        for route in room.proof.operations.routes
        if route.operation.method == "GET"
        and not any(word in route.operation.path.lower() for word in _HARMFUL)
    ]
    routes.sort(key=lambda one: not any(word in one.operation.path for word in _HARMLESS))
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
