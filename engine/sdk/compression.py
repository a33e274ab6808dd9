"""Compress and decompress streams piece by piece, and detect truncated and runaway data."""

from __future__ import annotations

import bz2
import lzma
import zlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

CHUNK = 128 * 1024
SUSPICIOUS = 64 * 1024 * 1024
"""Decompressed bytes beyond which their ratio to the compressed ones is checked."""

_COMPRESSORS: Mapping[str, Callable[[], Any]] = {
    "gzip": lambda: zlib.compressobj(wbits=zlib.MAX_WBITS | 16),
    "bz2": bz2.BZ2Compressor,
    "xz": lzma.LZMACompressor,
}
_DECOMPRESSORS: Mapping[str, Callable[[], Any]] = {
    "gzip": lambda: zlib.decompressobj(zlib.MAX_WBITS | 16),
    "bz2": bz2.BZ2Decompressor,
    "xz": lzma.LZMADecompressor,
}


class DecompressionError(ValueError):
    """The data are not in the format that was expected, or truncated; the message says which."""


class BombError(ValueError):
    """The data decompress to more than their size allows."""


def compressor(compression: str) -> Any:
    """Has `compress(data)` and `flush()`; `compression` is `gzip`, `bz2` or `xz`."""
    return _COMPRESSORS[compression]()


class Decompressor:
    """Decompresses one file, which may hold several compressed streams in a row.

    Output comes in chunks of at most 128 KiB. With a `max_ratio`, output of more than SUSPICIOUS
    bytes may be at most that many times as large as the input.
    """

    def __init__(self, compression: str, max_ratio: int = 0) -> None:
        self._compression = compression
        self._guard = RatioGuard(max_ratio)
        self._member: Any = None
        self._count = 0

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Raises DecompressionError or BombError."""
        self._guard.taken(len(data))
        try:
            while data:
                if self._member is None:
                    if self._count and not data.strip(b"\0"):
                        return  # padding after the last stream, as on a tape
                    self._member = _DECOMPRESSORS[self._compression]()
                    self._count += 1
                member = self._member
                yield from self._pieces(member, data)
                data = b""
                if member.eof:
                    data, self._member = member.unused_data, None
        except (zlib.error, lzma.LZMAError, OSError) as error:
            raise self._damaged(str(error).rpartition(": ")[2]) from error

    def end(self) -> None:
        """Raises DecompressionError unless the data were complete."""
        if self._member is not None or not self._count:
            raise self._damaged("it is truncated")

    def _pieces(self, member: Any, data: bytes) -> Iterator[bytes]:
        """The output of one compressed stream for the next bytes."""
        while not member.eof and (piece := member.decompress(data, CHUNK)):
            self._guard.given(len(piece))
            yield piece
            data = getattr(member, "unconsumed_tail", b"")  # the other two keep it themselves

    def _damaged(self, why: str) -> DecompressionError:
        return DecompressionError(f"it is not a complete {self._compression} file: {why}")


class RatioGuard:
    """Raises BombError when much more comes out than went in; `max_ratio` 0: never."""

    def __init__(self, max_ratio: int, taken: int = 0) -> None:
        self._max_ratio = max_ratio
        self._taken = taken
        self._given = 0

    def taken(self, size: int) -> None:
        self._taken += size

    def given(self, size: int) -> None:
        self._given += size
        if self._max_ratio and self._given > max(SUSPICIOUS, self._max_ratio * self._taken):
            raise BombError(
                f"it decompresses to more than {self._max_ratio:,} times its size, as a zip bomb "
                "does"
            )
