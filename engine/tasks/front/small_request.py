"""The fast path: a small request is read to its end, then answered with one write.

It bypasses ASGI: it needs no asyncio task, and nobody waits for pieces of its body. In uvicorn's
connection it takes the place of one of its own cycles.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from engine.tasks.wire.messages import Headers

if TYPE_CHECKING:
    from engine.tasks.front.connection import Connection

Respond = Callable[[int, Headers, bytes], None]
"""Sends status, headers and the complete body; called once. The headers must be valid."""

BodyHandler = Callable[[bytes, Respond], None]
"""Takes the body of a request, and responds, now or later."""


class SmallRequest:
    """The request; while `more_body` is true its `pieces` are collected."""

    __slots__ = (
        "_connection",
        "_sends_body",
        "_take",
        "disconnected",
        "keep_alive",
        "more_body",
        "pieces",
        "response_complete",
    )

    message_event = asyncio.Event()
    """uvicorn's connection sets it when the caller has gone; nobody waits for it."""

    def __init__(
        self, connection: Connection, take: BodyHandler, keep_alive: bool, *, sends_body: bool
    ) -> None:
        self._connection = connection
        self._take = take
        self._sends_body = sends_body
        self.keep_alive = keep_alive
        self.pieces: list[bytes] = []
        self.more_body = True
        self.response_complete = False
        self.disconnected = False

    def complete(self) -> None:
        """The body is complete."""
        self.more_body = False
        body = b"".join(self.pieces)
        self.pieces.clear()  # an idle connection keeps its last request
        self._take(body, self._respond)

    def _respond(self, status: int, headers: Headers, body: bytes) -> None:
        connection = self._connection
        transport = connection.transport
        if self.disconnected or transport.is_closing():
            return
        fields = "".join([f"{name}: {value}\r\n" for name, value in headers])
        parts = [STATUS_LINE[status]]
        for name, value in connection.server_state.default_headers:
            parts += (name, b": ", value, b"\r\n")
        parts.append(fields.encode())
        parts.append(b"\r\n" if self.keep_alive else b"connection: close\r\n\r\n")
        if self._sends_body:
            parts.append(body)
        transport.write(b"".join(parts))
        self.response_complete = True
        if not self.keep_alive:
            transport.close()
        connection.on_response_complete()
