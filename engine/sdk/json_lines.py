"""Read JSON lines: each line is a document of its own, so a bad one fails alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from engine.documents import Document, Value
from engine.errors import DataError
from engine.sdk.json_errors import JsonSyntaxError, Place, not_a_document
from engine.sdk.json_input import LineDecoder, decoded_value


class LineReader:
    """Reads JSON lines in blocks, and line by line where a block has a bad one."""

    error: DataError | None = None

    def __init__(self, place: Place, lenient: bool, decoder: LineDecoder) -> None:
        self.has_errors = False
        self._place = place
        self._lenient = lenient
        self._decoder = decoder
        self._rest: list[bytes] = []

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

    def read_elsewhere(self, lines: int, size: int) -> None:
        self._place = Place(self._place.line + lines, 1, self._place.offset + size)

    def _decode(self, block: bytes) -> list[Any]:
        documents = self._decoder.decode(block)
        if documents is None:
            return list(self._decode_each(block))
        self.read_elsewhere(len(documents), len(block))
        return documents

    def _decode_each(self, block: bytes) -> Iterator[Document | DataError]:
        for line in block.removesuffix(b"\n").split(b"\n"):
            if line and not line.isspace():
                try:
                    value = decoded_value(line, lenient=self._lenient)
                except JsonSyntaxError as error:
                    self.has_errors = True
                    yield self._error(error, line)
                else:
                    yield self._as_document(value)
            self._place = self._place.after(line + b"\n")

    def _error(self, error: JsonSyntaxError, line: bytes) -> DataError:
        resolution = "correct the line, or set on_error to discard or route to continue without it"
        return error.at(self._place, line, f"line {self._place.line}", resolution)

    def _as_document(self, value: Value) -> Document | DataError:
        if isinstance(value, dict):
            return value
        self.has_errors = True
        return not_a_document(f"line {self._place.line}", value)
