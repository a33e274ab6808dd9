"""Frames between the engine, its script children and remote executors.

A frame is a length (four bytes, big-endian) and a MessagePack list whose first element is the kind
of message. Rows and answers travel in batches. The same frames are used over the socket pair of a
child and over TCP.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable
from typing import Any

import msgspec
from msgspec.msgpack import Decoder, Encoder

from .encoding import FailedError, Restore, encode_into, encode_value, encoder, restore_answer

VERSION = 5
FRAME_LIMIT = 1 << 30

_HEADER = struct.Struct("!I")
_PIECE = 1 << 20


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


def joined(kind: str, pieces: list[bytes], last: bool) -> bytearray:
    """The frame of the message (kind, list of the encoded pieces, last)."""
    frame = bytearray(_HEADER.size)
    frame += b"\x93"
    frame += encode_value(kind)
    frame += _array_of.pack(_ARRAY, len(pieces))
    frame += b"".join(pieces)
    frame += encode_value(last)
    _HEADER.pack_into(frame, 0, len(frame) - _HEADER.size)
    return frame


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


def decode(payload: bytearray, by: Decoder[Any] = _answers) -> list[Any]:
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

    `wait` is called whenever the socket's own timeout expires; it may raise to give up. The channel
    stays usable after NotSendableError and FrameTooLargeError. `by` decodes what is received.
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

    def send_frame(self, frame: bytearray) -> None:
        rest = memoryview(frame)
        while rest:
            try:
                rest = rest[self.connection.send(rest) :]
            except TimeoutError:
                self._waited()

    def receive(self) -> list[Any]:
        """The next message. Raises EOFError if the peer is gone, ProtocolError for invalid data."""
        return decode(self.receive_payload(), self._decoder)

    def receive_payload(self) -> bytearray:
        (size,) = _HEADER.unpack(self._exactly(_HEADER.size))
        if size > self.limit:
            raise ProtocolError(f"a frame of {amount(size)} exceeds {amount(self.limit)}")
        return self._exactly(size)

    def _exactly(self, size: int) -> bytearray:
        if size <= _PIECE:
            return self._piece(size)
        payload = bytearray()
        while (
            len(payload) < size
        ):  # memory grows with what was received, not with what was announced
            payload += self._piece(min(_PIECE, size - len(payload)))
        return payload

    def _piece(self, size: int) -> bytearray:
        piece = bytearray(size)
        rest = memoryview(piece)
        while rest:
            try:
                count = self.connection.recv_into(rest)
            except TimeoutError:
                self._waited()
                continue
            if not count:
                raise EOFError("the connection was closed")
            rest = rest[count:]
        return piece

    def _waited(self) -> None:
        if self.wait is None:
            raise TimeoutError
        self.wait()

    def close(self) -> None:
        self.connection.close()


def halves(items: list[Any]) -> tuple[list[Any], list[Any]]:
    """The two halves of a batch that does not fit into one frame."""
    middle = len(items) // 2
    return items[:middle], items[middle:]
