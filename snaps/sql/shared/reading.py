"""The results of statements as documents."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from engine.sdk import BoundText, Document, Evaluated, paths_read
from snaps.sql.shared.session import Session
from snaps.sql.shared.statements import Statement
from snaps.sql.shared.values import documents_of

_MYSQL_TINY, _MYSQL_BIT = 1, 16
"""Types of columns in MySQL's protocol."""


def read(
    session: Session,
    statement: Statement,
    values: Sequence[Any],
    original: Document | None,
    *,
    streams: bool,
    takes_rows: bool = True,
    ignores_empty: bool = False,
) -> Iterator[Document]:
    """The documents of a statement: its rows, or how many rows it changed.

    `original` is added to each, if given. A query without rows gives `original` alone unless
    `ignores_empty`.
    """
    count = 0
    keys: Sequence[str] | None = None
    for head, rows in session.rows(statement, values, streams=streams):
        if not takes_rows or head.description is None:
            yield with_original({"$UPDATE_COUNT": head.changed, "message": "Success"}, original)
            return
        if keys is None:
            keys, flags = columns_of(head.description, session.database.account.dialect)
        for document in documents_of(keys, rows, flags):
            count += 1
            yield with_original(document, original)
    if not count and not ignores_empty and original is not None:
        yield {"original": original}


def columns_of(description: Any, dialect: str) -> tuple[list[str], frozenset[int]]:
    """The names of a result's columns as the driver gives them, and the columns of flags."""
    keys = [str(column[0]) for column in description]
    if dialect != "mysql":
        return keys, frozenset()
    flags = (i for i, column in enumerate(description) if _is_flag(column))
    return keys, frozenset(flags)


def with_original(document: Document, original: Document | None) -> Document:
    """The document with the input document in it, if given."""
    return document if original is None else {**document, "original": original}


def is_source(*texts: BoundText | Evaluated[Any] | None) -> bool:
    """Whether none of these settings needs a document, so that the snap can start by itself."""
    for text in texts:
        if text is None:
            continue
        if text.expression is not None and paths_read([text.expression]) != frozenset():
            return False
        is_bound = isinstance(text, BoundText) and text.expression is None
        if is_bound and Statement.parse(text.value or "").marks:
            return False
    return True


def _is_flag(column: Any) -> bool:
    """MySQL's BOOLEAN is a TINYINT(1), and BIT(1) holds one flag."""
    kind, length = column[1], column[3]
    return (kind, length) in ((_MYSQL_TINY, 1), (_MYSQL_BIT, 1))
