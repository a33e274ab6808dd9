"""Read rows of a table: all, or those that a condition with values of the document finds."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING

from engine.sdk import (
    BoundText,
    ConfigurationError,
    DataError,
    Document,
    Evaluated,
    Example,
    Issue,
    SqlAccount,
    To,
    View,
    Views,
    setting,
)
from snaps.sql.shared.columns import description_of_table
from snaps.sql.shared.conditions import where
from snaps.sql.shared.limits import limited
from snaps.sql.shared.names import TableName, quote_name
from snaps.sql.shared.reading import is_source, read
from snaps.sql.shared.settings import (
    FOREIGN_TABLE,
    TableSettings,
    check_names,
    check_table,
    foreign,
    is_empty,
)
from snaps.sql.shared.snap import SqlSnap
from snaps.sql.shared.statements import Statement, joined

if TYPE_CHECKING:
    from sqlalchemy import Connection

_ORDER = re.compile(r"(.*?)(?:\s+(ASC|DESC))?\s*", re.IGNORECASE | re.DOTALL)


class SQLSelectSettings(TableSettings):
    where_clause: BoundText | None = setting(
        default=None,
        help="Which rows: what follows WHERE. `$path` stands for a value of the document.",
        example="customer = $id AND paid = 0",
    )
    order_by: tuple[str, ...] = setting(
        default=(),
        help="The columns by which the rows are sorted; ` DESC` after one reverses it.",
        example=["customer", "date DESC"],
    )
    limit_rows: Evaluated[int] | None = setting(
        default=None, help="How many rows at most.", example=100
    )
    limit_offset: Evaluated[int] | None = setting(
        default=None, help="How many rows are skipped first.", example=200
    )
    output_fields: tuple[str, ...] = setting(
        default=(), help="The columns to read; by default all.", example=["id", "name"]
    )
    pass_through: bool = setting(
        default=True, help="Add the input document as `original`, if there is one."
    )
    ignore_empty_result: bool = setting(
        default=False,
        help="Return nothing if there is no row; otherwise the input document as `original`.",
    )


class SQLSelect(SqlSnap[SQLSelectSettings]):
    since = "0.4.0"
    about = """
    Each row is a document with the columns in their order. For each input document there is one
    query. Rows are fetched as they are needed, so a table may have any size. The view `metadata`
    gets one document before the rows: the schema and the name of the table, and of each column
    `name`, `type` (null if the column has none), `nullable` and `primary_key`. An ultra task cannot
    link it.

    `$path` in `where_clause` is a value of the document, never a piece of SQL; see
    [SQLExecute](#sqlexecute).
    """
    foreign = foreign(
        "select",
        "JDBC - Select",
        {
            "whereClause": "where_clause",
            "orderBy[].columnName": "order_by[]",
            "limitRows": "limit_rows",
            "limitOffset": "limit_offset",
            "outputFields[].outputField": "output_fields[]",
            "passThrough": "pass_through",
            "ignoreEmptyResult": "ignore_empty_result",
            **FOREIGN_TABLE,
        },
        ignored=(
            "autoCommit",
            "autocommit",
            "fetchOutputFieldsInSchema",
            "matchDataTypes",
            "stagingMode",
            "rowversion",
            "unique_identifier_column_option",
        ),
        unsupported={"queryHints": "hints for the database"},
        views={"outputRows": "output"},
    )
    examples = (
        Example(
            "rows that a condition finds, for each document",
            settings={
                "account": "shop",
                "table_name": "nuts",
                "where_clause": "size > $min",
                "order_by": ["size DESC"],
                "output_fields": ["id"],
            },
            accounts={"shop": SqlAccount(dialect="sqlite", database="shop.db")},
            databases={
                "shop.db": "CREATE TABLE nuts (id INTEGER, size INTEGER);"
                "INSERT INTO nuts VALUES (1, 4), (2, 6), (3, 8);"
            },
            given=[{"min": 5}, {"min": 9}],
            expect=[
                {"id": 3, "original": {"min": 5}},
                {"id": 2, "original": {"min": 5}},
                {"original": {"min": 9}},
            ],
        ),
        Example(
            "all rows of a table, without any input",
            settings={"account": "shop", "table_name": "nuts"},
            accounts={"shop": SqlAccount(dialect="sqlite", database="shop.db")},
            databases={
                "shop.db": "CREATE TABLE nuts (id INTEGER, price NUMERIC, made DATE);"
                "INSERT INTO nuts VALUES (1, 0.25, NULL);"
            },
            expect=[{"id": 1, "price": 0.25, "made": None}],
        ),
    )

    views = Views(outputs=(View("output"), View("metadata", optional=True)))

    @classmethod
    def views_for(cls, settings: SQLSelectSettings) -> Views:
        if not is_source(settings.where_clause, settings.limit_rows, settings.limit_offset):
            return cls.views
        return Views((View("input", unlinked="starts by itself"),), cls.views.outputs)

    @classmethod
    def check(cls, settings: SQLSelectSettings) -> Iterable[Issue]:
        yield from super().check(settings)
        yield from check_table(settings)
        yield from check_names(settings, "output_fields")
        for name in ("limit_rows", "limit_offset"):
            value: Evaluated[int] | None = getattr(settings, name)
            if value is not None and value.value is not None and value.value < 0:
                yield Issue((name,), f"{name!r} cannot be {value.value}", "use 0 or more")

    def open(self) -> None:
        super().open()
        if self.context.in_ultra and self.context.linked("metadata"):
            raise ConfigurationError(
                "the view 'metadata' answers no request, so an ultra task cannot link it"
            )
        preparer = self.preparer
        fields = [quote_name(name, preparer) for name in self.settings.output_fields]
        table = self.table(self.settings).quoted(preparer)
        self._head = joined(f"SELECT {', '.join(fields) or '*'} FROM {table}")
        self._order = ", ".join(map(self._ordered, self.settings.order_by))

    def start(self) -> Iterator[To]:
        if self.context.linked("metadata"):
            name = self.table(self.settings)
            described = self.session.work(partial(self._described, name))
            if described is not None:  # otherwise the query says so
                yield To("metadata", described)

    def _described(self, name: TableName, connection: Connection) -> Document | None:
        with self.session.translated(Statement((f"columns of {name.shown}",))):
            return description_of_table(connection, name)

    def process(self, document: Document) -> Iterator[Document]:
        settings, head = self.settings, self._head
        if settings.where_clause is not None and not is_empty(settings.where_clause):
            head = where(head, self.statement(settings.where_clause, document))
        limit = self._number(settings.limit_rows, "limit_rows", document)
        offset = self._number(settings.limit_offset, "limit_offset", document)
        statement = limited(head, self._order, limit, offset, self.account.dialect)
        yield from read(
            self.session,
            statement,
            self.values(statement, document),
            document if settings.pass_through and self.has_input else None,
            streams=True,
            ignores_empty=settings.ignore_empty_result,
        )

    def _number(self, setting: Evaluated[int] | None, name: str, document: Document) -> int | None:
        number = None if setting is None else self.context.value(setting, document)
        if number is not None and number < 0:
            raise DataError(f"{name} is {number}", "it cannot be negative", "use 0 or more")
        return number

    def _ordered(self, text: str) -> str:
        found = _ORDER.fullmatch(text.strip())
        assert found is not None  # the pattern matches any text
        name = quote_name(found[1], self.preparer)
        return f"{name} {found[2].upper()}" if found[2] else name
