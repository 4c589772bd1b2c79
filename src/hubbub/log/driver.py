"""Statements in the driver's own words, past SQLAlchemy's ceremony where that costs more than the statement.

They are still SQLAlchemy's statements, compiled once for each kind of database.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql import Select


def driven(connection: Connection, statement: str, values: Any = ()) -> list[tuple[Any, ...]]:
    """Run a statement in the driver's own words; its rows, if it has any. Raises what SQLAlchemy would."""
    dialect = connection.dialect
    cursor = connection.connection.cursor()
    try:
        dialect.do_execute(cursor, statement, values)
        return list(cursor.fetchall()) if cursor.description else []
    except dialect.loaded_dbapi.Error as error:
        raise DBAPIError.instance(
            statement, None, error, dialect.loaded_dbapi.Error, hide_parameters=True
        ) from error
    finally:
        cursor.close()


class Prepared:
    """A query that is compiled once. Its values come as they are in the database: numbers and text."""

    def __init__(self, query: Select[Any]) -> None:
        self.query = query
        self._compiled: dict[str, tuple[str, list[str] | None, dict[str, Any]]] = {}

    def rows(self, connection: Connection, **values: object) -> list[tuple[Any, ...]]:
        """Every row, for these values of the query's parameters."""
        kind = connection.dialect.name
        found = self._compiled.get(kind)
        if found is None:
            compiled = self.query.compile(dialect=connection.dialect)
            found = self._compiled[kind] = (str(compiled), compiled.positiontup, dict(compiled.params))
        statement, names, given = found
        every = given | values
        return driven(
            connection, statement, every if names is None else tuple([every[name] for name in names])
        )

    def row(self, connection: Connection, **values: object) -> tuple[Any, ...] | None:
        """The only row, or None."""
        found = self.rows(connection, **values)
        assert len(found) <= 1
        return found[0] if found else None
