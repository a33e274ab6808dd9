"""The columns of a table: what the database says of them, and a table made for documents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from engine.sdk import DataError, Document
from snaps.sql.shared.names import TableName, nearest_column

if TYPE_CHECKING:
    from sqlalchemy import Connection

_LONG = 2**63
_DIGITS = 38
"""The most digits of a decimal column that all databases have."""

_MIN_SCALE = 10
_EXACT = ("sqlite", "postgresql")
"""Databases whose decimal columns take any number of digits."""


class Columns(NamedTuple):
    """The columns of a table, in order, with SQLAlchemy's types; empty if unknown."""

    table: str
    types: Mapping[str, Any]

    def named(self, key: str) -> str:
        """The column that a key of a document means. Raises DataError if there is none."""
        column = nearest_column(key, tuple(self.types)) if self.types else key
        if column is None:
            known = ", ".join(self.types)
            raise DataError(
                f"the table {self.table!r} has no column {key!r}",
                f"its columns are: {known}",
                "remove the field before, for example with a Mapper, or add the column",
            )
        return column

    def has(self, key: str) -> bool:
        return nearest_column(key, tuple(self.types)) is not None

    def takes_text(self, column: str) -> bool:
        """Whether numbers must become text for this column."""
        from sqlalchemy.types import String

        return isinstance(self.types.get(column), String)

    def takes_list(self, column: str) -> bool:
        from sqlalchemy.types import ARRAY

        return isinstance(self.types.get(column), ARRAY)


def columns_of_table(connection: Connection, name: TableName) -> Columns | None:
    """The columns of a table or view; None if there is no such table."""
    from sqlalchemy import inspect
    from sqlalchemy.exc import NoSuchTableError

    table, schema = name.reflected(connection.dialect)
    try:
        found = inspect(connection).get_columns(table, schema=schema)
    except NoSuchTableError:
        return None
    if not found:  # some databases do not tell an empty answer from a missing table
        return None
    return Columns(name.shown, {column["name"]: column["type"] for column in found})


def description_of_table(connection: Connection, name: TableName) -> Document | None:
    """The schema, the name and the columns of a table; None if there is no such table."""
    from sqlalchemy import inspect
    from sqlalchemy.exc import NoSuchTableError

    table, schema = name.reflected(connection.dialect)
    inspector = inspect(connection)
    try:
        found = inspector.get_columns(table, schema=schema)
        keys = inspector.get_pk_constraint(table, schema=schema)["constrained_columns"]
    except NoSuchTableError:
        return None
    if not found:  # some databases do not tell an empty answer from a missing table
        return None
    columns: list[Any] = [
        {
            "name": str(column["name"]),
            "type": _name_of_type(column["type"], connection.dialect),
            "nullable": bool(column["nullable"]),
            "primary_key": column["name"] in keys,
        }
        for column in found
    ]
    return {"schema": schema, "table": table, "columns": columns}


def _name_of_type(kind: Any, dialect: Any) -> str | None:
    """The type as the database writes it; None for a column that has none, such as a computed
    column of a view in SQLite, and for types that SQLAlchemy does not know."""
    from sqlalchemy.exc import CompileError

    try:
        return str(kind.compile(dialect))
    except CompileError:
        return None


def create_table(connection: Connection, name: TableName, documents: Sequence[Document]) -> None:
    """Create a table with a column for each field of the documents."""
    from sqlalchemy import Column, MetaData, Table
    from sqlalchemy.schema import CreateTable

    values: dict[str, list[Any]] = {}
    for document in documents:
        for key, value in document.items():
            values.setdefault(key, []).append(value)
    dialect = connection.dialect
    columns = [Column(key, _type_for(found, dialect.name)) for key, found in values.items()]
    table, schema = name.reflected(dialect)
    connection.execute(CreateTable(Table(table, MetaData(), *columns, schema=schema)))


def _type_for(values: Sequence[Any], dialect: str) -> Any:
    """The type of a column for these values: that of the first, wide enough for all."""
    import sqlalchemy as sql
    from sqlalchemy.dialects import mysql

    known = [value for value in values if value is not None]
    first = known[0] if known else ""
    if isinstance(first, bool):
        return sql.Boolean()
    if isinstance(first, int | float | Decimal):
        if all(isinstance(value, int) and -_LONG <= value < _LONG for value in known):
            return sql.BigInteger()
        return sql.Numeric() if dialect in _EXACT else sql.Numeric(_DIGITS, _scale(known))
    if isinstance(first, datetime):
        kind = sql.DateTime(timezone=first.tzinfo is not None)
        return kind.with_variant(mysql.DATETIME(fsp=6), "mysql")
    if isinstance(first, date):
        return sql.Date()
    if isinstance(first, time):
        return sql.Time().with_variant(mysql.TIME(fsp=6), "mysql")
    if isinstance(first, bytes):
        return sql.LargeBinary().with_variant(mysql.LONGBLOB(), "mysql")
    return sql.UnicodeText().with_variant(mysql.LONGTEXT(), "mysql")


def _scale(values: Sequence[Any]) -> int:
    numbers = [Decimal(str(value)) for value in values if isinstance(value, float | Decimal)]
    exponents = [number.as_tuple().exponent for number in numbers]
    scales = [-each for each in exponents if isinstance(each, int)]
    return min(_DIGITS, max([_MIN_SCALE, *scales]))
