"""A request on a connection, and its response."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import TYPE_CHECKING

from engine.errors import EngineError
from engine.tasks.front.calls import Call
from engine.tasks.front.reply import Reply, body_with_id, close_body, close_unread, error_reply
from engine.tasks.wire.messages import Response

if TYPE_CHECKING:
    from engine.tasks.front.connection import Connection

log = logging.getLogger(__name__)

_BODILESS = frozenset((204, 304))
_PHRASES = {each.value: each.phrase for each in HTTPStatus}
_STATUS_LINES = [b""] * 1000
for _status in range(200, 1000):
    _phrase = _PHRASES.get(_status, "")
    _STATUS_LINES[_status] = f"HTTP/1.1 {_status} {_phrase}\r\n".encode()

_PIECE_BYTES = 256 * 1024
_JOINED_BYTES = 64 * 1024
"""Bodies up to this size are copied behind their head, to be sent in one write."""


class Exchange:
    """From the head of a request to the end of its response.

    `refusal` is the response that does not wait for the body; `expects`: the caller waits for
    100 Continue before it sends one.
    """

    __slots__ = (
        "_connection",
        "_size",
        "_streaming",
        "answered",
        "body",
        "call",
        "complete",
        "expects",
        "keep_alive",
        "refusal",
        "sends_body",
        "started",
        "version",
    )

    def __init__(
        self, connection: Connection, call: Call, version: str, *, sends_body: bool
    ) -> None:
        self._connection: Connection | None = connection
        self._streaming: asyncio.Task[None] | None = None
        self._size = 0
        self.call = call
        self.version = version
        self.sends_body = sends_body
        self.refusal = call.refusal
        self.body: bytes | bytearray = b""
        self.keep_alive = True
        self.complete = self.started = self.answered = self.expects = False

    def start(self) -> None:
        """The body is complete, and earlier requests are answered."""
        self.started = True
        body = bytes(self.body)
        self.drop_body()
        try:
            self.call.start(body, self.respond)
        except Exception:  # a bug of ours must cost one response, not the server
            about = {"request_id": self.call.tag.id}
            log.exception("a request could not be answered", extra=about)
            self.respond(error_reply(500, "internal server error", "", "see the server's log"))

    def add_piece(self, piece: bytes) -> bool:
        """Add to the body; False if the bodies that are arriving are too much together."""
        if not self.body:
            self.body = piece
        else:
            if isinstance(self.body, bytes):
                self.body = bytearray(self.body)
            self.body += piece
        return self._connection is not None and self._connection.server.hold(len(piece))

    def refuse(self, call: Call) -> None:
        """Respond without the rest of the body, when its turn has come, and hang up."""
        self.call, self.refusal, self.keep_alive = call, call.refusal, False
        self.drop_body()

    def drop_body(self) -> None:
        if self._connection is not None:
            self._connection.server.release(len(self.body))
        self.body = b""

    def leave(self) -> None:
        """The connection is lost."""
        self.drop_body()
        self._connection = None
        if self._streaming is not None:
            self._streaming.cancel()
        elif self.started and not self.answered:
            self.call.withdraw()

    def respond(self, reply: Response | Reply) -> None:
        connection, body = self._connection, reply.body
        if reply.outcome != "answered":
            body = body_with_id(reply, self.call.tag)
        if connection is None or self.answered:
            if not isinstance(body, bytes):
                self._streaming = close_unread(body)
            return
        self.answered = True
        if not isinstance(body, bytes):
            self._streaming = asyncio.ensure_future(self._stream(connection, reply, body))
            return
        if reply.status in _BODILESS:
            body = b""
            head = self._head(connection, reply, b"")
        else:
            head = self._head(connection, reply, b"content-length: %d\r\n" % len(body))
        sent = body if self.sends_body else b""
        if len(sent) <= _JOINED_BYTES:
            connection.write(head + sent)
        else:
            connection.write(head)
            for start in range(0, len(sent), _PIECE_BYTES):  # what is sent can be freed
                connection.write(sent[start : start + _PIECE_BYTES])
        self._finish(connection, reply, len(body))

    def _head(self, connection: Connection, reply: Response | Reply, framing: bytes) -> bytes:
        if connection.server.draining and connection.is_last(self):
            self.keep_alive = False
        fields = "".join([f"{name}: {value}\r\n" for name, value in reply.headers])
        end = b"\r\n" if self.keep_alive else b"connection: close\r\n\r\n"
        return b"".join(
            (
                _STATUS_LINES[reply.status],
                connection.server.date,
                f"{fields}x-request-id: {self.call.tag.id}\r\n".encode(),
                framing,
                end,
            )
        )

    def _finish(self, connection: Connection, reply: Response | Reply, size: int) -> None:
        self._connection = self._streaming = None  # leave no garbage, which is collected rarely
        connection.finished(self)
        self.call.record(reply, size)

    async def _stream(
        self, connection: Connection, reply: Response | Reply, pieces: AsyncIterator[bytes]
    ) -> None:
        """Send the body piece by piece. If it fails midway, the connection is cut."""
        try:
            if not self.sends_body or reply.status in _BODILESS:
                connection.write(self._head(connection, reply, b""))
            else:
                await self._send_pieces(connection, reply, pieces)
        except EngineError as error:
            about = {"request_id": self.call.tag.id}
            log.warning("response broke off after %d bytes: %s", self._size, error, extra=about)
            connection.abort()
        except asyncio.CancelledError:  # the caller has gone
            pass
        except Exception:  # a bug of ours must cost one response, not the server
            about = {"request_id": self.call.tag.id}
            log.exception("response broke off after %d bytes", self._size, extra=about)
            connection.abort()
        finally:
            await close_body(pieces)
        if self._connection is None:
            self.call.record(reply, self._size)
        else:
            self._finish(connection, reply, self._size)

    async def _send_pieces(
        self, connection: Connection, reply: Response | Reply, pieces: AsyncIterator[bytes]
    ) -> None:
        chunked = self.version == "1.1"
        framing = b"transfer-encoding: chunked\r\n" if chunked else b""
        connection.write(self._head(connection, reply, framing))
        async for piece in pieces:
            if piece:
                connection.write(b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece)
                self._size += len(piece)
                await connection.writable()
        if chunked:
            connection.write(b"0\r\n\r\n")
