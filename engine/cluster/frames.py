"""Frames over a socket: a kind (one byte), a length (eight bytes) and a body.

Bodies are up to some megabytes, and are mostly bytes of documents, so they are received straight
into the buffer that they are read from.
"""

from __future__ import annotations

import socket
import struct

REQUEST, REPLY, SHOWN = b"q", b"r", b"s"
"""To a worker: a message. From it: the answer; a line that a snap shows, with the snap's label."""

HEAD = struct.Struct("!cQ")

WANTED = struct.Struct("!I")
"""To the process that forks workers: a number, with the descriptors of a socket and of a log."""

TOLD = struct.Struct("!cIi")
"""From it: FORKED or ENDED, the id of the worker's process, and the exit code of one that ended."""

FORKED, ENDED = b"f", b"e"

SOCKET_BUFFER = 1 << 20
"""Room for what is sent ahead; the system may give less."""


def framed(kind: bytes, body: bytes) -> tuple[bytes, bytes]:
    """The two parts of a frame."""
    return HEAD.pack(kind, len(body)), body


def send_frame(connection: socket.socket, kind: bytes, body: bytes) -> None:
    """Send a frame from a blocking socket."""
    head, body = framed(kind, body)
    if len(body) < SMALL:
        connection.sendall(head + body)
    else:
        connection.sendall(head)
        connection.sendall(body)


def receive_frame(connection: socket.socket) -> tuple[bytes, bytearray]:
    """The next frame from a blocking socket. Raises EOFError at the end."""
    head = bytearray(HEAD.size)
    _fill(connection, head)
    kind, size = HEAD.unpack(head)
    body = bytearray(size)
    _fill(connection, body)
    return kind, body


def _fill(connection: socket.socket, buffer: bytearray) -> None:
    rest = memoryview(buffer)
    while rest:
        count = connection.recv_into(rest)
        if not count:
            raise EOFError
        rest = rest[count:]


SMALL = 16 * 1024
"""Bytes of a body that is worth copying to send it together with its head."""
