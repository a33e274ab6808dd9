"""Read a stream of JSON piece by piece: its values, the elements of a root array, or its lines."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from engine.documents import Document, Value
from engine.errors import DataError
from engine.sdk.document_size import document_too_large
from engine.sdk.json_errors import JsonSyntaxError, Place
from engine.sdk.json_input import MAX_MARK_BYTES, LineDecoder, decoded_value, without_mark
from engine.sdk.json_lines import LineReader
from engine.sdk.json_values import RootForm, ValueReader

_SPLIT = "split it: the elements of an array at the top, and JSON lines, are read one by one"


class JsonReader:
    """Reads one stream: `feed` each chunk, then `end`. Both return values, which are documents
    unless `roots` is "selected".

    A DataError is returned in place of a line or an element that cannot become a document; then
    `has_errors` is true until `take` is called. `error` is set once the rest of the stream cannot
    be read. With `lines` each line is a separate object, and only its `needed` fields are read
    (None: all). `lenient` accepts comments, single quotes and so on. Both methods raise DataError
    for a stream that is not UTF-8.
    """

    def __init__(
        self,
        *,
        lines: bool = False,
        lenient: bool = True,
        roots: RootForm = "split",
        needed: frozenset[str] | None = None,
    ) -> None:
        self._lines = lines
        self._lenient = lenient
        self._roots: RootForm = roots
        self._needed = needed
        self._head = b""
        self._held = 0
        self._reader: LineReader | ValueReader | None = None

    @property
    def has_errors(self) -> bool:
        return self._reader is not None and self._reader.has_errors

    def take(self, values: list[Any]) -> Iterator[Any]:
        """The values of a call one by one; raises `error` after them."""
        if self._reader is not None:
            self._reader.has_errors = False
        yield from values
        if self.error is not None:
            raise self.error

    @property
    def error(self) -> DataError | None:
        return None if self._reader is None else self._reader.error

    def feed(self, chunk: bytes) -> list[Any]:
        if self._reader is not None:
            values = self._reader.feed(chunk)
            self._held = 0 if values else self._held + len(chunk)
            self._reader.error = self._reader.error or document_too_large(
                self._held, "JSON", _SPLIT
            )
            return values
        self._head += chunk
        if len(self._head) < MAX_MARK_BYTES:
            return []
        return self._begin()

    def read_elsewhere(self, lines: int, size: int) -> None:
        """Continue after complete lines that were read elsewhere, though not the first ones."""
        assert isinstance(self._reader, LineReader)  # it has begun, and it reads lines
        self._reader.read_elsewhere(lines, size)

    def end(self) -> list[Any]:
        values = self._begin() if self._reader is None else []
        assert self._reader is not None  # _begin has made it
        return values if self._reader.error else values + self._reader.end()

    def _begin(self) -> list[Any]:
        """Begin reading, now that the first bytes show the encoding."""
        text = without_mark(self._head)
        place = Place(offset=len(self._head) - len(text))
        if self._lines:
            decoder = LineDecoder(self._needed)
            self._reader = LineReader(place, self._lenient, decoder)
        else:
            self._reader = ValueReader(place, self._lenient, self._roots)
        return self._reader.feed(text)


def json_value(data: bytes, what: str, resolution: str, *, lenient: bool = True) -> Value:
    """The value of a text that holds exactly one. Raises DataError, which calls the text `what`
    and says what to do."""
    try:
        return decoded_value(data, lenient=lenient)
    except JsonSyntaxError as error:
        raise error.at(Place(), data, what, resolution) from None


def first_object(text: bytes) -> Document | None:
    """The object in the first line of a text; None if there is none."""
    try:
        value = decoded_value(text.split(b"\n", 1)[0])
    except JsonSyntaxError:
        return None
    return value if value.__class__ is dict else None
