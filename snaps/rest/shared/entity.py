"""The entity of a request or a response: bytes on the wire, a value in a document."""

from __future__ import annotations

from typing import Literal

import msgspec

from engine.sdk import DataError, HttpResponse, Value
from snaps.rest.shared.text import as_json, encoded_text

EntityType = Literal["default", "text", "binary"]

_NO_TEXT = "set response_entity_type to binary for what is not text"


def body_of(entity: Value) -> tuple[bytes, str]:
    """What is sent and its content type: bytes as they are, text as UTF-8, anything else as JSON.

    Raises DataError.
    """
    if isinstance(entity, bytes | bytearray | memoryview):
        return bytes(entity), "application/octet-stream"
    if isinstance(entity, str):
        return encoded_text(entity), "text/plain; charset=utf-8"
    return as_json(entity), "application/json"


def entity_of(response: HttpResponse, kind: EntityType) -> Value:
    """The entity of a response. Raises DataError if it is not what its content type says."""
    if kind == "binary":
        return response.body
    if not response.body:
        return ""
    if kind == "default" and is_json(response):
        return _parsed(response)
    return _text(response)


def lenient_entity_of(response: HttpResponse, kind: EntityType) -> Value:
    """The entity as it can be had: for the answer of a server that has failed already."""
    try:
        return entity_of(response, kind)
    except DataError:
        return response.body.decode(errors="replace")


def is_json(response: HttpResponse) -> bool:
    kind = response.header("content-type").split(";")[0].strip().lower()
    return kind in ("application/json", "text/json") or kind.endswith("+json")


def _parsed(response: HttpResponse) -> Value:
    charset = _charset(response)
    body = response.body
    try:
        if charset not in ("", "utf-8", "utf8", "us-ascii"):
            body = _text(response).encode()
        return msgspec.json.decode(body.removeprefix(b"\xef\xbb\xbf"))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise DataError(
            "the response says that it is JSON and is not",
            f"{_words(error)}; it begins with {_beginning(response)!r}",
            "set response_entity_type to text to get it unparsed",
        ) from None


def _text(response: HttpResponse) -> str:
    charset = _charset(response) or "utf-8"
    try:
        return response.body.decode("utf-8-sig" if charset in ("utf-8", "utf8") else charset)
    except LookupError:
        reason = f"its character set {charset!r} is not known"
    except UnicodeDecodeError as error:
        reason = f"the byte at offset {error.start} is not {charset}"
    kind = response.header("content-type") or "none"
    raise DataError(
        "the response cannot be read as text", f"{reason}; its content type is {kind!r}", _NO_TEXT
    )


def _charset(response: HttpResponse) -> str:
    for parameter in response.header("content-type").split(";")[1:]:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset":
            return value.strip().strip("\"'").lower()
    return ""


def _beginning(response: HttpResponse) -> str:
    text = response.body[:200].decode(errors="replace")
    return f"{text[:60]}…" if len(text) > 60 else text


def _words(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    if isinstance(error, UnicodeDecodeError):
        return f"the byte at offset {error.start} is not UTF-8"
    return str(error).removeprefix("JSON is malformed: ")
