"""Decompress a stream piece by piece, and detect truncated data."""

from __future__ import annotations

import bz2
import lzma
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from engine.errors import DataError

CHUNK = 128 * 1024

_NEW: Mapping[str, Callable[[], Any]] = {
    "gzip": lambda: zlib.decompressobj(zlib.MAX_WBITS | 16),
    "bz2": bz2.BZ2Decompressor,
    "xz": lzma.LZMADecompressor,
}


def decompressed(compression: str, chunks: Iterable[bytes], shown: str) -> Iterator[bytes]:
    """The decompressed bytes in chunks of at most 128 KiB; `shown` is the name in messages.

    A file may hold several compressed streams in a row. Raises DataError if it is not in the
    format `compression`, or is truncated.
    """
    member: Any = None
    count = 0
    try:
        for chunk in chunks:
            data = chunk
            while data:
                if member is None:
                    if count and not data.strip(b"\0"):
                        break  # padding after the last stream, as on a tape
                    member, count = _NEW[compression](), count + 1
                yield from _pieces(member, data)
                data, member = (member.unused_data, None) if member.eof else (b"", member)
    except (zlib.error, lzma.LZMAError, OSError) as error:
        raise _damaged(compression, shown, str(error).rpartition(": ")[2]) from error
    if member is not None or not count:
        raise _damaged(compression, shown, "it is truncated")


def _pieces(member: Any, data: bytes) -> Iterator[bytes]:
    """The output of one compressed stream for the next bytes."""
    while not member.eof and (piece := member.decompress(data, CHUNK)):
        yield piece
        data = getattr(member, "unconsumed_tail", b"")  # the other two keep it themselves


def _damaged(compression: str, shown: str, why: str) -> DataError:
    return DataError(
        f"cannot read the file {shown!r}",
        f"it is not a complete {compression} file: {why}",
        f"check the file; if it is not compressed, remove '{compression}::'",
    )
