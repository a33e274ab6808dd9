"""Delete rows of a table for each document."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from engine.sdk import BoundText, Document, Example, Issue, SqlAccount, setting
from snaps.sql.shared.columns import Columns
from snaps.sql.shared.conditions import NO_CONDITION, check_condition, where
from snaps.sql.shared.settings import (
    COMMIT_CHOICES,
    FOREIGN_COMMIT,
    FOREIGN_TABLE,
    WriteSettings,
    foreign,
)
from snaps.sql.shared.statements import Statement, joined
from snaps.sql.shared.writing import WriteSnap


class SQLDeleteSettings(WriteSettings):
    delete_condition: BoundText | None = setting(
        default=None,
        help="Which rows: what follows WHERE. `$path` stands for a value of the document. Without "
        "it every row is deleted.",
        example="id = $id",
    )


class SQLDelete(WriteSnap[SQLDeleteSettings]):
    since = "0.4.0"
    about = """
    Documents are processed in batches of the account's `batch_size`, as by SQLInsert; `status`
    says how many rows of the table were deleted for the document.
    """
    foreign = foreign(
        "delete",
        "JDBC - Delete",
        {"deleteCondition": "delete_condition", **FOREIGN_TABLE, **FOREIGN_COMMIT},
        choices=COMMIT_CHOICES,
    )
    examples = (
        Example(
            "the rows of the document's size are deleted",
            settings={
                "account": "shop",
                "table_name": "nuts",
                "delete_condition": "size = $size",
            },
            accounts={"shop": SqlAccount(dialect="sqlite", database="shop.db")},
            databases={
                "shop.db": "CREATE TABLE nuts (id INTEGER, size INTEGER);"
                "INSERT INTO nuts VALUES (1, 4), (2, 6), (3, 6);"
            },
            given=[{"size": 6}],
            expect=[{"status": 2, "original": {"size": 6}}],
        ),
    )

    @classmethod
    def check(cls, settings: SQLDeleteSettings) -> Iterable[Issue]:
        yield from super().check(settings)
        yield from check_condition(
            settings.delete_condition, "delete_condition", "every document deletes all rows"
        )

    def row(self, document: Document, columns: Columns) -> tuple[Statement, Sequence[Any]]:
        text = self.settings.delete_condition
        condition = NO_CONDITION if text is None else self.statement(text, document)
        statement = where(joined(f"DELETE FROM {self.quoted_table}"), condition)
        return statement, self.values(condition, document)
