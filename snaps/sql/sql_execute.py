"""Run an SQL statement for each document: a query gives its rows, anything else its count."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Literal

from engine.sdk import (
    BoundText,
    Document,
    Example,
    Issue,
    SqlAccount,
    View,
    Views,
    setting,
)
from snaps.sql.shared.reading import is_source, read
from snaps.sql.shared.settings import (
    COMMIT_CHOICES,
    FOREIGN_COMMIT,
    FOREIGN_RETRIES,
    CommitSettings,
    foreign,
    is_empty,
)
from snaps.sql.shared.snap import SqlSnap
from snaps.sql.shared.statements import Statement

_QUERY = re.compile(r"\s*(?:SELECT|VALUES|TABLE)\b(?!.*\bINTO\b)", re.IGNORECASE | re.DOTALL)
"""What a database can hold back row by row: it returns rows and does nothing else."""

_LAST_SEMICOLON = re.compile(r"(?<!\bEND)\s*;\s*$", re.IGNORECASE)


class SQLExecuteSettings(CommitSettings):
    sql_statement: BoundText = setting(
        help="The statement. `$path` stands for a value of the document, which is bound.",
        example="UPDATE orders SET paid = $paid WHERE id = $order.id",
    )
    query_type: Literal["auto", "read", "write"] = setting(
        default="auto",
        help="Whether it returns rows: `read` and `auto` return those that there are, `write` only "
        "the count.",
    )
    pass_through: bool = setting(
        default=True, help="Add the input document as `original`, if there is one."
    )
    ignore_empty_result: bool = setting(
        default=False,
        help="Return nothing for a query without rows; otherwise the input document as `original`.",
    )


class SQLExecute(SqlSnap[SQLExecuteSettings]):
    since = "0.4.0"
    about = """
    A query returns a document for each row, with the columns in their order. Another statement
    returns `$UPDATE_COUNT`, the number of rows that it changed (-1 if the database does not say),
    and `message`. With `pass_through` the input document is added as `original`.

    `$path` in the statement is a value of the document, never a piece of SQL, so it needs no quotes
    and cannot change the statement. Names of tables and columns cannot be bound: compute the
    statement with an expression for that. Parameters are not filled in: `= "… = " + _limit`.
    A path in a string or a comment of the statement stays as it is.
    """
    foreign = foreign(
        "execute",
        "JDBC - Execute",
        {
            "sqlStatement": "sql_statement",
            "queryType": "query_type",
            "passThrough": "pass_through",
            "ignoreEmptyResult": "ignore_empty_result",
            **FOREIGN_COMMIT,
            **FOREIGN_RETRIES,
        },
        choices={
            **COMMIT_CHOICES,
            "queryType": {"Auto": "auto", "Read": "read", "Write": "write"},
        },
        ignored=("nanosecondTimestampPrecision", "schemaName", "tableName"),
    )
    writes = True
    would = "run a statement for {items}"
    replayable = False
    views = Views(inputs=(View("input"),), outputs=(View("output"),))
    examples = (
        Example(
            "a query gives its rows",
            settings={"account": "shop", "sql_statement": "SELECT * FROM nuts WHERE size > $min"},
            accounts={"shop": SqlAccount(dialect="sqlite", database="shop.db")},
            databases={
                "shop.db": "CREATE TABLE nuts (id INTEGER, size INTEGER);"
                "INSERT INTO nuts VALUES (1, 4), (2, 6), (3, 8);"
            },
            given=[{"min": 5}],
            expect=[
                {"id": 2, "size": 6, "original": {"min": 5}},
                {"id": 3, "size": 8, "original": {"min": 5}},
            ],
        ),
        Example(
            "another statement gives the number of rows that it changed",
            settings={"account": "shop", "sql_statement": "DELETE FROM nuts WHERE size = $size"},
            accounts={"shop": SqlAccount(dialect="sqlite", database="shop.db")},
            databases={
                "shop.db": "CREATE TABLE nuts (id INTEGER, size INTEGER);"
                "INSERT INTO nuts VALUES (1, 4), (2, 6), (3, 6);"
            },
            given=[{"size": 6}],
            expect=[{"$UPDATE_COUNT": 2, "message": "Success", "original": {"size": 6}}],
        ),
        Example(
            "a statement that fails is an error of its document",
            settings={"account": "shop", "sql_statement": "SELECT $a FROM nowhere"},
            accounts={"shop": SqlAccount(dialect="sqlite", database=":memory:")},
            on_error="route",
            given=[{"a": 1}],
            expect={
                "error": [
                    {
                        "error": "SQL operation failed",
                        "reason": "SQL [SELECT ? FROM nowhere]; no such table: nowhere",
                        "resolution": "compare the statement and the values in original with what "
                        "the database expects",
                        "stacktrace": "SQL operation failed: SQL [SELECT ? FROM nowhere]; "
                        "no such table: nowhere",
                        "snap_details": {"label": "snap"},
                        "error_code": 1,
                        "original": {"a": 1},
                    }
                ]
            },
        ),
    )

    @classmethod
    def views_for(cls, settings: SQLExecuteSettings) -> Views:
        if not is_source(settings.sql_statement):
            return cls.views
        return Views(inputs=(View("input", unlinked="starts by itself"),))

    @classmethod
    def check(cls, settings: SQLExecuteSettings) -> Iterable[Issue]:
        yield from super().check(settings)
        if is_empty(settings.sql_statement):
            yield Issue(("sql_statement",), "the statement is empty", "write an SQL statement")

    def process(self, document: Document) -> Iterator[Document]:
        settings = self.settings
        statement = self.statement(settings.sql_statement, document)
        if self.account.dialect == "oracle":
            statement = _without_semicolon(statement)
        values = self.values(statement, document)
        original = document if settings.pass_through and self.has_input else None
        streams = settings.query_type != "write" and _QUERY.match(statement.shown) is not None
        yield from read(
            self.session,
            statement,
            values,
            original,
            streams=streams,
            takes_rows=settings.query_type != "write",
            ignores_empty=settings.ignore_empty_result,
        )


def _without_semicolon(statement: Statement) -> Statement:
    """Oracle takes no `;` at the end, except after a block."""
    *before, last = statement.pieces
    if isinstance(last, str):
        last = _LAST_SEMICOLON.sub("", last)
    return Statement((*before, last))
