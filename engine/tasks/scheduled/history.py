"""The history of scheduled runs: a SQLite file that outlives servers and may serve several.

Each call is one short transaction that does not wait for the disk, so the front makes it from its
event loop; it waits at most two seconds for another server.

The runs of a server that has died are lost; see ServerLocks.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, cast

import msgspec

from engine.errors import ConfigurationError, ExecutionError
from engine.tasks.scheduled.server_locks import ServerLocks

Status = Literal["running", "completed", "failed", "stopped", "misfired", "skipped", "lost"]
Ending = Literal["completed", "failed", "stopped"]
NotRun = Literal["misfired", "skipped"]

MAX_RUNS_KEPT = 1000
_VERSION = 1
_LOCK_TIMEOUT = 2.0
_SCHEMA = """
CREATE TABLE IF NOT EXISTS runs (
    id INTEGER PRIMARY KEY,
    task TEXT NOT NULL,
    scheduled_at TEXT NOT NULL,
    started_at TEXT,
    finished_at TEXT,
    status TEXT NOT NULL,
    message TEXT NOT NULL DEFAULT '',
    counts TEXT NOT NULL DEFAULT '{}',
    server TEXT NOT NULL,
    UNIQUE (task, scheduled_at)
);
CREATE INDEX IF NOT EXISTS running ON runs (status) WHERE status = 'running';
"""
_COLUMNS = "id, task, scheduled_at, started_at, finished_at, status, message, counts"


class RunRecord(msgspec.Struct, frozen=True):
    """One scheduled time of a task and what became of it; times are UTC."""

    id: int
    task: str
    scheduled_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    status: Status
    message: str
    counts: Mapping[str, Any]


class History:
    """The runs of all tasks; `task` is `Task.identity` everywhere.

    Raises ConfigurationError if the file cannot be used, and ExecutionError if a later call fails.
    """

    def __init__(self, folder: str | Path | None = None) -> None:
        self.path = database(folder)
        self._hint = (
            f"give --state a writable folder, not '{folder}'"
            if folder
            else "set XDG_STATE_HOME to a writable folder"
        )
        self._locks = ServerLocks(self.path.parent / "servers")
        try:
            self._connection = self._open()
        except (sqlite3.Error, OSError) as error:
            self._locks.release()
            raise ConfigurationError(self._error_text(error)) from None
        except ConfigurationError:
            self._locks.release()
            raise

    def begin(self, task: str, scheduled_at: datetime, now: datetime) -> int | None:
        """The id of a new run; None if its time was handled before, or by another server."""
        return self._add(task, scheduled_at, "running", started_at=_text(now))

    def finish(
        self,
        run: int,
        now: datetime,
        status: Ending,
        message: str = "",
        counts: Mapping[str, Any] | None = None,
    ) -> None:
        """Record the end of a run; `counts` must be JSON."""
        with self._transaction() as database:
            database.execute(
                "UPDATE runs SET finished_at = ?, status = ?, message = ?, counts = ? WHERE id = ?",
                (_text(now), status, message, json.dumps(counts or {}), run),
            )

    def note(self, task: str, scheduled_at: datetime, status: NotRun, message: str) -> None:
        """Record why runs up to `scheduled_at` were not started."""
        self._add(task, scheduled_at, status, message)

    def forget_after(self, task: str, now: datetime) -> None:
        """Remove times later than `now`: the clock was wrong when they were recorded."""
        with self._transaction() as database:
            database.execute(
                "DELETE FROM runs WHERE task = ? AND scheduled_at > ? AND status != 'running'",
                (task, _text(now)),
            )

    def last(self, task: str) -> RunRecord | None:
        """The latest scheduled time that was handled in any way."""
        return next(iter(self.recent(task, 1)), None)

    def recent(self, task: str, limit: int = 20) -> list[RunRecord]:
        """The latest runs, latest first."""
        with self._transaction() as database:
            rows = database.execute(
                f"SELECT {_COLUMNS} FROM runs WHERE task = ? ORDER BY scheduled_at DESC LIMIT ?",
                (task, limit),
            )
            return [_run(row) for row in rows]

    def running(self, task: str) -> int:
        """Number of runs of the task in progress, here or on other servers."""
        with self._transaction() as database:
            self._mark_lost(database)
            query = "SELECT count(*) FROM runs WHERE task = ? AND status = 'running'"
            return int(database.execute(query, (task,)).fetchone()[0])

    def close(self) -> None:
        """Close the file; runs still in progress count as lost from now on."""
        try:
            with self._locks.exclusive():
                self._connection.close()
        except OSError:  # somebody has removed the folder
            self._connection.close()
        self._locks.release()

    def __enter__(self) -> History:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _open(self) -> sqlite3.Connection:
        with self._locks.exclusive():
            os.close(os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600))
            connection = sqlite3.connect(self.path, timeout=_LOCK_TIMEOUT, isolation_level=None)
            try:
                connection.execute("PRAGMA journal_mode = WAL")
                connection.execute("PRAGMA synchronous = NORMAL")
                connection.execute("BEGIN IMMEDIATE")
                self._prepare(connection)
                connection.execute("COMMIT")
            except BaseException:  # raised again once it is closed
                connection.close()
                raise
        return connection

    def _prepare(self, database: sqlite3.Connection) -> None:
        version = database.execute("PRAGMA user_version").fetchone()[0]
        if version > _VERSION:
            raise ConfigurationError(
                f"the history of scheduled runs '{self.path}' was written by a newer version of "
                "the engine; use that version, or another folder"
            )
        for statement in _SCHEMA.split(";"):
            database.execute(statement)
        database.execute(f"PRAGMA user_version = {_VERSION}")
        self._locks.take()
        self._mark_lost(database)

    def _mark_lost(self, database: sqlite3.Connection) -> None:
        rows = database.execute("SELECT DISTINCT server FROM runs WHERE status = 'running'")
        for (server,) in rows.fetchall():
            if server != self._locks.server and self._locks.is_dead(server):
                database.execute(
                    "UPDATE runs SET status = 'lost', message = ? "
                    "WHERE status = 'running' AND server = ?",
                    ("the server ended before the run did", server),
                )

    def _add(
        self,
        task: str,
        scheduled_at: datetime,
        status: Status,
        message: str = "",
        started_at: str | None = None,
    ) -> int | None:
        with self._transaction() as database:
            added = database.execute(
                "INSERT INTO runs (task, scheduled_at, started_at, status, message, server) "
                "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
                (task, _text(scheduled_at), started_at, status, message, self._locks.server),
            )
            if not added.rowcount:
                return None
            database.execute(
                "DELETE FROM runs WHERE task = ? AND status != 'running' AND scheduled_at <= ("
                "SELECT scheduled_at FROM runs WHERE task = ? "
                "ORDER BY scheduled_at DESC LIMIT 1 OFFSET ?)",
                (task, task, MAX_RUNS_KEPT),
            )
            return added.lastrowid

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:  # raised again once it is undone
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise
        except (sqlite3.Error, OSError) as error:
            raise ExecutionError(self._error_text(error)) from None

    def _error_text(self, error: Exception) -> str:
        reason = getattr(error, "strerror", None) or error
        remedy = self._hint
        if "locked" in str(reason):
            remedy = "another process has locked it; find out which one has the file open"
        elif not isinstance(error, OSError | sqlite3.OperationalError):
            remedy = "move the file away, and a new one will be created"
        return f"the history of scheduled runs '{self.path}' cannot be used: {reason}; {remedy}"


def database(folder: str | Path | None = None) -> Path:
    """The path of the history file, which need not exist yet."""
    return (Path(folder) if folder else default_folder()) / "history.sqlite"


def default_folder() -> Path:
    """`snapline` in $XDG_STATE_HOME or ~/.local/state. Raises ConfigurationError without a home."""
    named = os.environ.get("XDG_STATE_HOME", "")
    try:
        state = Path(named) if Path(named).is_absolute() else Path.home() / ".local" / "state"
    except RuntimeError:
        raise ConfigurationError(
            "cannot find a home folder for the history of scheduled runs; set XDG_STATE_HOME"
        ) from None
    return state / "snapline"


def _run(row: tuple[Any, ...]) -> RunRecord:
    number, task, scheduled_at, started_at, finished_at, status, message, counts = row
    return RunRecord(
        id=number,
        task=task,
        scheduled_at=datetime.fromisoformat(scheduled_at),
        started_at=datetime.fromisoformat(started_at) if started_at else None,
        finished_at=datetime.fromisoformat(finished_at) if finished_at else None,
        status=cast(Status, status),
        message=message,
        counts=json.loads(counts),
    )


def _text(moment: datetime) -> str:
    """In UTC and always of the same length, so that strings sort like times."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
