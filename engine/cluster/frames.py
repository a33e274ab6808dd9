"""Frames over a socket: a kind (one byte), a length (eight bytes) and a body.

Bodies are up to some megabytes, and are mostly bytes of documents, so they are received straight
into the buffer that they are read from.
"""

from __future__ import annotations

import asyncio
import socket
import struct

REQUEST, REPLY, SHOWN = b"q", b"r", b"s"
"""To a worker: a message. From it: the answer; a line that a snap shows, with the snap's label."""

_HEAD = struct.Struct("!cQ")
HEAD_BYTES = _HEAD.size
SOCKET_BUFFER = 1 << 20
"""Room for what is sent ahead; the system may give less."""


def framed(kind: bytes, body: bytes) -> tuple[bytes, bytes]:
    """The two parts of a frame."""
    return _HEAD.pack(kind, len(body)), body


def send_frame(connection: socket.socket, kind: bytes, body: bytes) -> None:
    """Send a frame from a blocking socket."""
    head, body = framed(kind, body)
    if len(body) < _SMALL:
        connection.sendall(head + body)
    else:
        connection.sendall(head)
        connection.sendall(body)


def receive_frame(connection: socket.socket) -> tuple[bytes, bytearray]:
    """The next frame from a blocking socket. Raises EOFError at the end."""
    head = bytearray(HEAD_BYTES)
    _fill(connection, head)
    kind, size = _HEAD.unpack(head)
    body = bytearray(size)
    _fill(connection, body)
    return kind, body


async def send_frame_later(connection: socket.socket, kind: bytes, body: bytes) -> None:
    """Send a frame from a socket that does not block. Raises OSError."""
    loop = asyncio.get_running_loop()
    head, body = framed(kind, body)
    if len(body) < _SMALL:
        await loop.sock_sendall(connection, head + body)
    else:
        await loop.sock_sendall(connection, head)
        await loop.sock_sendall(connection, body)


async def receive_frame_later(connection: socket.socket) -> tuple[bytes, bytearray]:
    """The next frame from a socket that does not block. Raises EOFError at the end, and OSError."""
    head = bytearray(HEAD_BYTES)
    await _fill_later(connection, head)
    kind, size = _HEAD.unpack(head)
    body = bytearray(size)
    await _fill_later(connection, body)
    return kind, body


def _fill(connection: socket.socket, buffer: bytearray) -> None:
    rest = memoryview(buffer)
    while rest:
        count = connection.recv_into(rest)
        if not count:
            raise EOFError
        rest = rest[count:]


async def _fill_later(connection: socket.socket, buffer: bytearray) -> None:
    loop = asyncio.get_running_loop()
    rest = memoryview(buffer)
    while rest:
        count = await loop.sock_recv_into(connection, rest)
        if not count:
            raise EOFError
        rest = rest[count:]


_SMALL = 16 * 1024
