"""What taps and previews show, as lines of JSON: label, view, number, and the item itself."""

from __future__ import annotations

import base64
from typing import Any

import msgspec

from engine.documents import Document, Header
from engine.errors import DataError
from engine.plan.plan import Port
from engine.sdk import to_json

MOST_BYTES = 500
"""Bytes of a binary stream that are shown."""


def document_line(port: Port, number: int, document: Document) -> bytes:
    """A document as a line, without the newline."""
    return b'%b,"document":%b}' % (_place(port, number), document_text(document))


def stream_line(
    port: Port, number: int, header: Header, start: bytes, size: int | None = None
) -> bytes:
    """A binary stream as a line: its header, and its first bytes as text if they are valid UTF-8.

    `size` is the number of bytes that crossed, if it is known.
    """
    sized = {} if size is None else {"size": size}
    form, text = _start(start[:MOST_BYTES])
    rest = msgspec.json.encode({**sized, form: text})
    return b'%b,"header":%b,%b' % (_place(port, number), document_text(header), rest[1:])


def document_text(document: Document) -> bytes:
    """A document as JSON; a document that JSON cannot hold says why."""
    try:
        return to_json(document)
    except DataError as error:  # such as a number that JSON cannot hold
        return msgspec.json.encode({"unreadable": error.reason})


def _place(port: Port, number: int) -> bytes:
    place: dict[str, Any] = {"label": port.label, "view": port.view, "number": number}
    return msgspec.json.encode(place)[:-1]


def _start(data: bytes) -> tuple[str, str]:
    """The beginning of a stream: as text if it is valid UTF-8, up to a character that is cut."""
    for cut in range(4):
        try:
            return "text", data[: len(data) - cut].decode()
        except UnicodeDecodeError:
            continue
    return "base64", base64.b64encode(data).decode()
