"""Decompress a file while it is read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from engine.errors import DataError
from engine.sdk.compression import DecompressionError, Decompressor


def decompressed(compression: str, chunks: Iterable[bytes], shown: str) -> Iterator[bytes]:
    """The decompressed bytes in chunks of at most 128 KiB; `shown` is the name in messages.

    Raises DataError if the file is not in the format `compression`, or is truncated.
    """
    decompressor = Decompressor(compression)
    try:
        for chunk in chunks:
            yield from decompressor.feed(chunk)
        decompressor.end()
    except DecompressionError as error:
        raise DataError(
            f"cannot read the file {shown!r}",
            str(error),
            f"check the file; if it is not compressed, remove '{compression}::'",
        ) from error
