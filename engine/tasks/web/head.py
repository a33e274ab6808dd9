"""What stands before the body of a request."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

import msgspec

from engine.tasks.processes.messages import Headers


class Head(msgspec.Struct, frozen=True, gc=False):
    """The method, the target and the headers, as text; nothing is decoded but by `decoded`.

    `query` is what follows the question mark. `client` is `address:port`, empty if unknown.
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


def head_of(scope: dict[str, Any]) -> Head:
    """That of a request that comes by ASGI."""
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
    return [(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers]


def decoded(path: str) -> str:
    """A path, or a part of one, without its percent signs."""
    return unquote(path) if "%" in path else path
