"""Decodes JSON text, but leaves long lists of numbers that are only passed on as text.

Decoding an image's 784 numbers, and encoding them again for the process that needs them, takes
longer than recognising the image. Only text that is certainly valid stays text; everything else is
decoded, with the usual result or error.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec import Raw

from engine.documents import RawJson, Value
from engine.sdk.json_errors import JsonSyntaxError
from engine.sdk.json_input import decoded_value

Places = dict[str, "Places"]
"""The keys that are read: the value itself if there are no further keys, otherwise parts of it."""

MIN_POINTS = 50
"""With fewer decimal points in a text nothing is gained: integers are decoded quickly."""

_NUMBERS_AND_SPACE = b"0123456789eE+-., \t\r\n"
_BLOCK = 2000
"""A number with more digits than are allowed fills at least one such block."""

_DIGITS = bytes.maketrans(b"123456789E+", b"000000000e-")
_MAX_DEPTH = 8
_fields = msgspec.json.Decoder(dict[str, Raw]).decode


def places_of(paths: Iterable[tuple[str, ...]]) -> Places | None:
    """The places of these paths; None for everything."""
    places: Places = {}
    for path in sorted(paths, key=len, reverse=True):
        if not path:
            return None
        *parents, last = path
        inner = places
        for key in parents:
            inner = inner.setdefault(key, {})
        inner[last] = {}  # reading the value includes everything below it
    return places


def decoded_with_text(text: bytes, seen: Places | None) -> Value:
    """The value of a JSON text, with RawJson for long lists of numbers that are not read.

    Everything else is decoded as usual, and so is the complete text if anything is wrong. Raises
    JsonSyntaxError.
    """
    if seen is None or text.count(b".") < MIN_POINTS:
        return decoded_value(text)
    try:
        return _partly_decoded(text, seen, _MAX_DEPTH)
    except _FAILURES:
        return decoded_value(text)


_FAILURES = (msgspec.DecodeError, UnicodeDecodeError, RecursionError, JsonSyntaxError)


def _partly_decoded(text: bytes, seen: Places, depth: int) -> Value:
    if not seen and _are_numbers(text):
        return RawJson(text)
    if not depth or text[:1] != b"{" or text.count(b".") < MIN_POINTS:
        return decoded_value(text)
    fields: dict[str, Any] = _fields(text)
    for key, raw in fields.items():
        inner, part = seen.get(key), bytes(raw)
        if inner == {}:
            fields[key] = decoded_value(part)
        else:
            fields[key] = _partly_decoded(part, inner or {}, depth - 1)
    return fields


def _are_numbers(text: bytes) -> bool:
    """Whether a valid JSON text is a long list of numbers, or of such lists, all within bounds."""
    if text[:1] != b"[" or text.count(b".") < MIN_POINTS:
        return False
    brackets = text.translate(None, _NUMBERS_AND_SPACE)
    for _ in range(_MAX_DEPTH):
        brackets = brackets.replace(b"[]", b"")
        if not brackets:
            return not (_may_be_long(text) or _has_large_exponent(text))
    return False  # it holds something else, or is nested deeply


def _may_be_long(text: bytes) -> bool:
    return any(b"," not in text[at : at + _BLOCK] for at in range(0, len(text) - _BLOCK, _BLOCK))


def _has_large_exponent(text: bytes) -> bool:
    """Whether an exponent has four digits."""
    if b"e" not in text and b"E" not in text:
        return False
    digits = text.translate(_DIGITS)
    return any(sign in digits for sign in (b"e0000", b"e-0000"))
