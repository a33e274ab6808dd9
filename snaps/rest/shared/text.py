"""Values as the string of a header or of a query parameter."""

from __future__ import annotations

import msgspec

from engine.sdk import CHANGE_IT_FIRST, DataError, Value, to_json


def as_text(value: Value, what: str) -> str:
    """A string as is, other values as JSON: `true`, `3`, `2026-01-01T00:00:00.000Z`, `{"a":1}`.

    Raises DataError, which calls the value `what`, if it has no text in UTF-8.
    """
    if isinstance(value, str):
        _check_utf8(value, what)
        return value
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        value = int(value)
    encoded = to_json(value, what)
    if encoded.startswith(b'"'):
        return str(msgspec.json.decode(encoded))
    return encoded.decode()


def _check_utf8(text: str, what: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise DataError(
            f"cannot write {what} as UTF-8",
            f"it holds half of a surrogate pair at character {error.start}",
            CHANGE_IT_FIRST,
        ) from None
