"""Insert a row into a table for each document; its fields are the columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from engine.sdk import ConfigurationError, DataError, Document, Example, SqlAccount, setting
from snaps.sql.shared.columns import Columns, columns_of_table, create_table
from snaps.sql.shared.settings import (
    COMMIT_CHOICES,
    FOREIGN_COMMIT,
    FOREIGN_TABLE,
    SESSION_PARAMETERS,
    WriteSettings,
    foreign,
)
from snaps.sql.shared.statements import Statement, joined
from snaps.sql.shared.writing import Row, RowError, WriteSnap

if TYPE_CHECKING:
    from sqlalchemy import Connection

Duplicates = Literal["fail", "ignore", "update"]
_CAN_IGNORE = ("mysql", "sqlite", "postgresql")
_CAN_UPDATE = ("mysql", "sqlite")
_MAX_SHAPES = 1_000


class SQLInsertSettings(WriteSettings):
    create_table: bool = setting(
        default=False,
        help="Create the table if it does not exist, with a column for each field of the first "
        "documents.",
    )
    duplicates: Duplicates = setting(
        default="fail",
        help="What happens to a row whose key exists: it fails, is ignored (MySQL, PostgreSQL, "
        "SQLite), or updates the row that exists (MySQL, SQLite).",
    )
    enable_identity_insert: bool = setting(
        default=False, help="Write values into the identity column of the table (SQL Server)."
    )


class _Shape(NamedTuple):
    """What documents with the same fields have in common."""

    statement: Statement
    columns: tuple[str, ...]


class SQLInsert(WriteSnap[SQLInsertSettings]):
    since = "0.4.0"
    about = """
    The fields of a document are the columns; a field without a column is an error, and a column
    without a field gets its default. Upper and lower case do not matter unless two columns differ
    only by it. Lists and maps are written as JSON.

    Rows are written in batches of the account's `batch_size`; a document with other fields begins a
    new batch. If a row fails, its batch is rolled back and all its documents fail: each error
    document has its `original`, and says as `batch_row` which row of the batch it was and as
    `failed_row` which one failed. Each row that was written gives `status` 1 and the document as
    `original`.
    """
    foreign = foreign(
        "insert",
        "JDBC - Insert",
        {
            "createTable": "create_table",
            "duplicates": "duplicates",
            "enableIdentityInsert": "enable_identity_insert",
            **FOREIGN_TABLE,
            **FOREIGN_COMMIT,
        },
        choices={
            **COMMIT_CHOICES,
            "duplicates": {"Fail": "fail", "Ignore": "ignore", "Update": "update"},
        },
        ignored=("sqlQueryManagement",),
        unsupported={
            **SESSION_PARAMETERS,
            "preserveCaseSensistiveness": "names that differ only in case",
            "isIcebergTable": "Iceberg tables",
            "icebergTableProps": "Iceberg tables",
        },
    )
    examples = (
        Example(
            "the fields are the columns",
            settings={"account": "shop", "table_name": "nuts", "create_table": True},
            accounts={"shop": SqlAccount(dialect="sqlite", database="shop.db")},
            given=[{"id": 1, "size": 4}, {"id": 2, "size": 6}],
            expect=[
                {"status": 1, "original": {"id": 1, "size": 4}},
                {"status": 1, "original": {"id": 2, "size": 6}},
            ],
        ),
        Example(
            "a field without a column is an error",
            settings={"account": "shop", "table_name": "nuts"},
            accounts={"shop": SqlAccount(dialect="sqlite", database="shop.db")},
            databases={"shop.db": "CREATE TABLE nuts (id INTEGER, size INTEGER);"},
            on_error="route",
            given=[{"id": 1, "colour": "red"}],
            expect={
                "error": [
                    {
                        "error": "the table 'nuts' has no column 'colour'",
                        "reason": "its columns are: id, size",
                        "resolution": "remove the field before, for example with a Mapper, or add "
                        "the column",
                        "stacktrace": "the table 'nuts' has no column 'colour': "
                        "its columns are: id, size",
                        "snap_details": {"label": "snap"},
                        "original": {"id": 1, "colour": "red"},
                    }
                ]
            },
        ),
    )

    def open(self) -> None:
        super().open()
        self._shapes: dict[tuple[str, ...], _Shape] = {}
        self._one_by_one: bool | None = None
        dialect, duplicates = self.account.dialect, self.settings.duplicates
        can = {"ignore": _CAN_IGNORE, "update": _CAN_UPDATE}.get(duplicates, (dialect,))
        if dialect not in can:
            raise ConfigurationError(
                f"duplicates: {duplicates} is not supported for {dialect}; use SQLMerge"
            )

    def table_columns(self, connection: Connection, documents: Sequence[Document]) -> Columns:
        if self.settings.create_table and columns_of_table(connection, self.name) is None:
            create_table(connection, self.name, documents)
        return super().table_columns(connection, documents)

    def row(self, document: Document, columns: Columns) -> tuple[Statement, Sequence[Any]]:
        shape = self._shape(document, columns)
        pairs = zip(document.values(), shape.columns, strict=True)
        return shape.statement, [self.column_value(v, name, columns) for v, name in pairs]

    def write(self, connection: Connection, rows: Sequence[Row]) -> list[int]:
        """All rows at once; if that fails, one by one, which tells the row that failed."""
        if self._writes_identity:
            self._set_identity(connection, "ON")
        if len(rows) == 1 or not self._may_repeat(connection):
            counts = super().write(connection, rows)
        else:
            counts = self._write_many(connection, rows)
        if self._writes_identity:
            self._set_identity(connection, "OFF")
        return counts

    def _write_many(self, connection: Connection, rows: Sequence[Row]) -> list[int]:
        text = self.session.text(rows[0].statement)
        savepoint = self.session.savepoint(connection)
        try:
            connection.exec_driver_sql(text.text, [text.arguments(row.values) for row in rows])
        except Exception as error:  # each driver has its own errors
            self._raise_if_not_of_the_row(error)
            if savepoint is None:
                raise RowError(0, error) from error
            savepoint.rollback()
            return super().write(connection, rows)
        if savepoint is not None:
            savepoint.commit()
        return [1] * len(rows)

    def _may_repeat(self, connection: Connection) -> bool:
        """Whether a batch that failed is undone, which MySQL's older engines do not."""
        if self._one_by_one is None:
            self._one_by_one = False
            if self.account.dialect == "mysql":
                table, schema = self.name.reflected(self.dialect)
                engine = connection.exec_driver_sql(
                    "SELECT ENGINE FROM information_schema.TABLES WHERE TABLE_NAME = %(table)s "
                    "AND TABLE_SCHEMA = COALESCE(%(schema)s, DATABASE())",
                    {"table": table, "schema": schema},
                ).scalar()
                self._one_by_one = str(engine).lower() not in ("innodb", "rocksdb", "ndbcluster")
        return not self._one_by_one

    def _shape(self, document: Document, columns: Columns) -> _Shape:
        keys = tuple(document)
        shape = self._shapes.get(keys)
        if shape is None:
            if not keys:
                raise DataError("the document is empty", "a row needs a column", "add a field")
            if len(self._shapes) >= _MAX_SHAPES:
                self._shapes.clear()
            names = tuple(columns.named(key) for key in keys)
            shape = self._shapes[keys] = _Shape(self._statement(names), names)
        return shape

    def _statement(self, columns: Sequence[str]) -> Statement:
        duplicates, is_mysql = self.settings.duplicates, self.account.dialect == "mysql"
        verb = "INSERT IGNORE INTO" if is_mysql and duplicates == "ignore" else "INSERT INTO"
        end = _ENDS.get((duplicates, is_mysql), "")
        if duplicates == "update":
            new = "{0} = VALUES({0})" if is_mysql else "{0} = excluded.{0}"
            end += ", ".join(new.format(self.quoted(column)) for column in columns)
        return joined(self.insertion(columns, verb), end)

    @property
    def _writes_identity(self) -> bool:
        return self.settings.enable_identity_insert and self.account.dialect == "sqlserver"

    def _set_identity(self, connection: Connection, state: str) -> None:
        connection.exec_driver_sql(f"SET IDENTITY_INSERT {self.quoted_table} {state}")


_ENDS: Mapping[tuple[str, bool], str] = {
    ("ignore", False): " ON CONFLICT DO NOTHING",
    ("update", False): " ON CONFLICT DO UPDATE SET ",
    ("update", True): " ON DUPLICATE KEY UPDATE ",
}
"""How a statement ends, by `duplicates` and whether the database is MySQL."""
