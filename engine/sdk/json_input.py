"""Cutting JSON text into values, decoding it and locating errors, for all JSON parsers."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Generator, Iterator
from math import isinf
from typing import Any, Literal, NamedTuple, TypedDict

import msgspec

from engine.sdk import DataError, Document, Value

Form = Literal["values", "element", "last", "odd"]


class Cut(NamedTuple):
    """Where to stop decoding and where the text continues.

    Before it are complete root `values`, elements of the root array up to an `element` or to its
    `last`, or something `odd` that is neither an object nor an array.
    """

    end: int
    resume: int
    form: Form


class Scanner:
    """Follows strings and brackets, to find where the values of a stream begin and end.

    With `split` the elements of a root array count as values; `in_array` begins within one.
    """

    def __init__(self, *, split: bool, in_array: bool = False) -> None:
        self._split = split
        self._depth = int(in_array)
        self._in_string = False
        self._escaped = False
        self.in_array = in_array

    @property
    def inside(self) -> bool:
        """Whether a value or the root array has begun but not ended."""
        return self._depth > 0

    def scan(self, chunk: bytes) -> Iterator[Cut]:
        position = self._done = 0
        while position < len(chunk):
            if self._in_string or self._depth > self.in_array:
                position = self._within_value(chunk, position)
            elif self.in_array:
                position = yield from self._among_elements(chunk, position)
            else:
                position = yield from self._among_values(chunk, position)
        if self._done and self.in_array:
            yield Cut(self._done - 1, self._done, "element")
        elif self._done:
            yield Cut(self._done, self._done, "values")

    def _among_values(self, chunk: bytes, position: int) -> Generator[Cut, None, int]:
        position = self._done = _end_of(_WHOLE_OBJECTS, chunk, position)
        token = chunk[position : position + 1]
        if token == b"[" and self._split:
            yield Cut(position, position + 1, "values")
            self.in_array, self._depth, self._done = True, 1, 0
        elif token in (b"{", b"["):
            self._depth = 1
        elif token:
            yield Cut(position, position, "values")
            yield Cut(len(chunk), len(chunk), "odd")
        return position + 1

    def _among_elements(self, chunk: bytes, position: int) -> Generator[Cut, None, int]:
        after_comma = _end_of(_WHOLE_ELEMENTS, chunk, position)
        if after_comma > position:
            self._done = after_comma
        position = _end_of(_TO_BRACKET, chunk, after_comma)
        token = chunk[position : position + 1]
        if token == b'"':
            self._in_string = True
        elif token in (b"{", b"["):
            self._depth = 2
        elif token:
            yield Cut(position, position + 1, "last")
            self.in_array, self._depth, self._done = False, 0, 0
        return position + 1

    def _within_value(self, chunk: bytes, position: int) -> int:
        """The end of the value in which `position` is, or of the chunk."""
        if self._in_string:
            position = self._within_string(chunk, position)
        while position < len(chunk) and self._depth > self.in_array:
            position = _end_of(_TO_BRACKET, chunk, position)
            token = chunk[position : position + 1]
            position += 1
            if token == b'"':
                self._in_string = True
                position = self._within_string(chunk, position)
            elif token in (b"{", b"["):
                self._depth += 1
            elif token:
                self._depth -= 1
        if self._depth == 0:
            self._done = position
        return position

    def _within_string(self, chunk: bytes, position: int) -> int:
        """The end of the string in which `position` is, or of the chunk."""
        if self._escaped and position < len(chunk):
            position, self._escaped = position + 1, False
        position = _end_of(_STRING_REST, chunk, position)
        token = chunk[position : position + 1]
        self._in_string = token != b'"'
        self._escaped = token == b"\\"
        return position + 1


def _end_of(pattern: re.Pattern[bytes], chunk: bytes, position: int) -> int:
    """The end of a match at `position`; these patterns always match, possibly an empty string."""
    match = pattern.match(chunk, position)
    return match.end() if match else position


_STRING = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_STRING_REST = re.compile(rb'[^"\\]*+(?:\\.[^"\\]*+)*+', re.DOTALL)
_TO_BRACKET = re.compile(rb'(?:[^"{}\[\]]++|%b)*+' % _STRING, re.DOTALL)


def _nested(levels: int) -> bytes:
    """Matches the inside of an object or array with at most this many levels of nesting."""
    inside = rb'(?:[^"{}\[\]]++|%b)*+' % _STRING
    for _ in range(levels):
        inside = rb'(?:[^"{}\[\]]++|%b|[{\[]%b[}\]])*+' % (_STRING, inside)
    return inside


_WHOLE_OBJECTS = re.compile(rb"(?:\s*+\{%b\})*+\s*+" % _nested(2), re.DOTALL)
_WHOLE_ELEMENTS = re.compile(
    rb'(?:(?:[^",{}\[\]]++|%b|[{\[]%b[}\]])*+,)*+' % (_STRING, _nested(2)), re.DOTALL
)


def end_of_values(text: bytes, in_array: bool) -> int:
    """The end of the complete values that a text begins with, or of its elements with commas."""
    form = "element" if in_array else "values"
    cuts = Scanner(split=False, in_array=in_array).scan(text)
    return max((cut.resume for cut in cuts if cut.form == form), default=0)


class Boundary(NamedTuple):
    """The text between two values of a stream; its first `before` bytes belong to the first."""

    look: bytes
    before: int


def boundary_at(chunk: bytes, cut: Cut) -> Boundary | None:
    """The boundary at a cut, if an object begins after it."""
    ending = chunk[max(0, cut.end - 64) : cut.end]
    before = len(ending) - len(ending.rstrip(b" \t\r\n]}"))
    following = _NEXT_OBJECT.match(chunk, cut.end)
    if cut.form == "last" or not before or not following:
        return None
    return Boundary(chunk[cut.end - before : following.end()], before)


_NEXT_OBJECT = re.compile(rb'\s*+,?+\s*+\{\s*+"[^"\\]*+"')


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


class JsonSyntaxError(Exception):
    """Invalid JSON at a place in a text; if `is_final`, a lenient parser would not help."""

    def __init__(self, offset: int, reason: str, is_final: bool = False) -> None:
        super().__init__(offset, reason, is_final)
        self.offset = offset
        self.reason = reason
        self.is_final = is_final

    def minus(self, count: int) -> JsonSyntaxError:
        """The same error for a text that begins this many bytes later."""
        return JsonSyntaxError(self.offset - count, self.reason, self.is_final)

    def at(self, place: Place, text: bytes, what: str, resolution: str) -> DataError:
        """The error for the user; `text` begins at `place` of `what`."""
        spot = place.after(text[: self.offset])
        return DataError(
            f"cannot parse {what} as JSON",
            f"{self.reason} (line {spot.line}, column {spot.column}, byte {spot.offset}), "
            f"near {_excerpt(text, self.offset)}",
            resolution,
        )


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
        """The objects of a text of JSON lines; None if it contains anything else."""
        try:
            documents: list[Document] = self._decoder.decode_lines(block)
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
    return msgspec.json.Decoder(shape)


def decoded_value(text: bytes, *, lenient: bool = False) -> Value:
    """The value of a text that holds exactly one. Raises JsonSyntaxError."""
    try:
        return _ANY.decode(text)
    except _FAILURES as error:
        strict = _syntax_error(error, text)
    if strict.is_final or not lenient:
        raise strict
    try:
        values = _lenient_values(text)
    except JsonSyntaxError as other:  # for the same place the strict parser has the better message
        raise (strict if other.offset == strict.offset else other) from None
    if len(values) != 1:
        raise strict
    return values[0]


_ANY = msgspec.json.Decoder(Any)
_ARRAY = msgspec.json.Decoder(list[Any])
_OBJECT = msgspec.json.Decoder(dict[str, Any])
_FAILURES = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def _decoded(
    decode: Callable[[bytes], list[Any]], text: bytes, opening: bytes = b"", closing: bytes = b""
) -> list[Any]:
    try:
        return decode(opening + text + closing if opening else text)
    except _FAILURES as error:
        raise _syntax_error(error, text, len(opening)) from None


def _syntax_error(error: Exception, text: bytes, before: int = 0) -> JsonSyntaxError:
    """Where `text` is invalid and why; when it was decoded, `before` bytes preceded it."""
    if isinstance(error, RecursionError):
        return JsonSyntaxError(0, "it is nested too deeply", is_final=True)
    if isinstance(error, UnicodeDecodeError):
        return _wrong_encoding(text)
    if isinstance(error, msgspec.ValidationError):
        return _number_out_of_range(text)
    message = str(error).removeprefix("JSON is malformed: ")
    if found := re.search(r" \(byte (\d+)\)$", message):
        return JsonSyntaxError(min(int(found[1]) - before, len(text)), message[: found.start()])
    return _lone_half(text) or unfinished(text)


def unfinished(text: bytes) -> JsonSyntaxError:
    return JsonSyntaxError(len(text.rstrip()), "the JSON is incomplete")


def _number_out_of_range(text: bytes) -> JsonSyntaxError:
    """The first number that is too large or too long."""
    for token in _STRING_OR_NUMBER.finditer(text):
        number = token["number"]
        if number is None:
            continue
        digits = len(number.lstrip(b"-"))
        if number.lstrip(b"-").isdigit():
            if digits > MOST_DIGITS:
                reason = f"the number has {digits:,} digits; the limit is {MOST_DIGITS:,}"
                return JsonSyntaxError(token.start(), reason, is_final=True)
        elif isinf(float(number)):
            shown = number[:40].decode()
            reason = f"the number {shown} is beyond the largest that is supported, about 1.8e308"
            return JsonSyntaxError(token.start(), reason, is_final=True)
    return JsonSyntaxError(0, "it holds a number that is out of range", is_final=True)


def _lone_half(text: bytes) -> JsonSyntaxError | None:
    """The first `\\u` escape that is half of a surrogate pair without its other half."""
    for escape in _ESCAPE.finditer(text):
        if half := escape["half"]:
            reason = f"{half.decode()} is half of a surrogate pair, and its other half is missing"
            return JsonSyntaxError(escape.start("half"), reason)
    return None


MOST_DIGITS = 4300
"""The longest integer, in digits, that Python converts to text."""

_STRING_OR_NUMBER = re.compile(
    rb"%b|(?P<number>-?[0-9]++(?:\.[0-9]++)?(?:[eE][+-]?[0-9]++)?)" % _STRING, re.DOTALL
)
_ESCAPE = re.compile(
    rb"\\\\|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    rb"|(?P<half>\\u[dD][89a-fA-F][0-9a-fA-F]{2})"
)


def _wrong_encoding(text: bytes) -> JsonSyntaxError:
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


LONGEST_MARK = 4
_PACKED = {
    b"\x1f\x8b": ("compressed with gzip", "read the file as gzip::NAME"),
    b"BZh": ("compressed with bzip2", "read the file as bz2::NAME"),
    b"\xfd7zX": ("compressed with xz", "read the file as xz::NAME"),
    b"\x28\xb5\x2f\xfd": ("compressed with zstd", "decompress it first"),
    b"PK\x03\x04": ("a zip archive", "read a file in it as zip://MEMBER::NAME"),
}
"""The first bytes of compressed files and archives."""


def without_mark(head: bytes) -> bytes:
    """The first bytes of a stream without the byte order mark of UTF-8.

    Raises DataError for UTF-16, UTF-32 and compressed data.
    """
    for mark, (what, hint) in _PACKED.items():
        if head.startswith(mark):
            raise DataError("cannot parse the stream as JSON", f"the stream is {what}", hint)
    if head.startswith(b"\xef\xbb\xbf"):
        return head[3:]
    if head[:2] in (b"\xff\xfe", b"\xfe\xff") or 0 in head[:LONGEST_MARK]:
        offset = next(i for i, byte in enumerate(head) if byte in (0, 0xFE, 0xFF))
        is_wide = head[:LONGEST_MARK].count(0) > 2 or head[:4] == b"\xff\xfe\0\0"
        raise DataError(
            "cannot parse the stream as JSON",
            f"byte {head[offset]:#04x} at offset {offset} is not UTF-8; the stream looks like "
            f"UTF-{32 if is_wide else 16}",
            "save it as UTF-8",
        )
    return head


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
        return self._size <= _MOST_ODD

    def text(self) -> bytes:
        return b"".join(self._parts)

    def values(self) -> list[Any]:
        """Its values, none if only comments and space are left; if it begins inside an array, the
        first is the rest of that array. Raises JsonSyntaxError."""
        return _lenient_values(self.text(), "[" if self.in_array else "")


_MOST_ODD = 64 * 1024 * 1024
_DEEPEST_ODD = 500


def _lenient_values(data: bytes, opening: str = "") -> list[Any]:
    """The values of `opening` and a text with comments etc. Raises JsonSyntaxError."""
    import pyjson5  # rarely needed

    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise _wrong_encoding(data) from None
    stream = io.StringIO(opening + text)
    values: list[Any] = []
    start = -len(opening)
    try:
        while True:
            values.append(pyjson5.decode_io(stream, maxdepth=_DEEPEST_ODD))
            start = stream.tell() - len(opening)
    except pyjson5.Json5DecoderException as error:
        message = error.message or ""
        if message.startswith("No JSON data") and (values or not opening):
            return values
        raise _lenient_error(message, text, start) from None


def _lenient_error(message: str, text: str, start: int) -> JsonSyntaxError:
    """The lenient parser's error about the value at `start`, reworded."""
    said, _, near = message.partition(" near ")
    number = re.match(r"\d+", near)
    offset = start + (int(number[0]) - 1 if number else 0)
    if offset < 0:
        return JsonSyntaxError(len(text.rstrip().encode()), "the array of the stream does not end")
    if said.startswith("Unclosed"):
        part = next((part for part in ("object", "array", "string") if part in said), "value")
        reason = f"the {part} that begins here does not end"
    elif ("surrogate" in said or said.startswith(_HALF_EXPECTED)) and (
        flaw := _lone_half(text[start:].encode())
    ):
        return JsonSyntaxError(flaw.offset + len(text[:start].encode()), flaw.reason)
    elif said.startswith("Maximum nesting"):
        reason = "it is nested too deeply"
    else:
        reason = "not valid JSON"
    return JsonSyntaxError(len(text[:offset].encode()), reason)


_HALF_EXPECTED = "Expected U+005c"
"""The lenient parser misses the backslash of the other half of a surrogate pair."""


def _excerpt(text: bytes, offset: int) -> str:
    """About 60 characters around the place, on one line, in quotes."""
    start, end = max(0, offset - 30), offset + 30
    shown = " ".join(text[start:end].decode(errors="replace").split())
    return f"'{'…' if start else ''}{shown}{'…' if end < len(text) else ''}'"
