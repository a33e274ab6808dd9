"""Decoding JSON text, for all JSON parsers. Numbers are integers and decimals, as written."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import Any, TypedDict

import msgspec

from engine.documents import Document, Value
from engine.errors import DataError
from engine.numbers import decimal_of, may_hide_mistakes
from engine.sdk.json_errors import JsonSyntaxError, syntax_error
from engine.sdk.json_lenient import lenient_values
from engine.sdk.packing import packing_of


def decoded_values(text: bytes) -> list[Any]:
    """The values of a text of JSON values, one after the other. Raises JsonSyntaxError."""
    return _decoded(_ANY.decode_lines, text)


def decoded_elements(text: bytes) -> list[Any]:
    """The values of the inside of an array. Raises JsonSyntaxError."""
    return _decoded(_ARRAY.decode, text, b"[", b"]")


class LineDecoder:
    """Decodes JSON lines in blocks, with all fields or only those that are needed.

    The first documents keep all their fields, so that the message about a mistake in an expression
    can show the names that the documents have.
    """

    WHOLE_AT_FIRST = 1000

    def __init__(self, needed: frozenset[str] | None = None) -> None:
        self._decoder: msgspec.json.Decoder[Any] = _OBJECT
        self._needed = needed
        self._seen = 0

    def decode(self, block: bytes) -> list[Document] | None:
        """The objects of a text with one in each line; None if a line holds anything else."""
        try:
            documents: list[Document] = list(map(self._decoder.decode, BytesIO(block)))
            if self._decoder is not _OBJECT and may_hide_mistakes(block):
                documents = list(map(_OBJECT.decode, BytesIO(block)))
        except _FAILURES:
            return None
        if self._needed is not None:
            self._seen += len(documents)
            if self._seen >= self.WHOLE_AT_FIRST:
                self._decoder, self._needed = _decoder_of(self._needed), None
        return documents


def _decoder_of(fields: frozenset[str]) -> msgspec.json.Decoder[Any]:
    """A decoder that skips all fields but these; it is twice as fast where many are skipped."""
    shape = TypedDict("shape", dict.fromkeys(sorted(fields), Any), total=False)  # type: ignore[misc]
    return msgspec.json.Decoder(shape, float_hook=decimal_of)


def decoded_value(text: bytes, *, lenient: bool = False) -> Value:
    """The value of a text that holds exactly one. Raises JsonSyntaxError."""
    try:
        return _ANY.decode(text)
    except _FAILURES as error:
        strict = syntax_error(error, text)
    if strict.is_final or not lenient:
        raise strict
    try:
        values = lenient_values(text)
    except JsonSyntaxError as other:  # for the same place the strict parser has the better message
        raise (strict if other.offset == strict.offset else other) from None
    if len(values) != 1:
        raise strict
    return values[0]


_ANY = msgspec.json.Decoder(Any, float_hook=decimal_of)
_ARRAY = msgspec.json.Decoder(list[Any], float_hook=decimal_of)
_OBJECT = msgspec.json.Decoder(dict[str, Any], float_hook=decimal_of)
_FAILURES = (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ArithmeticError)


def _decoded(
    decode: Callable[[bytes], list[Any]], text: bytes, opening: bytes = b"", closing: bytes = b""
) -> list[Any]:
    try:
        return decode(opening + text + closing if opening else text)
    except _FAILURES as error:
        raise syntax_error(error, text, len(opening)) from None


MAX_MARK_BYTES = 4
"""Bytes from which the encoding of a stream is known."""


def without_mark(head: bytes) -> bytes:
    """The first bytes of a stream without the byte order mark of UTF-8.

    Raises DataError for UTF-16, UTF-32 and compressed data.
    """
    if (packing := packing_of(head)) is not None:
        what, hint = packing
        raise DataError("cannot parse the stream as JSON", f"the stream is {what}", hint)
    if head.startswith(b"\xef\xbb\xbf"):
        return head[3:]
    if head[:2] in (b"\xff\xfe", b"\xfe\xff") or 0 in head[:MAX_MARK_BYTES]:
        offset = next(i for i, byte in enumerate(head) if byte in (0, 0xFE, 0xFF))
        is_wide = head[:MAX_MARK_BYTES].count(0) > 2 or head[:4] == b"\xff\xfe\0\0"
        raise DataError(
            "cannot parse the stream as JSON",
            f"byte {head[offset]:#04x} at offset {offset} is not UTF-8; the stream looks like "
            f"UTF-{32 if is_wide else 16}",
            "save it as UTF-8",
        )
    return head
