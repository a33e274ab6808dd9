"""Make a document of each binary stream, with its bytes in `content`."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable
from typing import Literal

from engine.sdk import (
    CharsetError,
    DataError,
    Document,
    Example,
    Foreign,
    Header,
    Issue,
    Settings,
    StreamEnd,
    StreamSnap,
    StreamStart,
    Value,
    View,
    Views,
    charset_of,
    decoded,
    json_value,
    parse_size,
    setting,
)


class BinaryToDocumentSettings(Settings):
    codec: Literal["none", "encode_base64", "decode_base64", "byte_array", "document"] = setting(
        default="encode_base64",
        help="What `content` becomes: text (`none`), base64 (`encode_base64`), the text or bytes "
        "that the stream holds as base64 (`decode_base64`), bytes (`byte_array`), or the value "
        "that the stream holds as JSON (`document`).",
    )
    ignore_empty_stream: bool = setting(
        default=False, help="Drop streams without bytes; otherwise `content` is empty."
    )
    max_size: int | str = setting(
        default="256 MiB",
        help="Bytes that a stream may have, such as `1 GiB`; a longer one is an error.",
    )


class BinaryToDocument(StreamSnap[BinaryToDocumentSettings]):
    since = "0.4.0"
    about = """
    The field `content` holds the bytes of the stream as `codec` says, and `original` the header of
    the stream. Text is decoded by the charset in the field `content-type` of the header, or as
    UTF-8. Each stream is read into memory, up to `max_size`.
    """
    foreign = Foreign(
        "com-snaplogic-snaps-transform-binarytodocument",
        "Binary to Document",
        version=1,
        settings={"codec": "codec", "ignoreEmptyStream": "ignore_empty_stream"},
    )
    views = Views(inputs=(View("input", "binary", unlinked="refused"),))
    stateful = False
    plain = True
    changes_input = False
    shares_output = False
    examples = (
        Example(
            "base64, for a JSON request",
            given=[StreamStart({"content-type": "text/plain"}), b"hello", StreamEnd()],
            expect=[{"content": "aGVsbG8=", "original": {"content-type": "text/plain"}}],
        ),
        Example(
            "text",
            settings={"codec": "none"},
            given=[StreamStart(), b"na\xc3", b"\xafve", StreamEnd()],
            expect=[{"content": "naïve", "original": {}}],
        ),
        Example(
            "JSON",
            settings={"codec": "document"},
            given=[StreamStart({"name": "a.json"}), b'[{"id": 1}]', StreamEnd()],
            expect=[{"content": [{"id": 1}], "original": {"name": "a.json"}}],
        ),
    )

    @classmethod
    def loses_lineage_for(cls, settings: BinaryToDocumentSettings) -> str:
        if settings.ignore_empty_stream:
            return "drops empty streams; set ignore_empty_stream to false"
        return ""

    @classmethod
    def check(cls, settings: BinaryToDocumentSettings) -> Iterable[Issue]:
        try:
            parse_size(settings.max_size)
        except ValueError as error:
            yield Issue(("max_size",), str(error))

    def open(self) -> None:
        self._max_size = parse_size(self.settings.max_size)

    def begin(self, header: Header) -> tuple[()]:
        self._stream_header = header
        self._chunks: list[bytes] = []
        self._size = 0
        return ()

    def feed(self, chunk: bytes) -> tuple[()]:
        self._size += len(chunk)
        if self._size > self._max_size:
            raise DataError(
                "the stream is too large for a document",
                f"it has more than {self._max_size:,} bytes",
                "pass it on as a stream, or raise max_size",
            )
        self._chunks.append(chunk)
        return ()

    def end(self) -> Iterable[Document]:
        data, self._chunks = b"".join(self._chunks), []
        if not data and self.settings.ignore_empty_stream:
            return ()
        return ({"content": self._content(data), "original": dict(self._stream_header)},)

    def abandon(self) -> None:
        self._chunks = []

    def _content(self, data: bytes) -> Value:
        codec = self.settings.codec
        if codec == "byte_array":
            return data
        if codec == "encode_base64":
            return base64.b64encode(data).decode()
        if codec == "document":
            return json_value(data, "the stream", "set codec to none to read text") if data else ""
        return self._text(data) if codec == "none" else _from_base64(data)

    def _text(self, data: bytes) -> str:
        charset = charset_of(str(self._stream_header.get("content-type", "")))
        try:
            return decoded(data, charset, "the stream")
        except CharsetError as error:
            raise DataError(
                "the stream is not text",
                str(error),
                "set codec to encode_base64, or to byte_array to keep the bytes",
            ) from None


def _from_base64(data: bytes) -> str | bytes:
    """The decoded bytes, as text if they are UTF-8."""
    try:
        content = base64.b64decode(b"".join(data.split()), validate=True)
    except binascii.Error as error:
        raise DataError(
            "the stream is not base64", str(error).lower(), "set codec to none to read text"
        ) from None
    try:
        return content.decode()
    except UnicodeDecodeError:
        return content
