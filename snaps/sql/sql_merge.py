"""Update the row of a table that a document is about, or insert it if there is none."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from engine.sdk import BoundText, DataError, Document, Example, Issue, SqlAccount, setting
from snaps.sql.shared.columns import Columns
from snaps.sql.shared.conditions import Fields, FieldsOf, where
from snaps.sql.shared.settings import (
    COMMIT_CHOICES,
    FOREIGN_COMMIT,
    FOREIGN_TABLE,
    SESSION_PARAMETERS,
    WriteSettings,
    foreign,
    is_empty,
)
from snaps.sql.shared.statements import Mark, Statement, joined, separated
from snaps.sql.shared.writing import Row, WriteSnap

if TYPE_CHECKING:
    from sqlalchemy import Connection

_HAVE_MERGE = ("oracle", "sqlserver", "snowflake")


class SQLMergeSettings(WriteSettings):
    on_condition: BoundText = setting(
        help="Which row: `$path` stands for a value of the document.", example="id = $id"
    )


class SQLMerge(WriteSnap[SQLMergeSettings]):
    since = "0.4.0"
    about = """
    The rows that the condition finds get all fields of the document, without those that it compares
    with the column of the same name; if it finds none, a row with all fields is inserted. Oracle,
    SQL Server and Snowflake do it with MERGE. On the others it is an UPDATE and, if that changes
    nothing, an INSERT, in one transaction: another writer may come between them.

    Rows are written in batches of the account's `batch_size`, as by SQLInsert.
    """
    foreign = foreign(
        "merge",
        "JDBC - Merge",
        {"onCondition": "on_condition", **FOREIGN_TABLE, **FOREIGN_COMMIT},
        choices=COMMIT_CHOICES,
        unsupported=SESSION_PARAMETERS,
    )
    examples = (
        Example(
            "one row is updated, another inserted",
            settings={"account": "shop", "table_name": "nuts", "on_condition": "id = $id"},
            accounts={"shop": SqlAccount(dialect="sqlite", database="shop.db")},
            databases={
                "shop.db": "CREATE TABLE nuts (id INTEGER, size INTEGER);"
                "INSERT INTO nuts VALUES (1, 4);"
            },
            given=[{"id": 1, "size": 5}, {"id": 2, "size": 6}],
            expect=[
                {"status": 1, "original": {"id": 1, "size": 5}},
                {"status": 1, "original": {"id": 2, "size": 6}},
            ],
        ),
    )

    @classmethod
    def check(cls, settings: SQLMergeSettings) -> Iterable[Issue]:
        yield from super().check(settings)
        if is_empty(settings.on_condition):
            hint = "say which row a document is about, such as 'id = $id'"
            yield Issue(("on_condition",), "the condition is empty", hint)

    def open(self) -> None:
        super().open()
        self._fields = FieldsOf()
        self._has_merge = self.account.dialect in _HAVE_MERGE

    def row(self, document: Document, columns: Columns) -> tuple[Statement, Sequence[Any]]:
        if not document:
            raise DataError("the document is empty", "a row needs a column", "add a field")
        condition = self.statement(self.settings.on_condition, document)
        found = self.values(condition, document)
        fields = self._fields(document, condition, columns)
        values = {
            key: self.column_value(document[key], column, columns)
            for key, column in fields.columns.items()
        }
        changed = [values[key] for key in fields.changed]
        if self._has_merge:
            statement = merge_statement(
                self.quoted_table, condition, fields, self.quoted, self.account.dialect
            )
            return statement, [*found, *changed, *values.values()]
        return self._update(condition, fields), [_Halves([*changed, *found], fields, values)]

    def write_one(self, connection: Connection, row: Row) -> int:
        if self._has_merge:
            return super().write_one(connection, row)
        halves: _Halves = row.values[0]
        if halves.fields.changed:
            count = self.run(connection, row.statement, halves.update)
        else:
            count = self.count(connection, row.statement, halves.update)
        if count:
            return count
        insertion = self.insertion(tuple(halves.fields.columns.values()))
        return self.run(connection, insertion, tuple(halves.values.values()))

    def count(self, connection: Connection, statement: Statement, values: Sequence[Any]) -> int:
        """The number that a query returns."""
        text = self.session.text(statement)
        result = connection.exec_driver_sql(text.text, text.arguments(values))
        return int(result.scalar_one())

    def _update(self, condition: Statement, fields: Fields) -> Statement:
        if fields.changed:
            return where(self.assignments(fields.changed.values()), condition)
        return where(joined(f"SELECT COUNT(*) FROM {self.quoted_table}"), condition)


def merge_statement(
    table: str,
    condition: Statement,
    fields: Fields,
    quoted: Callable[[str], str],
    dialect: str,
) -> Statement:
    """MERGE: its values are those of the condition, of the changed fields, and of all fields."""
    source = "SELECT 1 AS one_row" + (" FROM dual" if dialect == "oracle" else "")
    names = ", ".join(map(quoted, fields.columns.values()))
    update: tuple[str | Statement, ...] = ()
    if fields.changed:
        sets = [joined(f"{quoted(name)} = ", Mark()) for name in fields.changed.values()]
        update = (" WHEN MATCHED THEN UPDATE SET ", separated(sets))
    return joined(
        f"MERGE INTO {table} USING ({source}) source_row ON (",
        condition,
        ")",
        *update,
        f" WHEN NOT MATCHED THEN INSERT ({names}) VALUES (",
        separated([Mark()] * len(fields.columns)),
        ");" if dialect == "sqlserver" else ")",
    )


class _Halves(NamedTuple):
    """The values of an UPDATE, and of the INSERT if it finds no row."""

    update: Sequence[Any]
    fields: Fields
    values: Mapping[str, Any]
