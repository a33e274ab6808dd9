"""The entity of a request or a response: bytes on the wire, a value in a document."""

from __future__ import annotations

from typing import Literal

from engine.sdk import (
    CharsetError,
    DataError,
    HttpResponse,
    Value,
    charset_of,
    decoded,
    encoded,
    is_json,
    json_value,
    to_json,
)

EntityType = Literal["default", "text", "binary"]

_UTF_8 = ("utf-8", "utf8", "us-ascii")
_NO_TEXT = "set response_entity_type to binary if it is not text"


def body_of(entity: Value, content_type: str) -> tuple[bytes, str]:
    """The body and its content type, which is chosen if `content_type` is empty.

    Bytes are sent as is, a string in the charset of its content type, anything else as JSON.
    Raises DataError.
    """
    if isinstance(entity, bytes | bytearray | memoryview):
        return bytes(entity), content_type or "application/octet-stream"
    if isinstance(entity, str):
        content_type = content_type or "text/plain; charset=utf-8"
        return _encoded(entity, content_type), content_type
    body = to_json(entity, "the entity")
    if charset_of(content_type).lower() not in _UTF_8:
        body = _encoded(body.decode(), content_type)
    return body, content_type or "application/json"


def entity_of(response: HttpResponse, kind: EntityType) -> Value:
    """The entity of a response. Raises DataError if it contradicts its headers."""
    if response.coding_error:
        raise DataError(
            "the response cannot be decompressed",
            f"{response.coding_error}; its content encoding is "
            f"{response.header('content-encoding')!r}",
            "set the header Accept-Encoding to identity in http_headers to get it uncompressed",
        )
    if kind == "binary":
        return response.body
    if not response.body:
        return ""
    if kind == "default" and is_json(response.header("content-type")):
        return _parsed(response)
    return _text(response)


def entity_of_error(response: HttpResponse, kind: EntityType) -> Value:
    """The entity as far as it can be read, for an error document."""
    try:
        return entity_of(response, kind)
    except DataError:
        return response.body if response.coding_error else text_of(response)


def text_of(response: HttpResponse) -> str:
    """The body as text, with U+FFFD for invalid bytes."""
    try:
        return _text(response)
    except DataError:
        return response.body.decode(errors="replace")


def _parsed(response: HttpResponse) -> Value:
    body = response.body
    try:
        if charset_of(response.header("content-type")).lower() not in _UTF_8:
            body = _text(response).encode()
        return json_value(body.removeprefix(b"\xef\xbb\xbf"), "the response", "", lenient=False)
    except DataError as error:
        raise DataError(
            "the response is not the JSON that its content type says",
            error.reason,
            "set response_entity_type to text to get it unparsed",
        ) from None


def _text(response: HttpResponse) -> str:
    kind = response.header("content-type")
    try:
        return decoded(response.body, charset_of(kind), "it")
    except CharsetError as error:
        raise DataError(
            "the response cannot be decoded as text",
            f"{error}; its content type is {kind or 'none'!r}",
            _NO_TEXT,
        ) from None


def _encoded(text: str, content_type: str) -> bytes:
    try:
        return encoded(text, charset_of(content_type), "it")
    except CharsetError as error:
        raise DataError(
            "the entity cannot be sent",
            str(error),
            "name another charset in the header Content-Type, or change the text first",
        ) from None
