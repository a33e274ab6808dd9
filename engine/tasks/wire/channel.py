"""Messages over a connected socket, batched into frames.

A frame is a length (four bytes, big-endian) and a MessagePack list of messages. Everything
sent in one turn of the event loop leaves as one frame with one write: a single message goes at
once, and under load many messages share the cost of a wake-up.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable
from typing import Any

import msgspec

END_SECONDS = 3.0
"""Seconds that a process gets to end after its channel was closed."""

_HEADER = struct.Struct("!I")
_FRAME_BYTES = 1024 * 1024
"""A larger frame is split, so that a peer that stops reading holds no more than one message."""


class MessageChannel(asyncio.Protocol):
    """One end of the connection; `receives` is a type of messages, `on_lost` is called once."""

    def __init__(
        self,
        receives: Any,
        on_message: Callable[[Any], None],
        on_lost: Callable[[], None],
        on_frame: Callable[[], None] | None = None,
    ) -> None:
        self._encoder = msgspec.msgpack.Encoder()
        self._decoder = msgspec.msgpack.Decoder(list[receives])
        self._on_message = on_message
        self._on_lost = on_lost
        self._on_frame = on_frame
        self._transport: asyncio.Transport | None = None
        self._loop = asyncio.get_running_loop()
        self._outgoing: list[Any] = []
        self._incoming = bytearray()
        self._writable = asyncio.Event()
        self._writable.set()
        self._lost = asyncio.Event()

    async def connect(self, connection: socket.socket) -> None:
        """Use a connected socket, which the channel owns from now on."""
        connection.setblocking(False)
        await self._loop.create_unix_connection(lambda: self, sock=connection)

    def send(self, message: Any) -> None:
        """Send with everything else of this turn. Messages to a peer that has gone are lost."""
        if not self._outgoing:
            self._loop.call_soon(self.flush)
        self._outgoing.append(message)

    async def drain(self) -> None:
        """Wait until the peer has taken most of what was sent, or has gone."""
        self.flush()
        await self._writable.wait()

    def pause(self) -> None:
        """Stop reading, so that the peer has to wait."""
        if self._transport is not None and self._transport.is_reading():
            self._transport.pause_reading()

    def resume(self) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()

    def close(self) -> None:
        """Send what is waiting, then hang up."""
        self.flush()
        if self._transport is not None:
            self._transport.close()

    async def closed(self) -> None:
        """Wait until everything is sent and either side has closed the connection."""
        if self._transport is not None:
            await self._lost.wait()

    def flush(self) -> None:
        """Send what is waiting now, without waiting for the end of the turn."""
        if not self._outgoing or self._transport is None:
            return
        messages, self._outgoing = self._outgoing, []
        if not self._transport.is_closing():
            self._write(messages)

    def _write(self, messages: list[Any]) -> None:
        frame = bytearray(_HEADER.size)
        self._encoder.encode_into(messages, frame, _HEADER.size)
        size = len(frame) - _HEADER.size
        if size > _FRAME_BYTES and len(messages) > 1:
            for message in messages:
                self._write([message])
            return
        _HEADER.pack_into(frame, 0, size)
        assert self._transport is not None  # flush has checked
        self._transport.write(frame)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        incoming = self._incoming
        incoming += data
        start = 0
        while len(incoming) - start >= _HEADER.size:
            (size,) = _HEADER.unpack_from(incoming, start)
            end = start + _HEADER.size + size
            if len(incoming) < end:
                break
            with memoryview(incoming) as view:
                messages = self._decoder.decode(view[start + _HEADER.size : end])
            start = end
            for message in messages:
                self._on_message(message)
        del incoming[:start]
        if start and self._on_frame is not None:
            self._on_frame()

    def connection_lost(self, error: Exception | None) -> None:
        self._writable.set()
        self._lost.set()
        self._on_lost()

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()
