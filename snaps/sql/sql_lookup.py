"""Find the rows of a table that belong to each document, with one query for many documents."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from engine.sdk import (
    Batch,
    DataError,
    Document,
    Evaluated,
    Example,
    Issue,
    Lineage,
    SqlAccount,
    exact_decimals,
    setting,
)
from snaps.sql.shared.names import quote_name
from snaps.sql.shared.reading import columns_of
from snaps.sql.shared.settings import (
    FOREIGN_TABLE,
    TableSettings,
    check_names,
    check_table,
    foreign,
)
from snaps.sql.shared.snap import SqlSnap
from snaps.sql.shared.statements import Mark, Statement, joined, separated
from snaps.sql.shared.values import documents_of

Key = tuple[Any, ...]
_MAX_KEYS = 100
"""Keys in one query; SQLite joins at most 500 queries."""

_MAX_CACHED = 10_000
_NUMBER = "lookup_row_"
"""The column that tells to which key a row belongs."""


class SQLLookupSettings(TableSettings):
    lookup_conditions: dict[str, Evaluated[Any]] = setting(
        help="Column to value, usually an expression: all must be equal.",
        example={"id": "= $customer"},
    )
    output_fields: tuple[str, ...] = setting(
        default=(), help="The columns to add; by default all.", example=["name", "city"]
    )
    pass_through_on_no_match: bool = setting(
        default=False,
        help="Keep a document for which there is no row, with null in each output field. Otherwise "
        "it is dropped.",
    )


class SQLLookup(SqlSnap[SQLLookupSettings]):
    since = "0.4.0"
    about = """
    For each row that it finds, a document with the columns of the row and the input document as
    `original`; several rows give several documents. The database compares the values, so its rules
    for upper and lower case and for types hold. Null is equal to nothing.

    Documents with the same values are looked up once. Rows that were found are kept for the
    rest of the run, so changes of the table during a run may not be seen; in an ultra task each
    batch of requests asks again.
    """
    foreign = foreign(
        "lookup",
        "JDBC - Lookup",
        {
            "lookupConditions[].column": "lookup_conditions[].key",
            "lookupConditions[].value": "lookup_conditions[].value",
            "outputFields[].outputField": "output_fields[]",
            "passThrough": "pass_through_on_no_match",
            **FOREIGN_TABLE,
        },
    )
    flows = True
    examples = (
        Example(
            "the name that belongs to an id",
            settings={
                "account": "shop",
                "table_name": "customers",
                "lookup_conditions": {"id": "= $customer"},
                "output_fields": ["name"],
            },
            accounts={"shop": SqlAccount(dialect="sqlite", database="shop.db")},
            databases={
                "shop.db": "CREATE TABLE customers (id INTEGER, name TEXT);"
                "INSERT INTO customers VALUES (1, 'Ada'), (2, 'Grace');"
            },
            given=[{"customer": 2}, {"customer": 3}, {"customer": 1}],
            expect=[
                {"name": "Grace", "original": {"customer": 2}},
                {"name": "Ada", "original": {"customer": 1}},
            ],
        ),
        Example(
            "a document without a row passes with null",
            settings={
                "account": "shop",
                "table_name": "customers",
                "lookup_conditions": {"id": "= $customer"},
                "output_fields": ["name"],
                "pass_through_on_no_match": True,
            },
            accounts={"shop": SqlAccount(dialect="sqlite", database="shop.db")},
            databases={"shop.db": "CREATE TABLE customers (id INTEGER, name TEXT);"},
            given=[{"customer": 3}],
            expect=[{"name": None, "original": {"customer": 3}}],
        ),
    )

    @classmethod
    def check(cls, settings: SQLLookupSettings) -> Iterable[Issue]:
        yield from super().check(settings)
        yield from check_table(settings)
        yield from check_names(settings, "output_fields")
        if not settings.lookup_conditions:
            hint = "name a column and its value, such as {id: = $id}"
            yield Issue(("lookup_conditions",), "there is no condition", hint)

    def open(self) -> None:
        super().open()
        preparer = self.preparer
        self._columns = [quote_name(name, preparer) for name in self.settings.lookup_conditions]
        fields = [quote_name(name, preparer) for name in self.settings.output_fields]
        self._fields = ", ".join(fields)
        self._table = self.table(self.settings).quoted(preparer)
        self._found: dict[Key, list[Document]] = {}
        self._names: Sequence[str] = self.settings.output_fields

    def process_batch(self, view: str, batch: Batch) -> Iterator[Mapping[str, Batch]]:
        waiting = self._keys(batch)
        found = {} if self.context.in_ultra else self._found
        failed: dict[Key, DataError] = {}
        wanted = [key for key in dict.fromkeys(key for _, key in waiting) if key not in found]
        if len(found) + len(wanted) > _MAX_CACHED:
            found.clear()
            wanted = list(dict.fromkeys(key for _, key in waiting))
        for start in range(0, len(wanted), _MAX_KEYS):
            keys = wanted[start : start + _MAX_KEYS]
            try:
                found |= self._looked_up(keys)
            except DataError as error:
                failed |= dict.fromkeys(keys, error)
        collected = self._collected(batch, "process_batch")
        for position, key in waiting:
            document, lineage = batch.items[position], batch.lineage_of(position)
            if key in failed:
                self.context.failed(failed[key], document, lineage)
                continue
            for row in self._rows(found[key], lineage):
                collected.add({**row, "original": document}, lineage)
        if collected.count:
            yield collected.take()

    def _keys(self, batch: Batch) -> list[tuple[int, Key]]:
        """The places and values of the documents that have all values."""
        keys = []
        for position, document in enumerate(batch.items):
            try:
                keys.append((position, self._key(document)))
            except DataError as error:
                self.context.failed(error, document, batch.lineage_of(position))
        return keys

    def _key(self, document: Document) -> Key:
        with exact_decimals():
            values = [
                self.context.value(value, document)
                for value in self.settings.lookup_conditions.values()
            ]
        return tuple((value.__class__, value) for value in self.all_bound(values))

    def _rows(self, rows: list[Document], lineage: Lineage) -> Iterable[Document]:
        if rows:
            return rows
        if self.settings.pass_through_on_no_match:
            return (dict.fromkeys(self._names),)
        self.context.dropped(1, (lineage,))
        return ()

    def _looked_up(self, keys: Sequence[Key]) -> dict[Key, list[Document]]:
        """The rows for each key. Raises DataError."""
        statement = self._statement(len(keys))
        values = [value for key in keys for _, value in key]
        found: dict[Key, list[Document]] = {key: [] for key in keys}
        names: Sequence[str] = ()
        flags: frozenset[int] = frozenset()
        for head, rows in self.session.rows(statement, values, streams=False):
            if not names:
                names, flags = columns_of(head.description, self.account.dialect)
            for document in documents_of(names, rows, flags):
                number = document.pop(names[0])
                found[keys[int(number)]].append(document)
        self._names = names[1:]
        return found

    def _statement(self, count: int) -> Statement:
        """A query for each key, joined: so the database compares, and tells which key it was."""
        condition = separated(
            [joined(f"t.{column} = ", Mark()) for column in self._columns],
            " AND ",
        )
        fields = ", ".join(f"t.{f}" for f in self._fields.split(", ")) if self._fields else "t.*"
        queries = [
            joined(f"SELECT {i} AS {_NUMBER}, {fields} FROM {self._table} t WHERE ", condition)
            for i in range(count)
        ]
        return separated(queries, " UNION ALL ")
