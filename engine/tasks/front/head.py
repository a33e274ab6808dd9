"""The head of a request: what precedes the body."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote_to_bytes

import msgspec

from engine.sdk.header_values import read_header
from engine.tasks.wire.messages import Headers


class Head(msgspec.Struct, frozen=True, gc=False):
    """The method, the target and the headers, as text.

    The target is kept as its bytes in Latin-1; `decoded` makes it readable. `query` is what follows
    its question mark. `client` is `address:port`, empty if unknown.
    """

    method: str
    raw_path: str
    query: str
    headers: Headers
    client: str
    http_version: str = "1.1"

    @property
    def path(self) -> str:
        return decoded(self.raw_path)

    @property
    def is_readable(self) -> bool:
        """Whether the path is UTF-8."""
        path = self.raw_path
        if "%" not in path and path.isascii():
            return True
        try:
            _bytes_of(path).decode()
        except UnicodeDecodeError:
            return False
        return True


def head_of(scope: dict[str, Any]) -> Head:
    """The head of an ASGI request."""
    client = scope["client"]
    return Head(
        scope["method"],
        scope["raw_path"].decode("latin-1"),
        scope["query_string"].decode("latin-1"),
        as_text(scope["headers"]),
        f"{client[0]}:{client[1]}" if client else "",
        scope["http_version"],
    )


def as_text(headers: list[tuple[bytes, bytes]]) -> Headers:
    return [(name.decode("latin-1"), read_header(value)) for name, value in headers]


def decoded(path: str) -> str:
    """A path, or a part of one, percent-decoded; U+FFFD for what is not UTF-8."""
    if "%" not in path and path.isascii():
        return path
    return _bytes_of(path).decode(errors="replace")


def _bytes_of(path: str) -> bytes:
    return unquote_to_bytes(path.encode("latin-1"))
