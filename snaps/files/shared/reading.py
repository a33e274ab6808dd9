"""A file as a binary stream."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from engine.sdk import DataError, FileContent, Header, StreamEnd, StreamStart, Value

Pieces = Iterator[StreamStart | bytes | StreamEnd]


def pieces_of(location: str, content: FileContent, further: Mapping[str, Value]) -> Pieces:
    """The stream of an open file, whose header says where it came from, and `further` fields."""
    header: Header = {
        "content-location": location,
        "content-type": content.content_type or "application/octet-stream",
    }
    if content.size:
        header["content-length"] = content.size
    yield StreamStart({**header, **further})
    try:
        yield from content
    except DataError:
        yield StreamEnd(broken=True)
        raise
    yield StreamEnd()
