"""Make a binary stream of each document: `content` becomes its bytes, other fields its header."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable
from typing import Literal

from engine.sdk import (
    DataError,
    Document,
    Example,
    Expression,
    Foreign,
    Item,
    Settings,
    Snap,
    StreamEnd,
    StreamStart,
    TargetPath,
    Value,
    View,
    Views,
    exact_decimals,
    setting,
    to_json,
)


class DocumentToBinarySettings(Settings):
    codec: Literal["none", "encode_base64", "decode_base64", "byte_array", "document"] = setting(
        default="none",
        help="How to convert the content: `encode_base64` unless it already is base64, "
        "`decode_base64` if it is base64, `byte_array` from a list of numbers, or `document`: any "
        "value as JSON, but text as it is. With `none`, text becomes UTF-8 and bytes stay.",
    )
    binary_header_properties: dict[TargetPath, Expression] = setting(
        default={},
        help="Further fields of the stream's header: target path to expression.",
        example={"$['content-location']": "$id + '.json'"},
    )


class DocumentToBinary(Snap[DocumentToBinarySettings]):
    since = "0.1.0"
    about = """
    Each document becomes one binary stream. `codec` says how the field `content` becomes bytes;
    all other fields are the header of the stream, which FileWriter can use in its file name. With
    the codec `document`, a document that has no field `content` is written as a whole.
    """
    foreign = Foreign(
        "com-snaplogic-snaps-transform-documenttobinary",
        "Document to Binary",
        version=1,
        settings={
            "codec": "codec",
            "binaryHeaderProps[].targetPath": "binary_header_properties[].key",
            "binaryHeaderProps[].expression": "binary_header_properties[].value",
        },
    )
    views = Views(outputs=(View("output", "binary"),))
    stateful = False
    plain = True
    changes_input = False
    shares_output = False
    examples = (
        Example(
            "text becomes UTF-8, and the other fields the header",
            given=[{"content": "naïve", "name": "a.txt"}],
            expect=[StreamStart({"name": "a.txt"}), "naïve".encode(), StreamEnd()],
        ),
        Example(
            "a file received as base64",
            settings={"codec": "decode_base64"},
            given=[{"content": "aGVsbG8=", "content-type": "text/plain"}],
            expect=[StreamStart({"content-type": "text/plain"}), b"hello", StreamEnd()],
        ),
        Example(
            "JSON, with a name for the file",
            settings={
                "codec": "document",
                "binary_header_properties": {"$name": "$content.id + '.json'"},
            },
            given=[{"content": {"id": 7, "tags": ["a"]}, "kind": "order"}],
            expect=[
                StreamStart({"kind": "order", "name": "7.json"}),
                b'{"id":7,"tags":["a"]}',
                StreamEnd(),
            ],
        ),
        Example(
            "bytes are sent as base64",
            settings={"codec": "encode_base64"},
            given=[{"content": b"\x00\xff"}],
            expect=[StreamStart(), b"AP8=", StreamEnd()],
        ),
    )

    def open(self) -> None:
        rows = [(path.text, item) for path, item in self.settings.binary_header_properties.items()]
        self._fields = self.context.mapping(rows) if rows else None

    def process(self, document: Document) -> Iterable[Item]:
        codec = self.settings.codec
        is_whole = codec == "document" and "content" not in document
        content = _as_json(document) if codec == "document" else self._coded(document)
        header = {} if is_whole else {k: v for k, v in document.items() if k != "content"}
        if self._fields is not None:
            with exact_decimals():
                header |= self._fields(document)
        pieces: list[Item] = [StreamStart(header), StreamEnd()]
        if content:
            pieces.insert(1, content)
        return pieces

    def _coded(self, document: Document) -> bytes:
        codec = self.settings.codec
        if codec == "byte_array":
            return _from_numbers(document)
        content = _bytes_of(document)
        if codec == "none":
            return content
        decoded = _decoded(content)
        if codec == "decode_base64":
            return content if decoded is None else decoded
        return base64.b64encode(content) if decoded is None else content


def _as_json(document: Document) -> bytes:
    """The content as JSON, or the whole document if it has none; text and bytes as they are."""
    content = document.get("content", document)
    if isinstance(content, str | bytes):
        return _bytes_of(document)
    return to_json(content, "the content")


def _from_numbers(document: Document) -> bytes:
    content = document.get("content")
    if not isinstance(content, list):
        return _bytes_of(document)
    try:
        return bytes([number % 256 if -128 <= number < 0 else number for number in content])
    except (TypeError, ValueError):
        raise _no_content("it is a list, but not of numbers from -128 to 255") from None


def _decoded(content: bytes) -> bytes | None:
    """The decoded base64, which may have line breaks; None if it is not base64."""
    try:
        return base64.b64decode(b"".join(content.split()), validate=True)
    except binascii.Error:
        return None


def _bytes_of(document: Document) -> bytes:
    if "content" not in document:
        raise _no_content(f"its fields are: {', '.join(map(str, document)) or 'none'}")
    content = document["content"]
    if isinstance(content, bytes):
        return content
    if isinstance(content, list) and all(map(_is_character, content)):
        content = "".join(content)
    if not isinstance(content, str):
        raise _no_content(f"it is of the type {type(content).__name__}")
    try:
        return content.encode()
    except UnicodeEncodeError as error:
        raise _no_content(
            f"the character {content[error.start]!a} at {error.start} is half of one"
        ) from error


def _is_character(value: Value) -> bool:
    return isinstance(value, str) and len(value) == 1


def _no_content(reason: str) -> DataError:
    return DataError(
        "the field 'content' cannot become a binary stream",
        reason,
        "put text, bytes or a list of characters in `content`, for example with a Mapper",
    )
