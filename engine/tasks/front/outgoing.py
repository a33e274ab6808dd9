"""The output of a connection: what its caller has not read yet, and whether it still reads."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING, cast

from engine.tasks.front.peers import reads_no_more

if TYPE_CHECKING:
    from engine.tasks.front.http_server import HttpServer


class Outgoing(asyncio.Protocol):
    """`unsent_since` is since when the caller has read nothing of the bytes that wait for it.

    `lingers`: its output has ended, and what arrives is dropped until the caller ends it too, or
    until `linger_end`. To close it with unread data would reset it, and the caller might lose what
    it was sent.
    """

    def __init__(self, server: HttpServer) -> None:
        self.server = server
        self.transport: asyncio.Transport = cast("asyncio.Transport", None)
        self.unsent_since = 0.0
        self.lingers = False
        self.linger_end = 0.0
        self._unsent = 0
        self._writable: asyncio.Event | None = None

    def write(self, data: bytes | bytearray) -> None:
        self.transport.write(data)

    async def writable(self) -> None:
        """Wait until the caller has read most of what was written, or has gone."""
        if self._writable is not None:
            await self._writable.wait()

    def pause_writing(self) -> None:
        self._writable = asyncio.Event()
        self.server.note_unsent(self)

    def resume_writing(self) -> None:
        if self._writable is not None:
            self._writable.set()
            self._writable = None

    def linger(self, seconds: float) -> None:
        """End the output once all is sent; of TLS, only its length tells the caller the end."""
        self.lingers = True
        self.linger_end = self.server.now() + seconds
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.transport.resume_reading()

    def abort(self) -> None:
        self.transport.abort()

    def look_at_unsent(self, now: float) -> int:
        """Bytes of responses that the caller has not read."""
        left = self.transport.get_write_buffer_size()
        if left != self._unsent or not left:
            self._unsent, self.unsent_since = left, now
        return left

    def check_gone(self) -> None:
        """End the connection if its caller, which has half-closed, no longer reads."""
        if self.transport.is_closing():
            return
        connected = self.transport.get_extra_info("socket")
        is_closed = connected.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if is_closed or reads_no_more(self.transport):
            self.transport.abort()
