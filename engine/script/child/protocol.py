"""Frames between the engine, its script children and remote executors.

A frame is a length (four bytes, big-endian) and a MessagePack list whose first element names it.
Rows and answers travel in batches. The same frames go over the socket pair of a child and over TCP;
what MessagePack lacks (integers beyond 64 bits) is an extension type.
"""

from __future__ import annotations

import datetime
import socket
import struct
from collections.abc import Callable
from typing import Any

import msgspec

VERSION = 3
FRAME_LIMIT = 1 << 30

_HEADER = struct.Struct("!I")
_PIECE = 1 << 20
_BIG_INTEGER = 1
_TIMESTAMPS = (b"\xd6\xff", b"\xd7\xff", b"\xc7\x0c\xff")


class ProtocolError(Exception):
    """The peer sent something that is not a frame of this protocol."""


class FrameTooLargeError(Exception):
    """A message does not fit into one frame; nothing of it was sent."""

    def __init__(self, size: int, limit: int) -> None:
        super().__init__(size, limit)
        self.size = size
        self.limit = limit

    def __str__(self) -> str:
        return f"it takes {_amount(self.size)}, and at most {_amount(self.limit)} can be sent"


class NotSendableError(Exception):
    """A value has no form on the wire; the text says which and why."""


def _amount(size: int) -> str:
    return f"{size / (1 << 20):.1f} MiB" if size >= 1 << 20 else f"{size} bytes"


def _restore(code: int, data: memoryview) -> Any:
    if code == _BIG_INTEGER:
        return int.from_bytes(data, "little", signed=True)
    raise ProtocolError(f"unknown extension type {code}")


def _date_text(value: Any) -> str:
    """The dates of expressions, which are subclasses that MessagePack does not know."""
    if isinstance(value, datetime.datetime):
        return value.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if isinstance(value, datetime.time):
        return value.isoformat(timespec="milliseconds")
    if isinstance(value, datetime.date):
        return value.isoformat()
    raise TypeError(f"a value of type {type(value).__name__} cannot be sent")


_encoder = msgspec.msgpack.Encoder(decimal_format="number", enc_hook=_date_text)
_decoder = msgspec.msgpack.Decoder(ext_hook=_restore)


def encode(message: list[Any]) -> bytearray:
    """The frame of a message.

    Raises NotSendableError. Date-times become ISO 8601 text, as JSON would hold them.
    """
    try:
        frame = _encode(message)
        # MessagePack has a date-time of its own; looking for its bytes is cheaper than at values.
        if b"\xff" in frame and any(mark in frame for mark in _TIMESTAMPS):
            frame = _encode(_sendable(message))
    except OverflowError:
        frame = _encode(_sendable(message))
    except UnicodeEncodeError as error:
        raise NotSendableError(f"a text is not valid Unicode: {error.reason}") from error
    except RecursionError as error:
        raise NotSendableError("a value is nested too deeply, or holds itself") from error
    except TypeError as error:
        raise NotSendableError(str(error)) from error
    return frame


def _encode(message: Any) -> bytearray:
    frame = bytearray(_HEADER.size)
    _encoder.encode_into(message, frame, _HEADER.size)
    size = len(frame) - _HEADER.size
    if size < 1 << 32:
        _HEADER.pack_into(frame, 0, size)
    return frame


def _sendable(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _sendable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_sendable(item) for item in value]
    if type(value) is int and not -(1 << 63) <= value < 1 << 64:
        size = value.bit_length() // 8 + 1
        return msgspec.msgpack.Ext(_BIG_INTEGER, value.to_bytes(size, "little", signed=True))
    if isinstance(value, datetime.datetime):
        return value.isoformat().replace("+00:00", "Z")
    return value


def decode(payload: bytearray) -> list[Any]:
    """The message in a frame's payload; raises ProtocolError."""
    try:
        message = _decoder.decode(payload)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise ProtocolError(f"a frame cannot be read: {error}") from error
    if not isinstance(message, list) or not message or not isinstance(message[0], str):
        raise ProtocolError("a frame holds no message")
    return message


class Channel:
    """Sends and receives frames over a connected socket.

    `wait` is called whenever the socket's own timeout passes in vain; it may raise to give up.
    A message that raises NotSendableError or FrameTooLargeError leaves the channel usable.
    """

    def __init__(
        self,
        connection: socket.socket,
        limit: int = FRAME_LIMIT,
        wait: Callable[[], None] | None = None,
    ) -> None:
        self.connection = connection
        self.limit = limit
        self.wait = wait

    def send(self, *message: Any) -> None:
        self.send_frame(self.frame(*message))

    def frame(self, *message: Any) -> bytearray:
        """The frame of a message, if it may be sent."""
        frame = encode(list(message))
        size = len(frame) - _HEADER.size
        if size > min(self.limit, FRAME_LIMIT):
            raise FrameTooLargeError(size, min(self.limit, FRAME_LIMIT))
        return frame

    def send_frame(self, frame: bytearray) -> None:
        rest = memoryview(frame)
        while rest:
            try:
                rest = rest[self.connection.send(rest) :]
            except TimeoutError:
                self._waited()

    def receive(self) -> list[Any]:
        """The next message. Raises EOFError when the peer has gone, ProtocolError for nonsense."""
        return decode(self.receive_payload())

    def receive_payload(self) -> bytearray:
        (size,) = _HEADER.unpack(self._exactly(_HEADER.size))
        if size > self.limit:
            raise ProtocolError(f"a frame of {_amount(size)} is over {_amount(self.limit)}")
        return self._exactly(size)

    def _exactly(self, size: int) -> bytearray:
        if size <= _PIECE:
            return self._piece(size)
        payload = bytearray()
        while len(payload) < size:  # memory grows with what has come, not with what was announced
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
    """A batch that does not fit into one frame, as two."""
    middle = len(items) // 2
    return items[:middle], items[middle:]
