"""List the tables and views of a database."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from engine.sdk import (
    Document,
    Evaluated,
    Example,
    Issue,
    SqlAccount,
    View,
    Views,
    setting,
)
from snaps.sql.shared.settings import FOREIGN_RETRIES, SqlSettings, check_fixed, foreign
from snaps.sql.shared.snap import SqlSnap
from snaps.sql.shared.statements import Statement

if TYPE_CHECKING:
    from sqlalchemy import Connection


class SQLTableListSettings(SqlSettings):
    schema_name: Evaluated[str] = setting(
        default=Evaluated(""), help="The schema; by default that of the user.", example="sales"
    )


class SQLTableList(SqlSnap[SQLTableListSettings]):
    since = "0.4.0"
    about = """
    A document for each table and view, by name: `schema` (null for the default one), `table`, and
    `type`, which is `TABLE` or `VIEW`. With an input, once for each document, which is added as
    `original`.
    """
    foreign = foreign(
        "tablelist",
        "JDBC - Table List",
        {"schemaName": "schema_name", **FOREIGN_RETRIES},
        unsupported={"computeTableGraph": "the order in which tables depend on each other"},
    )
    views = Views(inputs=(View("input", unlinked="starts by itself"),))
    examples = (
        Example(
            "the tables of a database",
            settings={"account": "shop"},
            accounts={"shop": SqlAccount(dialect="sqlite", database="shop.db")},
            databases={
                "shop.db": "CREATE TABLE nuts (id INTEGER); CREATE TABLE bolts (id INTEGER);"
                "CREATE VIEW parts AS SELECT * FROM nuts;"
            },
            expect=[
                {"schema": None, "table": "bolts", "type": "TABLE"},
                {"schema": None, "table": "nuts", "type": "TABLE"},
                {"schema": None, "table": "parts", "type": "VIEW"},
            ],
        ),
    )

    @classmethod
    def check(cls, settings: SQLTableListSettings) -> Iterable[Issue]:
        yield from super().check(settings)
        yield from check_fixed(settings, "schema_name")

    def process(self, document: Document) -> Iterator[Document]:
        schema = self.fixed(self.settings.schema_name) or None
        for name, kind in self.session.work(lambda connection: self._names(connection, schema)):
            found: Document = {"schema": schema, "table": name, "type": kind}
            yield {**found, "original": document} if self.has_input else found

    def _names(self, connection: Connection, schema: str | None) -> list[tuple[str, str]]:
        from sqlalchemy import inspect

        with self.session.translated(Statement(("the names of the tables",))):
            inspector = inspect(connection)
            tables = [(name, "TABLE") for name in inspector.get_table_names(schema)]
            return sorted(tables + [(name, "VIEW") for name in inspector.get_view_names(schema)])
