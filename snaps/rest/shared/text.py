"""Values as the string of a header or of a query parameter."""

from __future__ import annotations

import msgspec

from engine.sdk import DataError, Value, to_json


def as_text(value: Value) -> str:
    """A string as is, other values as JSON: `true`, `3`, `2026-01-01T00:00:00.000Z`, `{"a":1}`."""
    if isinstance(value, str):
        encoded_text(value)
        return value
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        value = int(value)
    encoded = to_json(value, "the value")
    if encoded.startswith(b'"'):
        return str(msgspec.json.decode(encoded))
    return encoded.decode()


def encoded_text(text: str) -> bytes:
    """The text in UTF-8. Raises DataError for half of a surrogate pair."""
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise DataError(
            "the text cannot be written as UTF-8",
            f"at offset {error.start} it holds half of a surrogate pair",
        ) from None
