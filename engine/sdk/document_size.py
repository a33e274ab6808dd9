"""How much of a stream may become one document: a small compressed stream can hold a huge one."""

from __future__ import annotations

from engine.errors import DataError

MAX_DOCUMENT = 512 * 1024**2
"""Bytes. A parser holds them until the document is complete, and the document takes several times
as much."""


def document_too_large(held: int, kind: str, resolution: str) -> DataError | None:
    """The error of a stream of this kind (`JSON`, `XML`) of whose next document there are `held`
    bytes; None if they are not too many."""
    if held <= MAX_DOCUMENT:
        return None
    reason = f"a document in it has more than {MAX_DOCUMENT // 1024**2} MiB"
    return DataError(f"cannot parse the stream as {kind}", reason, resolution)
