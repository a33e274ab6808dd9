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
    Foreign,
    Item,
    Settings,
    Snap,
    StreamEnd,
    StreamStart,
    Value,
    View,
    Views,
    setting,
)


class DocumentToBinarySettings(Settings):
    codec: Literal["none", "encode_base64", "decode_base64"] = setting(
        default="none",
        help="How to convert the content: `encode_base64` unless it already is base64, or "
        "`decode_base64` if it is base64; otherwise it stays as it is.",
    )


class DocumentToBinary(Snap[DocumentToBinarySettings]):
    since = "0.1.0"
    about = """
    Each document becomes one binary stream. `codec` says how the field `content` becomes bytes;
    all other fields are the header of the stream, which FileWriter can use in its file name.
    """
    foreign = Foreign(
        "com-snaplogic-snaps-transform-documenttobinary",
        "Document to Binary",
        version=1,
        settings={
            "codec": "codec",
        },
        unsupported={"binaryHeaderProps": "further fields of the header"},
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
            "bytes are sent as base64",
            settings={"codec": "encode_base64"},
            given=[{"content": b"\x00\xff"}],
            expect=[StreamStart(), b"AP8=", StreamEnd()],
        ),
    )

    def process(self, document: Document) -> Iterable[Item]:
        content = self._coded(_bytes_of(document))
        header = {name: value for name, value in document.items() if name != "content"}
        pieces: list[Item] = [StreamStart(header), StreamEnd()]
        if content:
            pieces.insert(1, content)
        return pieces

    def _coded(self, content: bytes) -> bytes:
        if self.settings.codec == "none":
            return content
        decoded = _decoded(content)
        if self.settings.codec == "decode_base64":
            return content if decoded is None else decoded
        return base64.b64encode(content) if decoded is None else content


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
