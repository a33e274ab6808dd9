"""Update the rows of a table for each document; its fields are the columns to set."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from engine.sdk import BoundText, DataError, Document, Example, Issue, SqlAccount, setting
from snaps.sql.shared.columns import Columns
from snaps.sql.shared.conditions import NO_CONDITION, FieldsOf, check_condition, where
from snaps.sql.shared.settings import (
    COMMIT_CHOICES,
    FOREIGN_COMMIT,
    FOREIGN_TABLE,
    WriteSettings,
    foreign,
)
from snaps.sql.shared.statements import Statement
from snaps.sql.shared.writing import WriteSnap


class SQLUpdateSettings(WriteSettings):
    update_condition: BoundText | None = setting(
        default=None,
        help="Which rows: what follows WHERE. `$path` stands for a value of the document. Without "
        "it every row is updated.",
        example="id = $id",
    )


class SQLUpdate(WriteSnap[SQLUpdateSettings]):
    since = "0.4.0"
    about = """
    All fields of a document are set, without those that the condition compares with the column of
    the same name (`id = $id`) and those that only the condition uses. Any other field without a
    column is an error.

    Rows are written in batches of the account's `batch_size`, as by SQLInsert; `status` says how
    many rows of the table were updated for the document.
    """
    foreign = foreign(
        "update",
        "JDBC - Update",
        {"updateCondition": "update_condition", **FOREIGN_TABLE, **FOREIGN_COMMIT},
        choices=COMMIT_CHOICES,
    )
    examples = (
        Example(
            "the row with the document's id gets its other fields",
            settings={
                "account": "shop",
                "table_name": "nuts",
                "update_condition": "id = $id",
            },
            accounts={"shop": SqlAccount(dialect="sqlite", database="shop.db")},
            databases={
                "shop.db": "CREATE TABLE nuts (id INTEGER, size INTEGER);"
                "INSERT INTO nuts VALUES (1, 4), (2, 6);"
            },
            given=[{"id": 2, "size": 8}, {"id": 3, "size": 9}],
            expect=[
                {"status": 1, "original": {"id": 2, "size": 8}},
                {"status": 0, "original": {"id": 3, "size": 9}},
            ],
        ),
    )

    @classmethod
    def check(cls, settings: SQLUpdateSettings) -> Iterable[Issue]:
        yield from super().check(settings)
        yield from check_condition(
            settings.update_condition, "update_condition", "every document updates all rows"
        )

    def open(self) -> None:
        super().open()
        self._fields = FieldsOf()

    def row(self, document: Document, columns: Columns) -> tuple[Statement, Sequence[Any]]:
        text = self.settings.update_condition
        condition = NO_CONDITION if text is None else self.statement(text, document)
        fields = self._fields(document, condition, columns).changed
        if not fields:
            raise DataError(
                "the document has no field to set",
                "it is empty, or only the condition uses its fields",
                "add the fields with the new values",
            )
        statement = where(self.assignments(fields.values()), condition)
        values = [self.column_value(document[k], name, columns) for k, name in fields.items()]
        return statement, [*values, *self.values(condition, document)]
