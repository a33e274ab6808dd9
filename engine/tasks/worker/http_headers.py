"""Fields of a document, or of a stream's header, as status and headers of an HTTP response.

A field may come from anywhere, so nothing is accepted that could begin another header or another
body, nor a header that only the server may set.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from engine.errors import DataError
from engine.numbers import as_integer
from engine.sdk.excerpts import excerpt
from engine.sdk.header_values import HeaderError, header_text
from engine.tasks.wire.messages import Headers

SERVER_HEADERS = frozenset(
    (
        "authorization",  # of the request, when its headers are passed on
        "connection",
        "content-length",
        "content-location",  # a path on the server, where a snap has written it
        "cookie",
        "date",
        "keep-alive",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "x-request-id",  # of this request, or of another server
    )
)
"""Dropped silently: streams of files and requests that are passed on have some of them."""

_SINGLE = frozenset(
    {
        "access-control-allow-origin",
        "age",
        "content-disposition",
        "content-encoding",
        "content-range",
        "content-type",
        "etag",
        "expires",
        "last-modified",
        "location",
        "retry-after",
    }
)
"""Headers that a response can have only once (RFC 9110)."""

_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_HINT = "let the pipeline remove the field, or set it to a string without line breaks"


def joined(headers: Headers) -> dict[str, Any]:
    """Headers by name; the values of one that comes several times are joined as HTTP does."""
    fields: dict[str, Any] = dict(headers)
    if len(fields) == len(headers):
        return fields
    fields = {}
    for name, value in headers:
        separator = "; " if name == "cookie" else ", "
        fields[name] = f"{fields[name]}{separator}{value}" if name in fields else value
    return fields


def response_headers(fields: Mapping[str, Any]) -> Headers:
    """The headers, names in lower case; a list becomes a header for each element, null none.

    Fields whose names differ only in capitals are one header: all their values are sent, or the
    last if it can have only one. Raises DataError, with its name, for a field that cannot be a
    header.
    """
    headers: dict[str, list[str]] = {}
    for field, value in fields.items():
        name = str(field).lower()
        if name in SERVER_HEADERS or value is None:
            continue
        if not _NAME.fullmatch(name):
            raise _refused(field, "its name has characters that a header name cannot have")
        values = value if isinstance(value, list | tuple) else [value]
        if name not in _SINGLE:
            headers.setdefault(name, []).extend(_text(field, each) for each in values)
        elif len(values) == 1:
            headers[name] = [_text(field, values[0])]
        elif values:
            raise _refused(field, f"it has {len(values)} values, but can be sent only once")
    return [(name, value) for name, values in headers.items() for value in values]


def response_status(value: Any) -> int:
    """The status in a field `status`, a number or a string; 200 for null. Raises DataError."""
    if value is None:
        return 200
    if isinstance(value, str) and re.fullmatch(r"\s*[0-9]{3}\s*", value):
        value = int(value)
    value = as_integer(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 200 <= value <= 599:
        raise DataError(
            "the response has no valid HTTP status",
            f"its field 'status' is {excerpt(value)}",
            "set 'status' to a whole number from 200 to 599, or leave it out",
        )
    return value


def _text(field: str, value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float | Decimal):
        return str(value)
    if not isinstance(value, str):
        raise _refused(field, f"it is a {type(value).__name__}, but a header must be a string")
    try:
        return header_text(value)
    except HeaderError as error:
        raise _refused(field, str(error)) from None


def _refused(field: str, reason: str) -> DataError:
    return DataError(f"the field {field!r:.60} cannot be a response header", reason, _HINT)
