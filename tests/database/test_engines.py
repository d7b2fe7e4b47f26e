"""The watch over engines, where threads make several at once."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine
from sqlalchemy.pool import NullPool

from greenroom.database.engines import Engines


def test_an_engine_that_another_thread_makes_meanwhile_is_the_apps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While greenroom makes one of its own: it is pointed away like any other, and leads to no real file."""
    engines = Engines(lambda *_: None, lambda file: False, tmp_path)
    pointed: list[Engine] = []
    made: list[Engine] = []
    monkeypatch.setattr(engines, "_point", lambda engine, key: pointed.append(engine))

    def make() -> None:
        made.append(create_engine(f"sqlite:///{tmp_path}/app.db"))

    class Slow(NullPool):
        """Made in the middle of `create_engine`."""

        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            thread = threading.Thread(target=make)
            thread.start()
            thread.join()

    engines.watch()
    try:
        own = engines.create_own("sqlite://", poolclass=Slow)
        make()
    finally:
        engines.close()
    assert [engine for engine in pointed if engine in made] == made
    assert len(made) == 2
    assert own not in pointed
