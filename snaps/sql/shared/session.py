"""One snap's use of a database: a connection, transactions, retries, and an end from outside."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from threading import Event
from time import monotonic
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from engine.sdk import Context, DataError, ExecutionError
from snaps.sql.shared.database import Database, cancel
from snaps.sql.shared.errors import (
    NOT_SENT,
    LostConnectionError,
    lost_connection,
    no_free_connection,
    not_connected,
    statement_error,
)
from snaps.sql.shared.statements import DriverText, Statement, for_driver

if TYPE_CHECKING:
    from sqlalchemy import Connection, CursorResult

R = TypeVar("R")
_IDLE = 10.0
"""After so many seconds without use a connection is tried before it is used: servers hang up."""

_MAX_TEXTS = 1_000


class Head(NamedTuple):
    """What comes before the rows: the columns (PEP 249), or None, and how many rows changed."""

    description: Any
    changed: int


class Session:
    """The connection of a snap.

    With `commits`, each piece of work is a transaction. Otherwise everything is one, which `commit`
    ends; each piece of work then has a savepoint.
    """

    def __init__(
        self, database: Database, context: Context, *, commits: bool, retries: int, interval: float
    ) -> None:
        self.database = database
        self.commits = commits
        self._context = context
        self._retries = retries
        self._interval = interval
        self._connection: Connection | None = None
        self._used = 0.0
        self._ended = Event()
        self._is_dirty = False
        self._texts: dict[Statement, DriverText] = {}

    def work(self, task: Callable[[Connection], R], *, reads_on: bool = False) -> R:
        """The result of a piece of work in a transaction, which stays open if it `reads_on`.

        It is tried again if the connection is lost, as often as the settings say. Raises DataError.
        """
        for left in range(self._retries, -1, -1):
            try:
                with self._locked():
                    return self._transaction(task, reads_on=reads_on)
            except LostConnectionError as error:
                self._give_up_connection()
                if self._is_dirty:
                    raise self._all_lost(error) from None
                if not left:
                    raise
                again = f"trying again in {self._interval:g} s"
                self._context.show(f"{error.error}: {error.reason}; {again}")
                self._ended.wait(self._interval)
        raise AssertionError("the last try returns or raises")

    def rows(
        self, statement: Statement, values: Sequence[Any], *, streams: bool
    ) -> Iterator[tuple[Head, Sequence[Any]]]:
        """What a statement gives, and its rows: `fetch_size` of the account at a time, at least
        once. With `streams` the database holds back those that are not fetched yet.

        Raises DataError; once there are rows, it is not tried again.
        """
        size = self.database.account.fetch_size

        def begin(connection: Connection) -> tuple[CursorResult[Any], Head, Sequence[Any]]:
            result = self.execute(connection, statement, values, streams=streams)
            if not result.returns_rows:
                return result, Head(None, result.rowcount), ()
            head = Head(result.cursor.description, result.rowcount)
            with self.translated(statement):
                return result, head, result.fetchmany(size)

        result, head, rows = self.work(begin, reads_on=True)
        try:
            yield head, rows
            while rows:
                with self._locked(), self.translated(statement):
                    rows = result.fetchmany(size)
                yield head, rows
        finally:
            with self._locked():
                result.close()
                self._end_reading()

    def execute(
        self,
        connection: Connection,
        statement: Statement,
        values: Sequence[Any] = (),
        *,
        streams: bool = False,
    ) -> CursorResult[Any]:
        """Run a statement once. Raises DataError."""
        text = self.text(statement)
        options: dict[str, Any] = {}
        if streams and not self.database.shares_connection:
            size = self.database.account.fetch_size
            options = {"stream_results": True, "max_row_buffer": size}
        if not text.has_values:
            options["no_parameters"] = True
        with self.translated(statement):
            if not text.has_values:
                return connection.exec_driver_sql(text.text, execution_options=options)
            return connection.exec_driver_sql(
                text.text, text.arguments(values), execution_options=options
            )

    @contextmanager
    def translated(self, statement: Statement) -> Iterator[None]:
        """Errors of the database inside become DataError."""
        from sqlalchemy.exc import SQLAlchemyError

        try:
            yield
        except (SQLAlchemyError, *NOT_SENT, self.database.driver_error) as error:
            self.raise_if_lost(error)
            raise statement_error(error, statement) from None

    def raise_if_lost(self, error: Exception) -> None:
        """Raises the error of a lost connection, or of the end of the run, if it is one."""
        self._raise_if_ended()
        if getattr(error, "connection_invalidated", False):
            raise lost_connection(error) from None

    def savepoint(self, connection: Connection) -> Any:
        """A savepoint, where the database has them."""
        if self.database.account.dialect in ("redshift", "snowflake"):
            return None
        return connection.begin_nested()

    def commit(self) -> None:
        """The end of the transaction without `commits`. Raises DataError."""
        from sqlalchemy.exc import SQLAlchemyError

        if self._connection is None or self.commits:
            return
        try:
            with self._locked():
                self._connection.commit()
        except SQLAlchemyError as error:
            raise self._all_lost(lost_connection(error)) from None
        self._is_dirty = False

    def interrupt(self) -> None:
        """End the current statement and all waiting. Called from another thread."""
        self._ended.set()
        connection = self._connection
        if connection is not None:
            with suppress(Exception):  # it may be closing
                cancel(connection.connection.dbapi_connection)

    def close(self) -> None:
        """Roll back what is not committed, and give the connection back."""
        self._give_up_connection()

    # A transaction

    def _transaction(self, task: Callable[[Connection], R], *, reads_on: bool) -> R:
        from sqlalchemy.exc import SQLAlchemyError

        self._raise_if_ended()
        connection = self._connected()
        savepoint = None if self.commits else self.savepoint(connection)
        try:
            result = task(connection)
        except BaseException:  # raised again once it is rolled back
            self._roll_back(connection, savepoint)
            raise
        try:
            if savepoint is not None:
                savepoint.commit()
                self._is_dirty = True
            elif self.commits and not reads_on:
                connection.commit()
        except SQLAlchemyError as error:
            self._roll_back(connection, None)
            self._raise_if_ended()
            raise _unclear_commit(error) from None
        finally:
            self._used = monotonic()
        return result

    def _roll_back(self, connection: Connection, savepoint: Any) -> None:
        with suppress(Exception):  # after a lost connection there is nothing to roll back
            (savepoint or connection).rollback()
        if savepoint is None and not self.commits:
            self._is_dirty = False

    def _end_reading(self) -> None:
        """After the last row: the next statement must see what has changed since."""
        connection = self._connection
        if connection is None or not self.commits:
            return
        with suppress(Exception):  # the connection may be lost, which the next use notices
            connection.commit()

    def _all_lost(self, error: DataError) -> ExecutionError:
        return ExecutionError(
            f"{error.error}: {error.reason}; all rows of this snap are rolled back, since "
            "auto_commit is false"
        )

    # The connection

    def _connected(self) -> Connection:
        from sqlalchemy.exc import SQLAlchemyError
        from sqlalchemy.exc import TimeoutError as NoneFreeError

        try:
            if self._connection is not None and self._is_stale(self._connection):
                self._give_up_connection()
            if self._connection is None:
                self._connection = self.database.connect(own=not self.commits)
                self._used = monotonic()
        except NoneFreeError:
            raise no_free_connection(self.database.account) from None
        except (SQLAlchemyError, OSError) as error:
            self._raise_if_ended()
            raise not_connected(error, self.database.account) from None
        return self._connection

    def _is_stale(self, connection: Connection) -> bool:
        """Whether the server has hung up while the connection was not used."""
        if self._is_dirty or self.database.shares_connection:
            return connection.closed
        if connection.invalidated or connection.closed:
            return True
        if monotonic() - self._used < _IDLE:
            return False
        try:
            connection.exec_driver_sql("SELECT 1" + self._dual)
            connection.rollback()
        except Exception:  # noqa: BLE001  # whatever it is, a new connection is needed
            return True
        return False

    @property
    def _dual(self) -> str:
        return " FROM dual" if self.database.account.dialect == "oracle" else ""

    def _give_up_connection(self) -> None:
        connection, self._connection = self._connection, None
        if connection is None or self.database.is_shared(connection):
            return
        with suppress(Exception):  # a broken connection cannot be rolled back
            connection.rollback()
        with suppress(Exception):  # nor closed
            connection.close()

    def _locked(self) -> Any:
        return self.database.lock if self.database.shares_connection else nullcontext()

    def _raise_if_ended(self) -> None:
        if self._ended.is_set():
            raise ExecutionError("the statement was cancelled because the run is ending")

    def text(self, statement: Statement) -> DriverText:
        """The statement as the driver takes it."""
        text = self._texts.get(statement)
        if text is None:
            if len(self._texts) >= _MAX_TEXTS:
                self._texts.clear()
            text = self._texts[statement] = for_driver(statement, self.database.style)
        return text


def _unclear_commit(error: Exception) -> DataError:
    found = lost_connection(error)
    return DataError(
        "the transaction could not be committed",
        found.reason,
        "if the connection broke, look whether the rows were written before you repeat them",
        details=found.details,
    )
