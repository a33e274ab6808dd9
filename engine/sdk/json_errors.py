"""Errors in JSON: where a text is malformed and why, and values that are no documents."""

from __future__ import annotations

import re
from typing import NamedTuple

import msgspec

from engine.documents import Value
from engine.errors import DataError
from engine.numbers import out_of_bounds
from engine.sdk.excerpts import excerpt


class Place(NamedTuple):
    """A place in the stream: line and column from 1, bytes before it from 0."""

    line: int = 1
    column: int = 1
    offset: int = 0

    def after(self, text: bytes) -> Place:
        """The place at the end of a text that begins here."""
        last = text.rfind(b"\n") + 1
        columns = len(text[last:].decode(errors="replace"))
        offset = self.offset + len(text)
        if last:
            return Place(self.line + text.count(b"\n"), columns + 1, offset)
        return Place(self.line, self.column + columns, offset)


START = Place()


class JsonSyntaxError(Exception):
    """Invalid JSON at a place in a text; if `is_final`, a lenient parser would not help.

    `remedy` says what to do about this error in particular, if anything.
    """

    def __init__(self, offset: int, reason: str, is_final: bool = False, remedy: str = "") -> None:
        super().__init__(offset, reason, is_final, remedy)
        self.offset = offset
        self.reason = reason
        self.is_final = is_final
        self.remedy = remedy

    def minus(self, count: int) -> JsonSyntaxError:
        """The same error for a text that begins this many bytes later."""
        return JsonSyntaxError(self.offset - count, self.reason, self.is_final, self.remedy)

    def at(self, place: Place, text: bytes, what: str, resolution: str) -> DataError:
        """The error for the user; `text` begins at `place` of `what`."""
        reason = self.placed(text, place)
        return DataError(f"cannot parse {what} as JSON", reason, self.remedy or resolution)

    def placed(self, text: bytes, begin: Place = START) -> str:
        """The reason and the place, for a text that begins at `begin`."""
        spot = begin.after(text[: self.offset])
        return (
            f"{self.reason} (line {spot.line}, column {spot.column}, byte {spot.offset}), "
            f"near {_excerpt(text, self.offset)}"
        )


def syntax_error(error: Exception, text: bytes, before: int = 0) -> JsonSyntaxError:
    """Where `text` is invalid and why; when it was decoded, `before` bytes preceded it."""
    if isinstance(error, RecursionError):
        return JsonSyntaxError(0, "it is nested too deeply", is_final=True)
    if isinstance(error, UnicodeDecodeError):
        return wrong_encoding(text)
    if isinstance(error, msgspec.ValidationError | ArithmeticError):
        return _number_out_of_range(text)
    message = str(error).removeprefix("JSON is malformed: ")
    if found := re.search(r" \(byte (\d+)\)$", message):
        return JsonSyntaxError(min(int(found[1]) - before, len(text)), message[: found.start()])
    return lone_half(text) or unfinished(text)


def unfinished(text: bytes) -> JsonSyntaxError:
    return JsonSyntaxError(len(text.rstrip()), "the JSON is incomplete")


def number_error(offset: int, reason: str) -> JsonSyntaxError:
    """The error for a number beyond the bounds."""
    remedy = "write the number in quotes, as a string, if all its digits are needed"
    return JsonSyntaxError(offset, reason, is_final=True, remedy=remedy)


def _number_out_of_range(text: bytes) -> JsonSyntaxError:
    """The first number that is too large or too long."""
    for token in re.finditer(_STRING_OR_NUMBER, text, re.DOTALL):
        number = token["number"]
        if number is not None and (reason := out_of_bounds(number.decode())):
            return number_error(token.start(), reason)
    return JsonSyntaxError(0, "it holds a number that is out of range", is_final=True)


def lone_half(text: bytes) -> JsonSyntaxError | None:
    """The first `\\u` escape that is half of a surrogate pair without its other half."""
    for escape in re.finditer(_ESCAPE, text):
        if half := escape["half"]:
            reason = f"{half.decode()} is half of a surrogate pair, and its other half is missing"
            return JsonSyntaxError(escape.start("half"), reason)
    return None


_STRING_OR_NUMBER = (
    rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|(?P<number>-?[0-9]++(?:\.[0-9]++)?(?:[eE][+-]?[0-9]++)?)'
)
_ESCAPE = (
    rb"\\\\|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    rb"|(?P<half>\\u[dD][89a-fA-F][0-9a-fA-F]{2})"
)


def wrong_encoding(text: bytes) -> JsonSyntaxError:
    try:
        text.decode()
    except UnicodeDecodeError as error:
        wrong = text[error.start : error.start + 1]
        reason = (
            f"byte {wrong[0]:#04x} is not UTF-8; it looks like Windows-1252 or Latin-1, where it "
            f"is {wrong.decode('cp1252', 'replace')!r}: save the text as UTF-8"
        )
        return JsonSyntaxError(error.start, reason, is_final=True)
    return JsonSyntaxError(0, "it is not UTF-8", is_final=True)


def _excerpt(text: bytes, offset: int) -> str:
    """About 60 characters around the place, on one line, in quotes."""
    start, end = max(0, offset - 30), offset + 30
    shown = " ".join(text[start:end].decode(errors="replace").split())
    return f"'{'…' if start else ''}{shown}{'…' if end < len(text) else ''}'"


def not_a_document(what: str, value: Value) -> DataError:
    """The error for a value that is not a map; `what` names it."""
    return DataError(
        f"{what} cannot become a document",
        f"a document must be a map, but this is {_described(value)}",
        "set process_array to true to get a document for each of its elements"
        if value.__class__ is list
        else "wrap the value in an object, or remove it",
    )


def _described(value: Value) -> str:
    kinds = {list: "an array", str: "a string", bool: "true or false", type(None): "null"}
    kind = kinds.get(value.__class__, "a number")
    return f"{kind}: {excerpt(value)}"
