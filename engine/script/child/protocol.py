"""Frames between the engine, its script children and remote executors.

A frame is a length (four bytes, big-endian) and a MessagePack list whose first element is the kind
of message. Rows and answers travel in batches. The same frames are used over the socket pair of a
child and over TCP.
"""

from __future__ import annotations

import select
import socket
import struct
from collections.abc import Callable
from functools import cache
from typing import Any

import msgspec
from msgspec.msgpack import Decoder, Encoder

from .encoding import FailedError, Restore, encode_into, encode_value, encoder, restore_answer

VERSION = 8
FRAME_LIMIT = 1 << 30

_HEADER = struct.Struct("!I")
_TIMEVAL = struct.Struct("@ll")
_BUFFER = 256 << 10
_PIECE = 1 << 20

Payload = bytes | bytearray | memoryview


class ProtocolError(Exception):
    """The peer sent something that is not a frame of this protocol."""


class FrameTooLargeError(Exception):
    """A message does not fit into one frame; no part of it was sent."""

    def __init__(self, size: int, limit: int) -> None:
        super().__init__(size, limit)
        self.size = size
        self.limit = limit

    def __str__(self) -> str:
        return f"it takes {amount(self.size)}; the limit is {amount(self.limit)}"


def amount(size: int) -> str:
    """A number of bytes in a readable unit."""
    for unit, name in ((1 << 30, "GiB"), (1 << 20, "MiB")):
        if size >= unit:
            return f"{size / unit:.1f} {name}".replace(".0 ", " ")
    return f"{size} bytes"


_array_of = struct.Struct("!BI")
_ARRAY = 0xDD
_TRUE, _FALSE = b"\xc3", b"\xc2"


def joined(kind: str, pieces: list[bytes], last: bool) -> bytes:
    """The frame of the message (kind, list of the encoded pieces, last)."""
    head = _head_of(kind)
    size = len(head) + _array_of.size + sum(map(len, pieces)) + 1
    array = _array_of.pack(_ARRAY, len(pieces))
    return b"".join((_HEADER.pack(size), head, array, *pieces, _TRUE if last else _FALSE))


@cache
def _head_of(kind: str) -> bytes:
    return b"\x93" + encode_value(kind)


def encode(message: list[Any], by: Encoder = encoder) -> bytearray:
    """The frame of a message. Raises NotSendableError."""
    frame = bytearray(_HEADER.size)
    encode_into(frame, _HEADER.size, message, by)
    size = len(frame) - _HEADER.size
    if size < 1 << 32:
        _HEADER.pack_into(frame, 0, size)
    return frame


def decoder(restore: Restore) -> Decoder[Any]:
    """Decodes messages whose extensions `restore` turns into values."""
    return Decoder(ext_hook=restore)


_answers = decoder(restore_answer(FailedError))


def decode(payload: Payload, by: Decoder[Any] = _answers) -> list[Any]:
    """The message in a frame's payload; raises ProtocolError."""
    try:
        message = by.decode(payload)
    except (msgspec.DecodeError, RecursionError, ValueError, ArithmeticError) as error:
        raise ProtocolError(f"could not decode a frame: {error}") from error
    if not isinstance(message, list) or not message or not isinstance(message[0], str):
        raise ProtocolError("a frame does not contain a message")
    return message


class Channel:
    """Sends and receives frames over a connected socket.

    Received bytes go through a buffer, so that a small frame takes one system call. `wait` is
    called whenever a time limit of the socket expires; it may raise to give up. The channel stays
    usable after NotSendableError and FrameTooLargeError. `by` decodes what is received.
    """

    def __init__(
        self,
        connection: socket.socket,
        limit: int = FRAME_LIMIT,
        wait: Callable[[], None] | None = None,
        by: Decoder[Any] = _answers,
    ) -> None:
        self.connection = connection
        self.limit = limit
        self.wait = wait
        self._decoder = by
        self._buffer = memoryview(bytearray(min(limit + _HEADER.size, _BUFFER)))
        self._start = self._end = 0
        self._poll = select.poll()
        self._poll.register(connection, select.POLLIN)

    def raise_limit(self, limit: int) -> None:
        """Accept larger frames from a peer that has proved to be trusted."""
        self.limit = limit
        buffer = memoryview(bytearray(_BUFFER))
        buffer[: self._end] = self._buffer[: self._end]
        self._buffer = buffer

    def set_patience(self, seconds: float) -> None:
        """Call `wait` after that long without a byte sent or received.

        The kernel's own time limits take no system call, unlike those of Python's sockets.
        """
        self.connection.settimeout(None)
        seconds = max(seconds, 0.001)
        limit = _TIMEVAL.pack(int(seconds), int(seconds % 1 * 1_000_000))
        for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
            self.connection.setsockopt(socket.SOL_SOCKET, option, limit)

    def send(self, *message: Any) -> None:
        self.send_frame(self.frame(*message))

    def frame(self, *message: Any, by: Encoder = encoder) -> bytearray:
        """The frame of a message. Raises NotSendableError or FrameTooLargeError."""
        frame = encode(list(message), by)
        self.check_size(len(frame) - _HEADER.size)
        return frame

    def check_size(self, size: int) -> None:
        """Raise FrameTooLargeError if that many bytes do not fit into one frame."""
        limit = min(self.limit, FRAME_LIMIT)
        if size > limit:
            raise FrameTooLargeError(size, limit)

    def send_frame(self, frame: bytes | bytearray) -> None:
        rest = memoryview(frame)
        while rest:
            try:
                rest = rest[self.connection.send(rest) :]
            except (TimeoutError, BlockingIOError):
                self._waited()

    def receive(self) -> list[Any]:
        """The next message. Raises EOFError if the peer is gone, ProtocolError for invalid data."""
        return decode(self.receive_payload(), self._decoder)

    def arrives_within(self, seconds: float) -> bool:
        """Whether at least a part of another frame arrives in that time."""
        if self._end > self._start:
            return True
        return bool(self._poll.poll(seconds * 1000))

    def receive_payload(self) -> Payload:
        """The payload of the next frame, to be decoded before the next call."""
        while self._end - self._start < _HEADER.size:
            self._fill()
        (size,) = _HEADER.unpack_from(self._buffer, self._start)
        if size > self.limit:
            raise ProtocolError(f"a frame of {amount(size)} exceeds {amount(self.limit)}")
        self._start += _HEADER.size
        if size > len(self._buffer):
            return self._large_payload(size)
        while self._end - self._start < size:
            self._fill()
        payload = self._buffer[self._start : self._start + size]
        self._start += size
        return payload

    def _fill(self) -> None:
        """Receive what there is, once. If the buffer is full, what it holds moves to its front."""
        if self._start == self._end:
            self._start = self._end = 0
        elif self._end == len(self._buffer):
            kept = self._end - self._start
            self._buffer[:kept] = bytes(self._buffer[self._start : self._end])
            self._start, self._end = 0, kept
        self._end += self._receive_into(self._buffer[self._end :])

    def _large_payload(self, size: int) -> bytearray:
        """Memory grows with what was received, not with what was announced."""
        payload = bytearray(self._buffer[self._start : self._end])
        self._start = self._end = 0
        while len(payload) < size:
            piece = memoryview(bytearray(min(_PIECE, size - len(payload))))
            count = 0
            while count < len(piece):
                count += self._receive_into(piece[count:])
            payload += piece
        return payload

    def _receive_into(self, space: memoryview) -> int:
        while True:
            try:
                count = self.connection.recv_into(space)
            except (TimeoutError, BlockingIOError):
                self._waited()
                continue
            if not count:
                raise EOFError("the connection was closed")
            return count

    def _waited(self) -> None:
        if self.wait is None:
            raise TimeoutError
        self.wait()

    def close(self) -> None:
        self.connection.close()
