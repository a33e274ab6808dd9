"""Frames over a socket that does not block (see engine.cluster.frames): for the coordinator.

Workers do not import asyncio, which takes a tenth of their start.
"""

from __future__ import annotations

import asyncio
import socket

from engine.cluster.frames import HEAD, SMALL, framed


async def send_frame_later(connection: socket.socket, kind: bytes, body: bytes) -> None:
    """Send a frame from a socket that does not block. Raises OSError."""
    loop = asyncio.get_running_loop()
    head, body = framed(kind, body)
    if len(body) < SMALL:
        await loop.sock_sendall(connection, head + body)
    else:
        await loop.sock_sendall(connection, head)
        await loop.sock_sendall(connection, body)


async def receive_frame_later(connection: socket.socket) -> tuple[bytes, bytearray]:
    """The next frame from a socket that does not block. Raises EOFError at the end, and OSError."""
    head = bytearray(HEAD.size)
    await fill_later(connection, head)
    kind, size = HEAD.unpack(head)
    body = bytearray(size)
    await fill_later(connection, body)
    return kind, body


async def fill_later(connection: socket.socket, buffer: bytearray) -> None:
    """Fill the buffer. Raises EOFError at the end, and OSError."""
    loop = asyncio.get_running_loop()
    rest = memoryview(buffer)
    while rest:
        count = await loop.sock_recv_into(connection, rest)
        if not count:
            raise EOFError
        rest = rest[count:]
