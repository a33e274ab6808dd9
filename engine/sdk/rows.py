"""Rows of tables on their way from one snap to another, without a document for each.

A parser that is a `RowSource` and a formatter that is a `RowSink` say so by their steps
(`DecodeRows`, `EncodeRows`). The runtime then passes rows from one to the other, as long as these
are regular, and documents otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

Row = Sequence[Any]
"""The values of a document, in the order of the columns."""


class RowSource(Protocol):
    """A StreamSnap that may give the rows of a piece instead of their documents."""

    @property
    def columns(self) -> Sequence[str]:
        """The names of the columns of the current stream, all different."""
        ...

    def rows(self, chunk: bytes) -> Iterator[list[Any] | None]:
        """The rows in the next piece of the stream, part by part; None for a part that is odd.

        A part that is odd, or that the caller does not take, must be fed as `b""` to the snap
        before the next one is asked for: it then gives the documents, and reports mistakes.
        """
        ...

    def rows_taken(self, count: int) -> None:
        """The caller has taken the last part, of so many rows."""
        ...


class RowSink(Protocol):
    """A snap that may take rows instead of documents."""

    def text_of(self, columns: Sequence[str], rows: Sequence[Row]) -> bytes | None:
        """The text of rows with these columns; None if it needs documents.

        Raises DataError, before doing anything, for a value that cannot be written.
        """
        ...
