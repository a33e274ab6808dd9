"""What the snaps that write rows share: batches, and what happens to the rows of one that fails."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from engine.sdk import (
    Batch,
    DataError,
    Document,
    Issue,
    Lineage,
    View,
    Views,
    to_json,
)
from snaps.sql.shared.columns import Columns, columns_of_table
from snaps.sql.shared.errors import (
    NOT_SENT,
    LostConnectionError,
    batch_error,
    statement_error,
)
from snaps.sql.shared.names import TableName
from snaps.sql.shared.settings import WriteSettings, check_table
from snaps.sql.shared.snap import SqlSnap
from snaps.sql.shared.statements import Mark, Statement, joined, separated

if TYPE_CHECKING:
    from sqlalchemy import Connection

W = TypeVar("W", bound=WriteSettings)


class Row(NamedTuple):
    """A row to write: a statement, its values, and the document that it comes from."""

    statement: Statement
    values: Sequence[Any]
    document: Document
    lineage: Lineage


class RowError(Exception):
    """The row at `index` of a batch failed."""

    def __init__(self, index: int, cause: Exception) -> None:
        super().__init__(index, cause)
        self.index = index
        self.cause = cause


class WriteSnap(SqlSnap[W], ABC):
    """One row for each document, in batches of the account's `batch_size`.

    A batch holds documents of one call whose statement is the same. It is written as a whole or not
    at all.
    """

    writes = True
    would = "write {items} to the table {table_name}"
    replayable = False
    flows = True
    views = Views(inputs=(View("input"),), outputs=(View("output", optional=True),))

    @abstractmethod
    def row(self, document: Document, columns: Columns) -> tuple[Statement, Sequence[Any]]:
        """Statement and values for a document. Raises DataError."""

    @classmethod
    def check(cls, settings: W) -> Iterable[Issue]:
        yield from super().check(settings)
        yield from check_table(settings)

    def open(self) -> None:
        super().open()
        self.name: TableName = self.table(self.settings)
        self._columns: Columns | None = None

    def process_batch(self, view: str, batch: Batch) -> Iterator[Mapping[str, Batch]]:
        pending: list[Row] = []
        for position, document in enumerate(batch.items):
            lineage = batch.lineage_of(position)
            try:
                columns = self._known_columns(batch.items)
                row = Row(*self.row(document, columns), document, lineage)
            except DataError as error:
                yield from self._written(pending, batch)
                pending = []
                self.context.failed(error, document, lineage)
                continue
            is_full = len(pending) >= self.account.batch_size
            if pending and (is_full or pending[0].statement != row.statement):
                yield from self._written(pending, batch)
                pending = []
            pending.append(row)
        yield from self._written(pending, batch)

    def write(self, connection: Connection, rows: Sequence[Row]) -> list[int]:
        """Write the rows; how many rows of the table each changed. Raises RowError."""
        counts = []
        for index, row in enumerate(rows):
            try:
                counts.append(self.write_one(connection, row))
            except DataError:
                raise
            except Exception as error:  # each driver has its own errors
                self._raise_if_not_of_the_row(error)
                raise RowError(index, error) from error
        return counts

    def write_one(self, connection: Connection, row: Row) -> int:
        """Write a row. Raises what the driver raises."""
        return self.run(connection, row.statement, row.values)

    def run(self, connection: Connection, statement: Statement, values: Sequence[Any]) -> int:
        """Run a statement; how many rows it changed. Raises what the driver raises."""
        text = self.session.text(statement)
        arguments = text.arguments(values) if text.has_values else None
        options = {} if text.has_values else {"no_parameters": True}
        return connection.exec_driver_sql(text.text, arguments, execution_options=options).rowcount

    def table_columns(self, connection: Connection, documents: Sequence[Document]) -> Columns:
        """The columns of the table. Raises DataError if there is no such table."""
        columns = columns_of_table(connection, self.name)
        if columns is None:
            raise DataError(
                "could not write to the database",
                f"there is no table {self.name.shown!r}",
                "check table_name and schema_name",
            )
        return columns

    # SQL

    @property
    def quoted_table(self) -> str:
        return self.name.quoted(self.preparer)

    def quoted(self, column: str) -> str:
        """A column of the table, in a statement."""
        return str(self.preparer.quote(column))

    def assignments(self, columns: Iterable[str]) -> Statement:
        """An UPDATE that sets these columns, up to its condition."""
        parts = [joined(f"{self.quoted(column)} = ", Mark()) for column in columns]
        return joined(f"UPDATE {self.quoted_table} SET ", separated(parts))

    def insertion(self, columns: Sequence[str], verb: str = "INSERT INTO") -> Statement:
        """An INSERT of a row with these columns."""
        names = ", ".join(map(self.quoted, columns))
        marks = [Mark()] * len(columns)
        head = f"{verb} {self.quoted_table} ({names}) VALUES ("
        return joined(head, separated(marks), ")")

    def column_value(self, value: Any, column: str, columns: Columns) -> Any:
        """A value of a document for a column. Raises DataError."""
        if isinstance(value, list) and columns.takes_list(column):
            return list(self.all_bound(value))
        if isinstance(value, int | Decimal | float) and columns.takes_text(column):
            return to_json(value).decode()
        return self.bound(value, column)

    # A batch

    def _known_columns(self, documents: Sequence[Document]) -> Columns:
        if self._columns is None:
            self._columns = self.session.work(
                lambda connection: self._translated_columns(connection, documents)
            )
        return self._columns

    def _translated_columns(self, connection: Connection, documents: Sequence[Document]) -> Columns:
        looking = Statement((f"columns of {self.name.shown}",))
        with self.session.translated(looking):
            return self.table_columns(connection, documents)

    def _written(self, rows: Sequence[Row], batch: Batch) -> Iterator[Mapping[str, Batch]]:
        """The results of rows, which are written now."""
        if not rows:
            return
        try:
            counts = self.session.work(lambda connection: self.write(connection, rows))
        except RowError as error:
            self._all_failed(rows, error)
            return
        except DataError as error:
            for row in rows:
                self.context.failed(_with_status(error, {}), row.document, row.lineage)
            return
        documents = [
            {"status": count, "original": row.document}
            for count, row in zip(counts, rows, strict=True)
        ]
        lineage = None if batch.lineage is None else [row.lineage for row in rows]
        yield {"output": Batch(documents, lineage)}

    def _all_failed(self, rows: Sequence[Row], error: RowError) -> None:
        """Report the rows of a failed batch, each as a failed document; none is written."""
        failing = error.index
        for index, row in enumerate(rows):
            if self.account.batch_size == 1:
                failure = statement_error(error.cause, row.statement)
            else:
                failure = batch_error(error.cause)
                failure.resolution = (
                    "correct this row; the whole batch was rolled back"
                    if index == failing
                    else f"correct row {failing + 1}, for which the batch was rolled back; with "
                    "batch_size 1 in the account, each row fails on its own"
                )
            place = {} if len(rows) == 1 else {"batch_row": index + 1, "failed_row": failing + 1}
            self.context.failed(_with_status(failure, place), row.document, row.lineage)

    def _raise_if_not_of_the_row(self, error: Exception) -> None:
        """Raises the error again unless it is about the row: a bug, or the end of a connection."""
        from sqlalchemy.exc import SQLAlchemyError

        if not isinstance(error, (SQLAlchemyError, *NOT_SENT)):
            raise error
        self.session.raise_if_lost(error)


def _with_status(error: DataError, place: Document) -> DataError:
    """The error with the field `status`, as that of a row that was written, and its place."""
    kind = LostConnectionError if isinstance(error, LostConnectionError) else DataError
    details = {"status": 0, **place, **error.details}
    return kind(error.error, error.reason, error.resolution, details=details)
