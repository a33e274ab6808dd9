"""A database of a run: one pool of connections for all snaps that use the same account."""

from __future__ import annotations

import json
import threading
from contextlib import suppress
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any

from engine.sdk import SqlAccount
from snaps.sql.shared.drivers import connect_arguments, driver_of, url_of

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine


class Database:
    """Opened when the first statement needs it, closed at the end of the run.

    The snaps of a run share one connection to a SQLite file, so that one that reads does not lock
    out one that writes; `lock` is held while one of them uses it.
    """

    def __init__(self, account: SqlAccount) -> None:
        self.account = account
        self.engine = _engine(account)
        self.shares_connection = account.dialect == "sqlite"
        self.lock = threading.RLock()
        self._shared: Connection | None = None

    @property
    def style(self) -> str:
        """The parameter style of the driver."""
        return self.engine.dialect.paramstyle

    @property
    def driver_error(self) -> type[Exception]:
        """The base of the driver's own errors."""
        error: type[Exception] = self.engine.dialect.loaded_dbapi.Error
        return error

    def connect(self, *, own: bool) -> Connection:
        """A connection; with `own`, one that no other snap uses. Raises SQLAlchemyError."""
        if not self.shares_connection or (own and self.account.database != ":memory:"):
            return self.engine.connect()
        if self._shared is None or self._shared.closed:
            self._shared = self.engine.connect()
        return self._shared

    def is_shared(self, connection: Connection) -> bool:
        return connection is self._shared

    def close(self) -> None:
        if self._shared is not None:
            with suppress(Exception):  # it may be broken
                self._shared.close()
        self.engine.dispose()


def cancel(connection: Any) -> None:
    """End the statement that runs on a DB-API connection. Called from another thread."""
    for name in ("cancel_safe", "cancel", "interrupt"):  # psycopg; oracledb; sqlite3
        if method := getattr(connection, name, None):
            method()
            return
    socket = getattr(connection, "_sock", None)  # PyMySQL has no way to cancel
    if socket is not None:
        import socket as sockets

        socket.shutdown(sockets.SHUT_RDWR)


def _engine(account: SqlAccount) -> Engine:
    driver = driver_of(account)
    from sqlalchemy import create_engine, event
    from sqlalchemy.pool import NullPool, QueuePool, StaticPool

    common: dict[str, Any] = {
        "connect_args": connect_arguments(account),
        "hide_parameters": True,  # they are values of documents
    }
    if account.dialect == "sqlite":
        in_memory = account.database == ":memory:"
        pool = StaticPool if in_memory else NullPool
        engine = create_engine(url_of(account, driver), poolclass=pool, **common)
        event.listen(engine, "connect", _leave_transactions_to_us)
        event.listen(engine, "begin", _begin)
        return engine
    engine = create_engine(
        url_of(account, driver),
        poolclass=QueuePool,
        pool_size=account.max_pool_size,
        max_overflow=0,
        pool_timeout=account.checkout_timeout / 1000,
        pool_recycle=int(account.max_idle_time * 60),
        **common,
    )
    event.listen(engine, "handle_error", _close_lost_cursor)
    if account.dialect == "postgresql":
        event.listen(engine, "connect", _read_exact_json)
    return engine


def _leave_transactions_to_us(connection: Any, record: Any) -> None:
    """Python's module begins transactions in its own way, which breaks savepoints."""
    connection.isolation_level = None


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN")


def _close_lost_cursor(context: Any) -> None:
    """SQLAlchemy leaves the cursor of a lost connection open, of which drivers warn."""
    cursor = getattr(context.execution_context, "cursor", None)
    if context.is_disconnect and cursor is not None:
        with suppress(Exception):  # there is nothing left to close on the server
            cursor.close()


def _read_exact_json(connection: Any, record: Any) -> None:
    """Numbers in JSON columns are read as decimals, as everywhere."""
    from psycopg.types.json import set_json_loads

    set_json_loads(partial(json.loads, parse_float=Decimal), connection)
