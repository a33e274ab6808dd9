"""Documents and binary streams: from what a test file gives, and as it compares them."""

from __future__ import annotations

import base64
import csv
import io
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from engine.documents import Item, StreamEnd, StreamStart, ViewType
from engine.errors import DataError
from engine.sdk import JsonReader, to_json
from engine.sdk.settings import KeyPath, shown
from engine.testing.cases.case import Given

_EXACT = msgspec.json.Decoder(float_hook=Decimal)
_STREAM_KEYS = {"content", "json", "base64", "header"}


class GivenError(Exception):
    """What is given at `path` cannot be what the view takes."""

    def __init__(self, path: KeyPath, message: str, hint: str = "") -> None:
        super().__init__(path, message, hint)
        self.path = path
        self.message = message
        self.hint = hint


def items_of(given: Given, kind: ViewType) -> list[Item]:
    """What is given as the items of a view. Raises GivenError."""
    if kind == "binary":
        return list(_streams(given))
    if given.csv is not None:
        return _csv_documents(given.csv, given.path)
    if given.file:
        return documents_in(Path(given.file), given.path)
    for place, item in enumerate(given.items):
        if not isinstance(item, dict):
            hint = "write it as a map, such as {n: 1}"
            message = f"a document must be a map, not {shown(item)}"
            raise GivenError((*given.path, place), message, hint)
    return list(given.items)


def documents_in(file: Path, path: KeyPath) -> list[Any]:
    """The documents in a file of JSON or CSV. Raises GivenError."""
    try:
        content = file.read_bytes()
    except OSError as error:
        raise GivenError(path, f"cannot read {shown(str(file))}: {error.strerror}") from None
    return parsed_documents(content, file.name, path)


def parsed_documents(content: bytes, name: str, path: KeyPath) -> list[Any]:
    """The documents in the content of a file of that name. Raises GivenError."""
    if name.lower().endswith(".csv"):
        return _csv_documents(content.decode("utf-8-sig", errors="replace"), path)
    reader = JsonReader()
    try:
        documents = [*reader.feed(content), *reader.end()]
        if reader.error is not None:
            raise reader.error
    except DataError as error:
        hint = "a file of documents is JSON, one JSON object per line, or CSV (.csv)"
        raise GivenError(path, f"cannot read {shown(name)}: {error.reason}", hint) from None
    wrong = next((each for each in documents if not isinstance(each, dict)), None)
    if wrong is not None:
        what = wrong.reason if isinstance(wrong, DataError) else f"{shown(wrong)} is not a document"
        raise GivenError(path, f"cannot read {shown(name)}: {what}")
    return documents


def _csv_documents(text: str, path: KeyPath) -> list[Any]:
    """The rows; a field that is missing at the end of one is null."""
    rows: list[Any] = list(csv.DictReader(io.StringIO(text)))
    for number, row in enumerate(rows, 1):
        if None in row:
            raise GivenError(path, f"row {number} of the CSV has more fields than its header")
    return rows


def _streams(given: Given) -> Iterator[Item]:
    if given.csv is not None:
        yield from stream(given.csv.encode())
    elif given.file:
        yield from stream(Path(given.file).read_bytes())
    for place, item in enumerate(given.items):
        if isinstance(item, str):
            yield from stream(item.encode())
        elif isinstance(item, dict) and item and item.keys() <= _STREAM_KEYS:
            body = body_of(item.get("json"), item.get("content"))
            if isinstance(item.get("base64"), str):
                body = base64.b64decode(item["base64"])
            yield from stream(body, item.get("header") or {})
        else:
            hint = "write its text, or a map with 'content' or 'json', and perhaps 'header'"
            message = f"the view carries binary streams, and {shown(item)} is not one"
            raise GivenError((*given.path, place), message, hint)


def stream(content: bytes, header: dict[str, Any] | None = None) -> list[Item]:
    """The pieces of a binary stream."""
    return [StreamStart(header or {}), *([content] if content else ()), StreamEnd()]


def body_of(json: Any, text: str | None) -> bytes:
    """The bytes of a body that is given as JSON or as text."""
    return encoded_json(json) if json is not None else (text or "").encode()


def encoded_json(value: Any) -> bytes:
    return to_json(value, "the value")


def json_value(text: str) -> Any:
    """The value of a JSON text, with exact numbers. Raises ValueError."""
    return _EXACT.decode(text)


def comparable(items: Sequence[Item]) -> list[Any]:
    """The items as plain JSON values, a binary stream as its header and content.

    Numbers stay exact; dates and bytes become the text that a JSON formatter writes.
    """
    if items and not isinstance(items[0], dict):
        return [_EXACT.decode(to_json(each, "a stream")) for each in _as_documents(items)]
    return [_EXACT.decode(to_json(each, "a document")) for each in items]


def _as_documents(pieces: Sequence[Item]) -> Iterator[dict[str, Any]]:
    header: dict[str, Any] = {}
    content = bytearray()
    for piece in pieces:
        if isinstance(piece, StreamStart):
            header, content = piece.header, bytearray()
        elif isinstance(piece, bytes):
            content += piece
        elif isinstance(piece, StreamEnd):
            yield {"header": header, **_body(bytes(content))}


def _body(content: bytes) -> dict[str, Any]:
    """The bytes as text if they are UTF-8."""
    try:
        return {"content": content.decode()}
    except UnicodeDecodeError:
        return {"base64": content}
