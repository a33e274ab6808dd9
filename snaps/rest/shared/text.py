"""Values as the text of a header or of a query parameter."""

from __future__ import annotations

import msgspec

from engine.sdk import DataError, ExpressionError, Value, json_hook


def as_text(value: Value) -> str:
    """A text as it is, else its JSON: `true`, `3`, `2026-01-01T00:00:00.000Z`, `{"a":1}`."""
    if isinstance(value, str):
        encoded_text(value)
        return value
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        value = int(value)
    encoded = as_json(value)
    if encoded.startswith(b'"'):
        return str(msgspec.json.decode(encoded))
    return encoded.decode()


def as_json(value: Value) -> bytes:
    """The value as JSON. Raises DataError for what JSON does not have."""
    try:
        data = msgspec.json.encode(value, enc_hook=json_hook)
    except (ExpressionError, ValueError, TypeError, OverflowError, RecursionError) as error:
        raise DataError("the value cannot be written as JSON", _words(error)) from None
    if b"null" in data and _has_endless(value):
        raise DataError(
            "the value cannot be written as JSON",
            "it holds a number that is not finite (NaN or Infinity)",
            "replace it by null in a Mapper before",
        )
    return data


def encoded_text(text: str) -> bytes:
    """The text in UTF-8. Raises DataError for halves of characters."""
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise DataError(
            "the text cannot be written as UTF-8",
            f"at offset {error.start} it holds half of a surrogate pair",
        ) from None


def _words(error: Exception) -> str:
    return "it is nested too deeply" if isinstance(error, RecursionError) else str(error)


def _has_endless(value: Value) -> bool:
    """Whether a number in it is NaN or infinite, which the encoder writes as null."""
    if isinstance(value, float):
        return value != value or value in (float("inf"), float("-inf"))
    if isinstance(value, dict):
        return any(map(_has_endless, value.values()))
    return isinstance(value, list | tuple) and any(map(_has_endless, value))
