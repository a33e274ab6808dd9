"""Reads non-standard JSON: comments, single quotes, unquoted names, trailing commas.

The lenient parser reads numbers as floats. So the numbers are taken out of the text first, and put
back as they were written.
"""

from __future__ import annotations

import io
import re
from contextlib import suppress
from typing import Any

from engine.numbers import decimal_of, out_of_bounds, with_decimals
from engine.sdk.json_errors import JsonSyntaxError, lone_half, number_error, wrong_encoding


class OddText:
    """The rest of a stream that is not standard JSON, collected for the lenient parser."""

    def __init__(self, error: JsonSyntaxError, in_array: bool) -> None:
        self.error = error
        self.in_array = in_array
        self._parts: list[bytes] = []
        self._size = 0

    def add(self, chunk: bytes) -> bool:
        """Add a chunk; returns whether the text is still short enough."""
        self._parts.append(chunk)
        self._size += len(chunk)
        return self._size <= _MAX_ODD

    def text(self) -> bytes:
        return b"".join(self._parts)

    def values(self) -> list[Any]:
        """Its values: none if only comments and spaces are left; if it begins inside an array, the
        first is the rest of that array. Raises JsonSyntaxError."""
        return lenient_values(self.text(), "[" if self.in_array else "")


_MAX_ODD = 64 * 1024 * 1024
_MAX_ODD_DEPTH = 500


def lenient_values(data: bytes, opening: str = "") -> list[Any]:
    """The values of `opening` and a text with comments etc. Raises JsonSyntaxError."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise wrong_encoding(data) from None
    numbers = _Numbers(text)
    if numbers.error is not None:
        raise numbers.error
    with suppress(JsonSyntaxError):
        values = _parsed(opening, numbers.text)
        if numbers.put_back(values):
            return values
    values = _parsed(opening, text)  # the original text, for the error and its place
    return with_decimals(values)  # type: ignore[no-any-return]


class _Numbers:
    """The decimals and the long integers of a text; in `text` each is replaced by a string.

    `error` is that of the first number beyond the bounds, if any.
    """

    def __init__(self, text: str) -> None:
        self.error: JsonSyntaxError | None = None
        self._found: list[Any] = []
        self._mark = _unused_character(text)
        self.text = re.sub(_UP_TO_NUMBER, self._taken_out, text) if self._mark else text

    def _taken_out(self, found: re.Match[str]) -> str:
        before, number = found.groups()
        if not number:
            return before
        try:
            is_integer = number.lstrip("+-").isdecimal()
            self._found.append(int(decimal_of(number)) if is_integer else decimal_of(number))
        except ArithmeticError:
            offset = len(found.string[: found.start(2)].encode())
            reason = out_of_bounds(number)
            self.error = self.error or number_error(offset, reason)
        return f'{before}"{self._mark}{len(self._found) - 1}"'

    def put_back(self, values: list[Any]) -> bool:
        """Replace the strings by their numbers. False if one of them is the name of a field."""
        mark = self._mark
        if not mark:
            return False
        pending: list[Any] = [values] if self._found else []
        while pending:
            container = pending.pop()
            is_map = container.__class__ is dict
            if is_map and any(key.startswith(mark) for key in container):
                return False
            for key, item in container.items() if is_map else enumerate(container):
                if item.__class__ is str:
                    if item.startswith(mark):
                        container[key] = self._found[int(item[1:])]
                elif item.__class__ is dict or item.__class__ is list:
                    pending.append(item)
        return True


def _unused_character(text: str) -> str:
    """A character that occurs in no string, not even as an escape; empty if there is none."""
    escapes = text.lower() if "\\u" in text else ""
    codes = range(0xE000, 0xF900)
    unused = (chr(c) for c in codes if chr(c) not in text and f"\\u{c:x}" not in escapes)
    return next(unused, "")


_NUMBER = r"[+-]?(?:(?:0|[1-9][0-9]*+)(?:\.[0-9]*+)?|\.[0-9]++)(?:[eE][+-]?[0-9]++)?(?![\w$.\\])"
_UP_TO_NUMBER = rf"""(?xs)
    ((?:
        [^"'/\\\w$.+-]++
        | (?![0-9.+-]) [\w$\\.+-]++                     # a name
        | "(?:[^"\\]++|\\.)*+(?:"|\\?\Z) | '(?:[^'\\]++|\\.)*+(?:'|\\?\Z)
        | //[^\n\r\u2028\u2029]*+ | /\*.*?(?:\*/|\Z) | /
        | (?:0|[1-9][0-9]{{0,17}}+) (?![\w$.\\])          # a short integer
        | (?!{_NUMBER}) [\w$\\.+-]++
    )*+)
    ({_NUMBER} | \Z)
"""


def _parsed(opening: str, text: str) -> list[Any]:
    import pyjson5  # rarely needed

    stream = io.StringIO(opening + text)
    values: list[Any] = []
    start = -len(opening)
    try:
        while True:
            values.append(pyjson5.decode_io(stream, maxdepth=_MAX_ODD_DEPTH))
            start = stream.tell() - len(opening)
    except pyjson5.Json5DecoderException as error:
        message = error.message or ""
        if message.startswith("No JSON data") and (values or not opening):
            return values
        raise _lenient_error(message, text, start) from None


def _lenient_error(message: str, text: str, start: int) -> JsonSyntaxError:
    """The lenient parser's error about the value at `start`, reworded."""
    kind, _, near = message.partition(" near ")
    number = re.match(r"\d+", near)
    offset = start + (int(number[0]) - 1 if number else 0)
    if offset < 0:
        return JsonSyntaxError(len(text.rstrip().encode()), "the array of the stream does not end")
    if "Numeric" in kind:
        reason = "not a valid number"
    elif kind.startswith("Unclosed"):
        part = next((part for part in ("object", "array", "string") if part in kind), "value")
        reason = f"the {part} that begins here does not end"
    elif ("surrogate" in kind or kind.startswith(_HALF_EXPECTED)) and (
        half := lone_half(text[start:].encode())
    ):
        return JsonSyntaxError(half.offset + len(text[:start].encode()), half.reason)
    elif kind.startswith("Maximum nesting"):
        reason = "it is nested too deeply"
    else:
        reason = "not valid JSON"
    return JsonSyntaxError(len(text[:offset].encode()), reason)


_HALF_EXPECTED = "Expected U+005c"
"""The lenient parser misses the backslash of the other half of a surrogate pair."""
