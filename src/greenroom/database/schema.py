"""What the tables are made from: migrations, the mapped classes, or what the project names."""

from __future__ import annotations

import hashlib
import importlib
import inspect
import re
import sys
import weakref
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

from sqlalchemy import MetaData, Table, create_mock_engine, event, text
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.schema import CreateSchema

from greenroom.database import disk, migrations
from greenroom.database.migrations import Migrations
from greenroom.facts.errors import Code, GreenroomError
from greenroom.facts.setting import Setting

#: One of a list of PostgreSQL's, in quotes or without.
_IDENTIFIER = re.compile(r'"((?:[^"]|"")+)"|([^\s,"]+)')
#: Changes when greenroom makes tables in another way than before.
_FORMAT = 1


class Schema:
    """The source of the tables.

    :param setting: the `schema` option: auto, alembic, none, or `module:attribute`.
    :param root: the project's folder.
    """

    def __init__(self, setting: Setting[str], root: Path) -> None:
        self._setting = setting
        self._root = root
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

    @cached_property
    def migrations(self) -> Migrations | None:
        """The project's migrations, if they are what the tables are made from.

        :raises GreenroomError: if they are asked for and there are none, or Alembic isn't installed.
        """
        if self._setting.value not in {"auto", "alembic"}:
            return None
        found = migrations.find(self._root)
        if found is None and self._setting.value == "alembic":
            raise GreenroomError(
                Code.SCHEMA,
                f'schema = "alembic" ({self._setting.source}), but {self._root} has neither an '
                "alembic.ini nor a [tool.alembic] table.",
                "Run pytest where they are, or name what the tables are made from: schema = "
                '"module:Base".',
            )
        return found

    def _source(self) -> str:
        """What makes the tables where migrations don't, in a message."""
        return "the metadata" if self._function() is None else self._setting.value

    def _function(self) -> Callable[[Connection], object] | None:
        """The function that alone makes the tables, if one is named."""
        if self._setting.value in {"auto", "alembic", "none"}:
            return None
        named = self._named()
        return None if isinstance(named, MetaData) else named

    def describe(self) -> str:
        """The header's words for where the tables come from."""
        if not self.makes_tables:
            return "schema by the app itself"
        if self.migrations is not None:
            return self.migrations.describe()
        if self._function() is not None:
            return f"schema by {self._setting.value}"
        count = sum(len(metadata.tables) for metadata in self.metadatas())
        tables = "1 table" if count == 1 else f"{count} tables"
        named = "" if self._setting.value == "auto" else f" of {self._setting.value}"
        return f"metadata{named} ({tables})"

    def metadatas(self) -> list[MetaData]:
        """The metadata to make tables from.

        :raises GreenroomError: if the named one can't be had.
        """
        if not self.makes_tables or self.migrations is not None:
            return []
        if self._setting.value != "auto":
            named = self._named()
            return [named] if isinstance(named, MetaData) else []
        if len(self._seen) == 1:
            return [seen for seen in self._seen if seen.tables]
        return self._mapped()

    def _known(self) -> list[MetaData]:
        """What the tables are made from, or what is mapped where something else makes them."""
        return self.metadatas() or self._mapped()

    def _mapped(self) -> list[MetaData]:
        held = {id(found): found for found in _held_by_modules() if found.tables}
        # Models that are local to a factory are held by no module: then whatever was seen counts.
        return list(held.values()) or [seen for seen in self._seen if seen.tables]

    def fingerprint(self, engine: Engine, *, migrates: bool) -> str | None:
        """Of everything that the tables are made from; None if that can't be known.

        :param engine: a sync engine of the database's dialect.
        :param migrates: whether migrations are what this database's tables are made by.
        """
        translated = engine.get_execution_options().get("schema_translate_map") or {}
        names = sorted((str(name), str(other)) for name, other in translated.items())
        session = sorted(engine.url.query.items())
        found = hashlib.sha256(f"{_FORMAT} {engine.dialect.name} {names} {session}".encode())
        if migrates and self.migrations is not None:
            # The models as well: a migration may import them.
            found.update(self.migrations.fingerprint().encode())
        make = self._function()
        if make is not None:
            module = sys.modules[make.__module__]
            found.update(Path(str(module.__file__)).read_bytes())
        statements: list[str] = []

        def sent(statement: Any, *rows: object, **values: object) -> None:
            compiled = statement.compile(dialect=engine.dialect)
            statements.append(f"{compiled} {compiled.params} {rows} {values}")

        mock = create_mock_engine(engine.url.set(drivername=engine.dialect.name), sent)
        try:
            for metadata in self._known():
                metadata.create_all(mock, checkfirst=False)
        except Exception:  # noqa: BLE001 - a listener of the app's wants a real connection
            return None
        # Metadata is seen in no fixed order; a table's own statements are.
        found.update("\0".join(sorted(statements)).encode())
        return found.hexdigest()

    def refuse_other_databases(self, engine: Engine) -> None:
        """Refuse tables that lie in a database of their own, whoever makes them: greenroom can't lead those elsewhere.

        :param engine: one of the app's.
        :raises GreenroomError: naming the first.
        """
        if engine.dialect.name not in {"mysql", "mariadb"}:
            return
        for metadata in self._known():
            for name in _translated(_of_tables(metadata), engine.get_execution_options()):
                raise GreenroomError(
                    Code.SCHEMA,
                    f"a table has schema={name!r}: on MariaDB and MySQL that is another database of the "
                    "server, which greenroom can't lead elsewhere.",
                    "Give that database an engine of its own, and leave schema out.",
                )

    def build(self, engine: Engine, where: str, *, migrates: bool) -> None:
        """Make the tables in a database.

        :param engine: a sync engine that leads to it.
        :param where: where it is, for messages.
        :param migrates: whether migrations are what this database's tables are made by.
        :raises GreenroomError: if a table can't be made, naming the reason.
        """
        if migrates and self.migrations is not None:
            self.migrations.upgrade(where)
            return
        try:
            with engine.begin() as connection:
                make = self._function()
                if make is not None:
                    make(connection)
                    return
                _make_schemas(connection, _searched(connection))
                for metadata in self._known():
                    _make_schemas(connection, _named_by(metadata, connection))
                    metadata.create_all(connection)
        except GreenroomError:
            raise
        except Exception as error:  # noqa: BLE001 - a listener of the app's, or its function, may raise anything
            if disk.is_full(error):
                raise disk.cannot_be_written(where, error) from None
            said = str(getattr(error, "orig", None) or error).strip() or "(no message)"
            kind = "" if isinstance(error, SQLAlchemyError) else f"{type(error).__name__}: "
            raise GreenroomError(
                Code.SCHEMA,
                f"the tables can't be made from {self._source()}: {kind}{said.splitlines()[0]}",
                "Correct that, or name what to use instead: [tool.greenroom] schema; "
                'schema = "none" if the app makes its tables by itself.',
                migrations.own_frames(error, self._root),
            ) from None

    def is_found(self, engine: Engine) -> bool:
        """Whether the engine's sessions find the tables where they look for what has no schema."""
        tables = [table for metadata in self._known() for table in metadata.tables.values()]
        searched = next((table.name for table in tables if table.schema is None), None)
        translated = engine.get_execution_options().get("schema_translate_map") or {}
        if searched is None or None in translated:
            return True
        try:
            with engine.connect() as connection:
                return connection.dialect.has_table(connection, searched)
        except Exception:  # noqa: BLE001 - of a listener of the app's: it raises again where the app connects
            return True

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
        # SQLAlchemy has tables of its own, for the catalogues that it reads.
        if parent.schema not in {"pg_catalog", "information_schema"}:
            self._seen.add(parent)

    def _named(self) -> MetaData | Callable[[Connection], object]:
        name = self._setting.value
        module, _, attribute = name.partition(":")
        advice = (
            'Name a declarative base or a MetaData, schema = "shop.models:Base", or a function that '
            "makes the tables with the Connection that it is given."
        )
        try:
            found: object = importlib.import_module(module)
            for part in attribute.split("."):
                found = getattr(found, part)
        except (ImportError, AttributeError) as error:
            raise GreenroomError(
                Code.SCHEMA, f"schema {name!r} ({self._setting.source}): {error}.", advice
            ) from None
        metadata = found if isinstance(found, MetaData) else getattr(found, "metadata", None)
        if isinstance(found, FunctionType) and not isinstance(metadata, MetaData):
            if inspect.iscoroutinefunction(found):
                raise GreenroomError(
                    Code.SCHEMA,
                    f"schema {name!r} ({self._setting.source}) is an async function.",
                    "Make it a `def`: it is given a sync Connection, also where the app is async.",
                )
            return found
        if not isinstance(metadata, MetaData):
            kind = type(found).__name__
            raise GreenroomError(
                Code.SCHEMA, f"schema {name!r} ({self._setting.source}) is a {kind}.", advice
            )
        return metadata


def _make_schemas(connection: Connection, names: list[str]) -> None:
    """`create_all` makes tables only; PostgreSQL's schemas are there before it."""
    if connection.dialect.name != "postgresql" or not names:
        return
    there = set(connection.scalars(text("SELECT nspname FROM pg_namespace")))
    for name in sorted(set(names) - there):
        connection.execute(CreateSchema(name))


def _searched(connection: Connection) -> list[str]:
    """The schemas where the app's sessions on PostgreSQL look for what has none."""
    if connection.dialect.name != "postgresql":
        return []
    path: str = connection.scalar(text("SHOW search_path")) or ""
    words = [
        quoted.replace('""', '"') if quoted else bare.lower()
        for quoted, bare in _IDENTIFIER.findall(path)
    ]
    return [word for word in words if word != "$user" and not word.startswith("pg_")]


def _named_by(metadata: MetaData, connection: Connection) -> list[str]:
    """The schemas that metadata says."""
    said = _of_tables(metadata)
    said |= {sequence.schema for sequence in metadata._sequences.values()}  # noqa: SLF001 - no other list of them
    for table in metadata.tables.values():
        said |= {getattr(column.type, "schema", None) for column in table.columns}
    return _translated(said, connection.get_execution_options())


def _of_tables(metadata: MetaData) -> set[str | None]:
    return {table.schema for table in metadata.tables.values()}


def _translated(schemas: set[str | None], options: Mapping[str, Any]) -> list[str]:
    """The schemas as an engine with these options writes them."""
    translated = options.get("schema_translate_map") or {}
    return sorted({name for one in schemas if (name := translated.get(one, one))})


def _held_by_modules() -> Iterator[MetaData]:
    """The metadata that modules hold, as itself or as that of a table or of a class."""
    for module in list(sys.modules.values()):
        if not isinstance(module, ModuleType):
            continue
        if str(module.__name__).startswith("sqlalchemy."):
            continue
        for value in list(vars(module).values()):
            if isinstance(value, MetaData):
                yield value
            elif isinstance(value, Table) and not _is_a_librarys(module):
                yield value.metadata
            elif isinstance(value, type):
                for base in value.__mro__:
                    metadata = base.__dict__.get("metadata")
                    if isinstance(metadata, MetaData):
                        yield metadata
                        break


def _is_a_librarys(module: ModuleType) -> bool:
    """Whether a module was installed: its loose tables aren't the app's."""
    file = Path(getattr(module, "__file__", None) or "")
    return bool({"site-packages", "dist-packages"} & set(file.parts))
