"""A database with the tables in it, built once, that private databases are copied from."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from greenroom.database.mark import Mark
from greenroom.database.postgresql.server import Server


@dataclass(frozen=True, slots=True)
class Template:
    """A complete template.

    :param name: its database.
    :param reused: whether an earlier run had built it.
    """

    name: str
    reused: bool


def find_or_build(
    server: Server, mark: Mark, build_in: Callable[[str], None], *, owner: str | None, rebuild: bool
) -> Template:
    """The template with the mark's fingerprint; whoever comes first builds it.

    :param mark: its kind, fingerprint, project and run.
    :param build_in: makes the tables in the database of that name.
    :param owner: the role that the app connects as; None for the server's own user.
    :param rebuild: whether one that another run has built is ignored.
    :raises GreenroomError: if it can't be built. Nothing is left of it then.
    """
    # Lock before looking: two workers may both see none.
    with server.alone(f"template {mark.fingerprint}"):
        for name, found in server.marked().items():
            if found.kind == mark.kind and found.fingerprint == mark.fingerprint:
                if found.complete and (found.run == mark.run or not rebuild):
                    server.share(name)
                    server.touch(name, found)
                    return Template(name, reused=found.run != mark.run)
                if server.try_hold(name):  # Else another run copies it now.
                    server.drop(name, force=True)
                    server.release(name)
        # The name is new each time: one that was created and never marked is known by its name alone.
        name = f"greenroom_template_{mark.fingerprint[:12]}_{secrets.token_hex(3)}"
        server.create(name, replace(mark, complete=False, used=time.time()), owner=owner)
        try:
            build_in(name)
            server.disconnect(name)
            server.mark(name, replace(mark, complete=True, used=time.time()))
            server.share(name)
        except BaseException:
            server.drop(name, force=True)
            raise
        finally:
            server.release(name)
        server.when_built()
        return Template(name, reused=False)
