"""Content codings of a response (RFC 9110, 8.4), undone piece by piece.

The HTTP library can decompress as well, but it takes truncated data for data still to come, and
reports invalid data as a broken connection. Here the end is checked, and the output comes in pieces
of limited size, so that the caller can stop when it has enough.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Sequence

ACCEPTED = "gzip, deflate"
"""The value of `Accept-Encoding`."""

MAX_CODINGS = 5
PIECE = 65_536

_GZIP = ("gzip", "x-gzip")
_DEFLATE = "deflate"


class CodingError(Exception):
    """The data cannot be decompressed; the message says why."""


def codings_of(headers: Iterable[tuple[str, str]]) -> list[str]:
    """The codings of a body, in the order in which they were applied."""
    found: dict[str, list[str]] = {"content-encoding": [], "transfer-encoding": []}
    for name, value in headers:
        if (key := name.lower()) in found:
            found[key] += [coding.strip().lower() for coding in value.split(",")]
    return [
        coding
        for codings in found.values()
        for coding in codings
        if coding not in ("", "identity", "chunked")  # the HTTP library decodes chunks
    ]


class Decoder:
    """Decompresses what is fed to it. Empty data is not an error."""

    def __init__(self, codings: Sequence[str]) -> None:
        """`codings` are in the order in which they were applied. Raises CodingError."""
        if len(codings) > MAX_CODINGS:
            raise CodingError(f"it is compressed {len(codings)} times; the limit is {MAX_CODINGS}")
        self._inflaters = [_Inflater(coding) for coding in reversed(codings)]

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The next pieces, each of limited size. Raises CodingError."""
        return self._unpacked(data, 0)

    def finish(self) -> None:
        """To be called after the last data. Raises CodingError if it is incomplete."""
        for inflater in self._inflaters:
            inflater.finish()

    def _unpacked(self, data: bytes, step: int) -> Iterator[bytes]:
        if step == len(self._inflaters):
            yield data
            return
        for piece in self._inflaters[step].feed(data):
            yield from self._unpacked(piece, step + 1)


class _Inflater:
    """gzip with any number of members, and deflate with or without the zlib header."""

    def __init__(self, coding: str) -> None:
        if coding not in _GZIP and coding != _DEFLATE:
            raise CodingError(
                f"the content coding {coding!r:.60} is not supported; gzip and deflate are"
            )
        self._coding = coding
        self._held = b""
        self._inflate: zlib._Decompress | None = None
        self._has_ended = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        data = self._held + data
        self._held = b""
        while data:
            if self._inflate is None:
                if self._has_ended:
                    data = self._after_end(data)
                if len(data) < 2:  # the first two bytes show which format it is
                    self._held = data
                    return
                self._inflate = zlib.decompressobj(self._window_bits(data))
            yield from self._inflated(self._inflate, data)
            data = b""
            if self._inflate.eof:
                data = self._inflate.unused_data
                self._inflate, self._has_ended = None, True

    def finish(self) -> None:
        if self._held or self._inflate is not None:
            raise CodingError(f"the {self._coding} data is truncated")

    def _inflated(self, inflate: zlib._Decompress, data: bytes) -> Iterator[bytes]:
        piece = b""
        while not inflate.eof and (data or len(piece) == PIECE):
            try:
                piece = inflate.decompress(data, PIECE)
            except zlib.error as error:
                why = str(error).rpartition(": ")[2]
                raise CodingError(f"it is not valid {self._coding} data: {why}") from None
            data = inflate.unconsumed_tail
            if piece:
                yield piece

    def _after_end(self, data: bytes) -> bytes:
        """Handle what follows complete data: another gzip member, or zeros as padding."""
        if self._coding in _GZIP:
            data = data.lstrip(b"\0")
            if b"\x1f\x8b".startswith(data[:2]):
                return data
        raise CodingError(f"more data follows the end of the {self._coding} data")

    def _window_bits(self, data: bytes) -> int:
        if self._coding in _GZIP:
            return 16 + zlib.MAX_WBITS
        has_zlib_header = data[0] & 0x0F == zlib.DEFLATED and (data[0] << 8 | data[1]) % 31 == 0
        return zlib.MAX_WBITS if has_zlib_header else -zlib.MAX_WBITS
