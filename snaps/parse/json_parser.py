"""Turn JSON into documents: one for each value, each element of a root array, or each line.

The text is decoded in as few calls as possible and never twice: lines by the block, and a root
array up to the last comma between two elements that has come, which one regular expression finds.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Generator, Iterator
from typing import Any, Literal, NamedTuple

import msgspec

from engine.sdk import (
    DataError,
    Document,
    Example,
    Header,
    JsonPath,
    Path,
    Settings,
    StreamEnd,
    StreamSnap,
    StreamStart,
    Value,
    View,
    Views,
    setting,
)


class JSONParserSettings(Settings):
    json_lines: bool = setting(
        default=False,
        help="Every line is an object. A bad line fails alone, and the next line goes on.",
    )
    process_array: bool = setting(
        default=True,
        help="A root array gives one document for each element; else it is an error, because a "
        "document is a map. Use false with filter_path, to pick from the array as a whole.",
    )
    non_standard_json: bool = setting(
        default=True,
        help="Accept comments, single quotes, unquoted names, trailing commas and NaN. From the "
        "first such place on the stream is read whole, so it must be smaller than 64 MiB.",
    )
    filter_path: Path | None = setting(
        default=None,
        help="Keep only the parts of each value that match; the stream's values are read whole.",
        example="$.results[*]",
    )


class JSONParser(StreamSnap[JSONParserSettings]):
    views = Views(inputs=(View("input", "binary", unlinked="refused"),))
    stateful = False
    examples = (
        Example(
            "each element of the array is a document",
            given=[StreamStart(), b'[{"id": 1}, {"id": 2}]', StreamEnd()],
            expect=[{"id": 1}, {"id": 2}],
        ),
        Example(
            "JSON lines",
            settings={"json_lines": True},
            given=[StreamStart(), b'{"id": 1}\n{"id', b'": 2}\n', StreamEnd()],
            expect=[{"id": 1}, {"id": 2}],
        ),
        Example(
            "a bad line fails alone",
            settings={"json_lines": True},
            on_error="discard",
            given=[StreamStart(), b'{"id": 1}\nnot json\n{"id": 3}\n', StreamEnd()],
            expect=[{"id": 1}, {"id": 3}],
        ),
        Example(
            "comments, single quotes and unquoted names",
            given=[StreamStart(), b"{name: 'Ada', /* born */ year: 1815}", StreamEnd()],
            expect=[{"name": "Ada", "year": 1815}],
        ),
    )

    def open(self) -> None:
        path = self.settings.filter_path
        self._select: JsonPath | None = None if path is None else self.context.path(path)

    def begin(self, header: Header) -> tuple[()]:
        self._original = header
        self._head: bytes | None = b""
        settings = self.settings
        lenient = settings.non_standard_json
        self._reader: _Lines | _Values
        if settings.json_lines:
            self._reader = _Lines(lenient, self._report)
        else:
            keeps_all = self._select is not None
            split = settings.process_array and not keeps_all
            self._reader = _Values(lenient, self._report, split=split, keeps_all=keeps_all)
        return ()

    def feed(self, chunk: bytes) -> list[Document]:
        if self._head is not None:
            self._head += chunk
            if len(self._head) < _LONGEST_MARK:
                return []
            chunk, self._head = _without_mark(self._head), None
        return self._chosen(self._reader.feed(chunk))

    def end(self) -> list[Document]:
        first = [] if self._head is None else self._reader.feed(_without_mark(self._head))
        self._head = None
        return self._chosen(first + self._reader.end())

    def _report(self, error: DataError) -> None:
        self.context.failed(error, self._original, self._lineage)

    def _chosen(self, values: list[Any]) -> list[Document]:
        """What the filter path keeps of the values; all documents without one."""
        if self._select is None:
            return values
        documents: list[Document] = []
        for value in values:
            for match in self._select.query(value):
                is_array = match.__class__ is list and self.settings.process_array
                for item in match if is_array else (match,):
                    if item.__class__ is dict:
                        documents.append(item)
                    else:
                        self._report(_not_a_document("a match of the filter path", item))
        return documents


class _Lines:
    """Reads JSON lines by the block; goes line by line where a block has a bad one."""

    def __init__(self, lenient: bool, report: Callable[[DataError], None]) -> None:
        self._lenient = lenient
        self._report = report
        self._rest: list[bytes] = []
        self._line = 1

    def feed(self, chunk: bytes) -> list[Any]:
        cut = chunk.rfind(b"\n") + 1
        if not cut:
            self._rest.append(chunk)
            return []
        block = b"".join((*self._rest, chunk[:cut]))
        self._rest = [chunk[cut:]]
        return self._decode(block)

    def end(self) -> list[Any]:
        return self._decode(b"".join(self._rest))

    def _decode(self, block: bytes) -> list[Any]:
        lines = block.count(b"\n")
        try:
            documents = _DOCUMENTS.decode_lines(block)
        except _FAILURES:
            documents = []
        if len(documents) != lines:  # blank lines, bad lines, or values across lines
            documents = list(self._decode_each(block))
        self._line += lines
        return documents

    def _decode_each(self, block: bytes) -> Iterator[Document]:
        for number, line in enumerate(block.split(b"\n"), self._line):
            if not line or line.isspace():
                continue
            try:
                yield _DOCUMENTS.decode(line)
            except _FAILURES as error:
                value = self._second_try(line, number, error)
                if value is not None:
                    yield value

    def _second_try(self, line: bytes, number: int, error: Exception) -> Document | None:
        """The document of a line that is not standard JSON; else the line's error is reported."""
        try:
            value = _value_of(line, error, self._lenient)
        except _FlawError as flaw:
            self._report(flaw.at(_Place(number, 1), line, f"line {number}"))
            return None
        if value.__class__ is dict:
            return value
        self._report(_not_a_document(f"line {number}", value))
        return None


class _Values:
    """Reads a sequence of JSON values, with root arrays split into their elements.

    Cuts of the text are decoded as they come. Where one is not standard JSON, all from there to
    the end of the stream is kept and read by the lenient parser.
    """

    def __init__(
        self, lenient: bool, report: Callable[[DataError], None], *, split: bool, keeps_all: bool
    ) -> None:
        self._lenient = lenient
        self._report = report
        self._split = split
        self._keeps_all = keeps_all
        self._scanner = _Scanner(split)
        self._pending: list[bytes] = []
        self._place = _Place(1, 1)
        self._elements = 0
        self._is_empty = True
        self._odd: list[bytes] | None = None
        self._odd_size = 0

    def feed(self, chunk: bytes) -> list[Any]:
        if self._odd is not None:
            self._keep(chunk)
            return []
        values: list[Any] = []
        start = 0
        for cut in self._scanner.scan(chunk):
            part = b"".join((*self._pending, chunk[start : cut.end]))
            self._pending.clear()
            try:
                values += self._decode(part, cut.form)
            except _FlawError as flaw:
                self._turn_lenient(flaw, part, cut.form)
                self._keep(chunk[cut.end :])
                return values
            self._place = self._place.after(part + chunk[cut.end : cut.resume])
            start = cut.resume
        self._pending.append(chunk[start:])
        return values

    def end(self) -> list[Any]:
        if self._odd is None:
            text = b"".join(self._pending)
            if not text.strip() and not self._scanner.inside:
                if self._is_empty:
                    raise DataError(
                        "cannot parse JSON", "the stream is empty", "it must hold at least {} or []"
                    )
                return []
            form: _Form = "element" if self._scanner.in_array else "values"
            self._turn_lenient(_unfinished(text), text, form)
        return self._read_odd()

    def _decode(self, part: bytes, form: _Form) -> list[Document]:
        if form == "odd":
            raise _FlawError(
                len(part) - len(part.lstrip()), "an object or an array must stand here"
            )
        if form == "values":
            self._is_empty = self._is_empty and not part.strip()
            return self._documents(_decoded(_ANY.decode_lines, part))
        self._is_empty = False
        if (form == "element" or self._elements) and not part.strip():
            raise _FlawError(len(part), "an element of the array is missing")
        documents = self._elements_of(_decoded(_ANY_LIST.decode, part, b"[", b"]"))
        if form == "last":
            self._elements = 0
        return documents

    def _documents(self, values: list[Any]) -> list[Any]:
        """The documents of whole root values; with a filter path, the values as they are."""
        if self._keeps_all or _MAPS.issuperset(map(type, values)):
            return values
        documents: list[Document] = []
        for value in values:
            if value.__class__ is list and self._split:
                documents += self._elements_of(value)
                self._elements = 0
            elif value.__class__ is dict:
                documents.append(value)
            else:
                self._report(_not_a_document("the value", value))
        return documents

    def _elements_of(self, values: list[Any]) -> list[Document]:
        first = self._elements + 1
        self._elements += len(values)
        if _MAPS.issuperset(map(type, values)):
            return values
        for number, value in enumerate(values, first):
            if value.__class__ is not dict:
                self._report(_not_a_document(f"element {number} of the array", value))
        return [value for value in values if value.__class__ is dict]

    def _turn_lenient(self, flaw: _FlawError, text: bytes, form: _Form) -> None:
        """Keep the text for the lenient parser. Raises DataError if that may not help."""
        if not self._lenient or flaw.is_final:
            raise flaw.at(self._place, text, _STREAM)
        self._flaw = flaw
        self._in_array = form in ("element", "last")
        self._odd = []
        self._keep(text)

    def _keep(self, text: bytes) -> None:
        assert self._odd is not None  # only called once it is a list
        self._odd.append(text)
        self._odd_size += len(text)
        if self._odd_size > _MOST_ODD:
            raise self._flaw.at(self._place, b"".join(self._odd[:2]), _STREAM)

    def _read_odd(self) -> list[Document]:
        assert self._odd is not None  # the strict parser gave up
        text = b"".join(self._odd)
        opening = "[" if self._in_array else ""
        try:
            values = _lenient_values(_text_of(text), opening)
        except _FlawError as flaw:
            raise flaw.at(self._place, text, _STREAM) from None
        rest = self._elements_of(values.pop(0)) if self._in_array else []
        return rest + self._documents(values)


_Form = Literal["values", "element", "last", "odd"]


class _Cut(NamedTuple):
    """A place to decode up to: whole root values, elements of the root array with or without its
    end, or something odd. The text goes on at `resume`."""

    end: int
    resume: int
    form: _Form


class _Scanner:
    """Follows strings and brackets, to find where the values of a stream begin and end."""

    def __init__(self, split: bool) -> None:
        self._split = split
        self._depth = 0
        self._in_string = False
        self._escaped = False
        self.in_array = False

    @property
    def inside(self) -> bool:
        """Whether a value or the root array has begun and not ended."""
        return self._depth > 0

    def scan(self, chunk: bytes) -> Iterator[_Cut]:
        position = self._done = 0
        while position < len(chunk):
            if self._in_string or self._depth > self.in_array:
                position = self._within_value(chunk, position)
            elif self.in_array:
                position = yield from self._among_elements(chunk, position)
            else:
                position = yield from self._among_values(chunk, position)
        if self._done and self.in_array:
            yield _Cut(self._done - 1, self._done, "element")
        elif self._done:
            yield _Cut(self._done, self._done, "values")

    def _among_values(self, chunk: bytes, position: int) -> Generator[_Cut, None, int]:
        position = self._done = _end(_WHOLE_OBJECTS, chunk, position)
        token = chunk[position : position + 1]
        if token == b"[" and self._split:
            yield _Cut(position, position + 1, "values")
            self.in_array, self._depth, self._done = True, 1, 0
        elif token in (b"{", b"["):
            self._depth = 1
        elif token:
            yield _Cut(position, position, "values")
            yield _Cut(len(chunk), len(chunk), "odd")
        return position + 1

    def _among_elements(self, chunk: bytes, position: int) -> Generator[_Cut, None, int]:
        after_comma = _end(_WHOLE_ELEMENTS, chunk, position)
        if after_comma > position:
            self._done = after_comma
        position = _end(_TO_BRACKET, chunk, after_comma)
        token = chunk[position : position + 1]
        if token == b'"':
            self._in_string = True
        elif token in (b"{", b"["):
            self._depth = 2
        elif token:
            yield _Cut(position, position + 1, "last")
            self.in_array, self._depth, self._done = False, 0, 0
        return position + 1

    def _within_value(self, chunk: bytes, position: int) -> int:
        """The end of the value in which `position` is, or of the chunk."""
        if self._in_string:
            position = self._within_string(chunk, position)
        while position < len(chunk) and self._depth > self.in_array:
            position = _end(_TO_BRACKET, chunk, position)
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
        position = _end(_STRING_REST, chunk, position)
        token = chunk[position : position + 1]
        self._in_string = token != b'"'
        self._escaped = token == b"\\"
        return position + 1


def _end(pattern: re.Pattern[bytes], chunk: bytes, position: int) -> int:
    """Where a match at `position` ends; these patterns match at every place."""
    match = pattern.match(chunk, position)
    return match.end() if match else position


_STRING = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_STRING_REST = re.compile(rb'[^"\\]*+(?:\\.[^"\\]*+)*+', re.DOTALL)
_TO_BRACKET = re.compile(rb'(?:[^"{}\[\]]++|%b)*+' % _STRING, re.DOTALL)


def _nested(levels: int) -> bytes:
    """Matches the inside of an object or array with at most so many levels of others in it."""
    inside = rb'(?:[^"{}\[\]]++|%b)*+' % _STRING
    for _ in range(levels):
        inside = rb'(?:[^"{}\[\]]++|%b|[{\[]%b[}\]])*+' % (_STRING, inside)
    return inside


_WHOLE_OBJECTS = re.compile(rb"(?:\s*+\{%b\})*+\s*+" % _nested(2), re.DOTALL)
_WHOLE_ELEMENTS = re.compile(
    rb'(?:(?:[^",{}\[\]]++|%b|[{\[]%b[}\]])*+,)*+' % (_STRING, _nested(2)), re.DOTALL
)


class _Place(NamedTuple):
    """Line and column in the stream, both from 1."""

    line: int
    column: int

    def after(self, text: bytes) -> _Place:
        """The place at the end of a text that begins here."""
        last = text.rfind(b"\n") + 1
        columns = len(text[last:].decode(errors="replace"))
        if last:
            return _Place(self.line + text.count(b"\n"), columns + 1)
        return _Place(self.line, self.column + columns)


class _FlawError(Exception):
    """A place in a text that is no JSON; `is_final` says that a lenient parser will not help."""

    def __init__(self, offset: int, reason: str, *, is_final: bool = False) -> None:
        super().__init__(offset, reason)
        self.offset = offset
        self.reason = reason
        self.is_final = is_final

    def at(self, place: _Place, text: bytes, what: str) -> DataError:
        spot = place.after(text[: self.offset])
        return DataError(
            f"cannot parse {what} as JSON",
            f"{self.reason} (line {spot.line}, column {spot.column}), "
            f"near {_excerpt(text, self.offset)}",
            "correct it there; if every line of the stream is an object, set json_lines to true"
            if what == _STREAM
            else "correct the line, or set on_error to discard or route to go on without it",
        )


_STREAM = "the stream"
_ANY = msgspec.json.Decoder(Any)
_ANY_LIST = msgspec.json.Decoder(list[Any])
_DOCUMENTS = msgspec.json.Decoder(dict[str, Any])
_MAPS = frozenset((dict,))
_FAILURES = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_LONGEST_MARK = 4
_MOST_ODD = 64 * 1024 * 1024
_DEEPEST_ODD = 500


def _decoded(
    decode: Callable[[bytes], list[Any]], part: bytes, opening: bytes = b"", closing: bytes = b""
) -> list[Any]:
    try:
        return decode(opening + part + closing if opening else part)
    except _FAILURES as error:
        raise _flaw(error, part, len(opening)) from None


def _flaw(error: Exception, text: bytes, before: int = 0) -> _FlawError:
    """Where `text` is wrong and why; `before` so many bytes stood in front when it was decoded."""
    if isinstance(error, RecursionError):
        return _FlawError(0, "it is nested too deeply", is_final=True)
    if isinstance(error, UnicodeDecodeError):
        return _wrong_encoding(text)
    if isinstance(error, msgspec.ValidationError):
        return _FlawError(0, "a number is out of range", is_final=True)
    message = str(error).removeprefix("JSON is malformed: ")
    if found := re.search(r" \(byte (\d+)\)$", message):
        return _FlawError(min(int(found[1]) - before, len(text)), message[: found.start()])
    return _unfinished(text)


def _unfinished(text: bytes) -> _FlawError:
    return _FlawError(len(text.rstrip()), "the text ends too early")


def _wrong_encoding(text: bytes) -> _FlawError:
    try:
        text.decode()
    except UnicodeDecodeError as error:
        byte = text[error.start]
        return _FlawError(
            error.start,
            f"byte {byte:#04x} is not UTF-8; it looks like Windows-1252 or Latin-1, where it is "
            f"{text[error.start : error.start + 1].decode('cp1252', 'replace')!r}",
            is_final=True,
        )
    return _FlawError(0, "it is not UTF-8", is_final=True)


def _without_mark(head: bytes) -> bytes:
    """The first bytes of a stream without the mark that says UTF-8. DataError for UTF-16 and 32."""
    if head.startswith(b"\xef\xbb\xbf"):
        return head[3:]
    if head[:2] in (b"\xff\xfe", b"\xfe\xff") or 0 in head[:_LONGEST_MARK]:
        wide = head[:4] in (b"\xff\xfe\0\0", b"\0\0\xfe\xff") or head[:4].count(0) == 3
        offset = next((i for i, byte in enumerate(head) if byte in (0, 0xFE, 0xFF)), 0)
        raise DataError(
            "cannot parse the stream as JSON",
            f"byte {head[offset]:#04x} at offset {offset} is not UTF-8; the stream looks like "
            f"UTF-{32 if wide else 16}",
            "save it as UTF-8",
        )
    return head


def _value_of(text: bytes, error: Exception, lenient: bool) -> Value:
    """The value of a text that is no standard document. Raises _FlawError."""
    try:
        return _ANY.decode(text)
    except _FAILURES as failure:
        flaw = _flaw(failure, text)
    if flaw.is_final or not lenient:
        raise flaw
    values = _lenient_values(_text_of(text))
    if len(values) != 1:
        raise flaw
    return values[0]


def _text_of(text: bytes) -> str:
    try:
        return text.decode()
    except UnicodeDecodeError:
        raise _wrong_encoding(text) from None


def _lenient_values(text: str, opening: str = "") -> list[Any]:
    """The values of `opening` and a text with comments, single quotes and so on, or _FlawError."""
    import pyjson5  # rarely needed

    stream = io.StringIO(opening + text)
    values: list[Any] = []
    start = 0
    try:
        while True:
            values.append(pyjson5.decode_io(stream, maxdepth=_DEEPEST_ODD))
            start = stream.tell()
    except pyjson5.Json5DecoderException as error:
        message = error.message or ""
        if values and message.startswith("No JSON data"):
            return values
        raise _lenient_flaw(message, text, start - len(opening)) from None


def _lenient_flaw(message: str, text: str, start: int) -> _FlawError:
    """The lenient parser's complaint about the value at `start` in our words."""
    said, _, near = message.partition(" near ")
    offset = max(0, start + int(re.match(r"\d*", near)[0] or 1) - 1)  # type: ignore[index]  # may be empty
    if said.startswith("Unclosed"):
        reason = f"the {_PARTS.get(said.split(chr(39))[1], 'value')} that begins here does not end"
    elif said.startswith("Maximum nesting"):
        reason = "it is nested too deeply"
    elif said.startswith("No JSON data"):
        reason = "there is no value"
    else:
        reason = "this is no JSON"
    return _FlawError(len(text[:offset].encode()), reason)


_PARTS = {"object": "object", "array": "array", "string": "text", "comment": "comment"}


def _not_a_document(what: str, value: Value) -> DataError:
    return DataError(
        f"{what} cannot become a document",
        f"a document is a map, and this is {_described(value)}",
        "set process_array to true to get a document for each of its elements"
        if value.__class__ is list
        else "wrap the value in an object, or leave it out of the JSON",
    )


def _described(value: Value) -> str:
    kinds = {list: "an array", str: "a text", bool: "true or false", type(None): "null"}
    kind = kinds.get(value.__class__, "a number")
    text = msgspec.json.encode(value).decode()
    return f"{kind}: {text[:60]}{'…' if len(text) > 60 else ''}"


def _excerpt(text: bytes, offset: int) -> str:
    """About 60 characters around the place, on one line, in quotes."""
    start, end = max(0, offset - 30), offset + 30
    shown = " ".join(text[start:end].decode(errors="replace").split())
    return f"'{'…' if start else ''}{shown}{'…' if end < len(text) else ''}'"
