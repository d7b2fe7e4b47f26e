"""What the tables are made from: the metadata of the app's mapped classes, or what the project names.

Alembic migrations will come before the metadata in `auto`; the place for them is `Schema.build`.
"""

from __future__ import annotations

import importlib
import sys
import weakref
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

from sqlalchemy import MetaData, Table, event
from sqlalchemy.engine import Engine
from sqlalchemy.exc import SQLAlchemyError

from greenroom.facts.errors import Code, GreenroomError
from greenroom.facts.setting import Setting


class Schema:
    """The source of the tables.

    :param setting: the `schema` option: auto, none, or `module:attribute`.
    """

    def __init__(self, setting: Setting[str]) -> None:
        self._setting = setting
        self._seen: weakref.WeakSet[MetaData] = weakref.WeakSet()

    def watch(self) -> None:
        """See every MetaData that gets a table from now on."""
        event.listen(Table, "after_parent_attach", self._attached)

    def close(self) -> None:
        """Stop watching."""
        if event.contains(Table, "after_parent_attach", self._attached):
            event.remove(Table, "after_parent_attach", self._attached)

    @property
    def makes_tables(self) -> bool:
        """Whether greenroom makes the tables, and not the app by itself."""
        return self._setting.value != "none"

    def describe(self) -> str:
        """The header's words for where the tables come from."""
        if not self.makes_tables:
            return "schema by the app itself"
        count = sum(len(metadata.tables) for metadata in self.metadatas())
        tables = "1 table" if count == 1 else f"{count} tables"
        named = "" if self._setting.value == "auto" else f" of {self._setting.value}"
        return f"metadata{named} ({tables})"

    def metadatas(self) -> list[MetaData]:
        """The metadata to make tables from.

        :raises GreenroomError: if the named one can't be had.
        """
        if not self.makes_tables:
            return []
        if self._setting.value != "auto":
            return [self._named()]
        if len(self._seen) == 1:
            return [seen for seen in self._seen if seen.tables]
        held = {id(found): found for found in _held_by_modules() if found.tables}
        # Models that are local to a factory are held by no module: then whatever was seen counts.
        return list(held.values()) or [seen for seen in self._seen if seen.tables]

    def build(self, engine: Engine, path: Path) -> None:
        """Make the tables in a database.

        :param engine: a sync engine that leads to it.
        :param path: where it lies, for messages.
        :raises GreenroomError: if a table can't be made, naming the reason.
        """
        metadatas = self.metadatas()
        try:
            with engine.begin() as connection:
                for metadata in metadatas:
                    metadata.create_all(connection)
        except SQLAlchemyError as error:
            text = str(getattr(error, "orig", None) or error).splitlines()[0]
            if "full" in text or "disk I/O" in text:
                raise GreenroomError(
                    Code.DISK_FULL,
                    f"the test database {path} can't be written: {text}.",
                    "Free some space there, or name another folder: [tool.greenroom] directory.",
                ) from None
            raise GreenroomError(
                Code.SCHEMA,
                f"the tables can't be made from the metadata: {text}",
                "Correct the model, or name what to use instead: [tool.greenroom] schema.",
            ) from None

    def no_tables(self) -> GreenroomError:
        """The error for an app that has an engine and no table anywhere."""
        return GreenroomError(
            Code.NO_TABLES,
            "the app has a database engine, but no mapped table is known after its start-up, and "
            "its database is empty.",
            "Import the models where the app is made, or name them: [tool.greenroom] schema = "
            '"module:Base"; schema = "none" if the app makes its tables later by itself.',
        )

    def _attached(self, table: Table, parent: MetaData) -> None:
        self._seen.add(parent)

    def _named(self) -> MetaData:
        name = self._setting.value
        module, _, attribute = name.partition(":")
        advice = 'Name a declarative base or a MetaData: schema = "shop.models:Base".'
        try:
            found: object = importlib.import_module(module)
            for part in attribute.split("."):
                found = getattr(found, part)
        except (ImportError, AttributeError) as error:
            raise GreenroomError(
                Code.SCHEMA, f"schema {name!r} ({self._setting.source}): {error}.", advice
            ) from None
        metadata = found if isinstance(found, MetaData) else getattr(found, "metadata", None)
        if not isinstance(metadata, MetaData):
            kind = type(found).__name__
            raise GreenroomError(
                Code.SCHEMA, f"schema {name!r} ({self._setting.source}) is a {kind}.", advice
            )
        return metadata


def _held_by_modules() -> Iterator[MetaData]:
    """The metadata that modules hold, as itself or as the metadata of a class."""
    for module in list(sys.modules.values()):
        if not isinstance(module, ModuleType):
            continue
        for value in list(vars(module).values()):
            if isinstance(value, MetaData):
                yield value
            elif isinstance(value, type):
                for base in value.__mro__:
                    metadata = base.__dict__.get("metadata")
                    if isinstance(metadata, MetaData):
                        yield metadata
                        break
