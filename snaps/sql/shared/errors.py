"""Errors of databases as errors of documents."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from engine.sdk import DataError, Document, SqlAccount
from snaps.sql.shared.statements import Statement

_LONGEST = 2_000
NOT_SENT = (OverflowError, ValueError, TypeError)
"""What drivers raise for a value that they cannot send."""


class LostConnectionError(DataError):
    """The database could not be reached, or the connection to it broke."""


def lost_connection(error: Exception) -> LostConnectionError:
    text, details = described(error)
    return LostConnectionError(
        "the connection to the database failed",
        text,
        "check the database and the account; number_of_retries tries again",
        details=details,
    )


def not_connected(error: Exception, account: SqlAccount) -> LostConnectionError:
    """The error of a connection that could not be made; of SQLite, with the name of the file."""
    if account.dialect != "sqlite":
        return lost_connection(error)
    text, details = described(error)
    has_folder = Path(account.database).parent.is_dir()
    return LostConnectionError(
        f"the SQLite file {account.database!r} cannot be opened",
        text if has_folder else "its folder does not exist",
        "check that it is a file that may be read and written" if has_folder else "create it first",
        details=details,
    )


def no_free_connection(account: SqlAccount) -> DataError:
    return DataError(
        f"all {account.max_pool_size} connections of the account are in use",
        f"none became free within {account.checkout_timeout} ms",
        "raise max_pool_size of the account: each snap that uses it needs a connection",
    )


def statement_error(error: Exception, statement: Statement) -> DataError:
    """The error of a statement for one document."""
    text, details = described(error)
    return DataError(
        "SQL operation failed",
        f"SQL [{shortened(statement.shown)}]; {text}",
        "compare the statement and the values in original with what the database expects",
        details=details,
    )


def batch_error(error: Exception) -> DataError:
    """The error of a statement for many rows."""
    text, details = described(error)
    codes = [
        f"{name}: {details[key]}"
        for name, key in (("error code", "error_code"), ("SQL state", "sql_state"))
        if key in details
    ]
    return DataError("Batch operation failed", ", ".join([text, *codes]), details=details)


def described(error: Exception) -> tuple[str, Document]:
    """The driver's text, and its codes as details of an error document."""
    original = getattr(error, "orig", None) or error
    details: Document = {}
    state = getattr(original, "sqlstate", None)
    code = getattr(original, "sqlite_errorcode", None)
    arguments: tuple[Any, ...] = getattr(original, "args", ())
    if code is None and len(arguments) > 1 and isinstance(arguments[0], int):
        code = arguments[0]  # PyMySQL and pymssql
    if state:
        details["sql_state"] = state
    if code is not None:
        details["error_code"] = code
    return shortened(_text(original)), details


def shortened(text: str) -> str:
    return f"{text[:_LONGEST]}…" if len(text) > _LONGEST else text


def _text(error: Any) -> str:
    """The text without the code that some drivers put before it, on one line."""
    arguments: tuple[Any, ...] = getattr(error, "args", ())
    if len(arguments) > 1 and isinstance(arguments[0], int):
        text = arguments[1]
        text = text.decode(errors="replace") if isinstance(text, bytes) else str(text)
    else:
        text = str(error)
    return " ".join(text.split()) or type(error).__name__
