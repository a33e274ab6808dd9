"""Frames between the engine, its script children and remote executors.

A frame is a length (four bytes, big-endian) and a MessagePack list whose first element is the kind
of message. Rows and answers travel in batches. The same frames are used over the socket pair of a
child and over TCP. Integers beyond 64 bits, and failures in place of answers, are extension types.
"""

from __future__ import annotations

import datetime
import socket
import struct
from collections.abc import Callable
from typing import Any

import msgspec

VERSION = 4
FRAME_LIMIT = 1 << 30

Failure = tuple[str, str, str, str]
"""Error, reason, resolution, stack trace."""

TOO_DEEP = "a value is nested too deeply, or contains itself"

_HEADER = struct.Struct("!I")
_PIECE = 1 << 20
_BIG_INTEGER, _FAILURE = 1, 2
_TIMESTAMPS = (b"\xd6\xff", b"\xd7\xff", b"\xc7\x0c\xff")


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


class NotSendableError(Exception):
    """A value cannot be encoded; the message says which and why."""


def amount(size: int) -> str:
    """A number of bytes in a readable unit."""
    for unit, name in ((1 << 30, "GiB"), (1 << 20, "MiB")):
        if size >= unit:
            return f"{size / unit:.1f} {name}".replace(".0 ", " ")
    return f"{size} bytes"


class FailedError(Exception):
    """A script's answer in place of documents; its arguments are a Failure."""

    def __init__(self, *failure: str) -> None:
        super().__init__(*failure)


MakeFailure = Callable[..., Exception]
"""Makes an exception from the four texts of a failure."""


def _decoder(make_failure: MakeFailure) -> msgspec.msgpack.Decoder[Any]:
    def restore(code: int, data: memoryview) -> Any:
        if code == _BIG_INTEGER:
            return int.from_bytes(data, "little", signed=True)
        if code == _FAILURE:
            return make_failure(*msgspec.msgpack.decode(data, type=Failure))
        raise ProtocolError(f"unknown extension type {code}")

    return msgspec.msgpack.Decoder(ext_hook=restore)


def _wire_form(value: Any) -> Any:
    """Encodes types that MessagePack lacks: failures, and dates of expressions (subclasses).

    Dates become ISO 8601 text.
    """
    if isinstance(value, Exception):
        texts = (*map(str, value.args), "", "", "", "")[:4]
        return msgspec.msgpack.Ext(_FAILURE, msgspec.msgpack.encode(texts))
    if isinstance(value, datetime.datetime):
        return value.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if isinstance(value, datetime.time):
        return value.isoformat(timespec="milliseconds")
    if isinstance(value, datetime.date):
        return value.isoformat()
    raise TypeError(f"a value of type {type(value).__name__} cannot be sent")


_encoder = msgspec.msgpack.Encoder(decimal_format="number", enc_hook=_wire_form)
_array_of = struct.Struct("!BI")
_ARRAY = 0xDD


encode_value = _encoder.encode
"""Encodes one value without date-times, for `joined`. If it raises, use `encode_again`."""

ENCODING_ERRORS = (OverflowError, UnicodeEncodeError, RecursionError, TypeError)


def encode_again(value: Any, error: Exception) -> bytes:
    """Encode a value for which `encode_value` raised `error`, with large integers as extensions.

    Raises NotSendableError if large integers were not the cause.
    """
    if isinstance(error, OverflowError):
        return _encoder.encode(_sendable(value))
    raise _not_sendable(error) from error


def encoded_size(value: Any) -> int:
    """Bytes that a value takes on the wire; 0 if it has to be looked at more closely."""
    try:
        return len(encode_value(value))
    except ENCODING_ERRORS:
        return 0


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


def encode(message: list[Any]) -> bytearray:
    """The frame of a message.

    Raises NotSendableError. Date-times become ISO 8601 text, as JSON would hold them.
    """
    try:
        frame = _encode(message)
        # MessagePack has its own date-time type. Searching the frame for its marks is cheaper than
        # inspecting every value.
        if b"\xff" in frame and any(mark in frame for mark in _TIMESTAMPS):
            frame = _encode(_sendable(message))
    except OverflowError:
        frame = _encode(_sendable(message))
    except (UnicodeEncodeError, RecursionError, TypeError) as error:
        raise _not_sendable(error) from error
    return frame


def _not_sendable(error: Exception) -> NotSendableError:
    if isinstance(error, UnicodeEncodeError):
        return NotSendableError(f"a string is not valid Unicode: {error.reason}")
    if isinstance(error, RecursionError):
        return NotSendableError(TOO_DEEP)
    return NotSendableError(str(error))


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


_plain_decoder = _decoder(FailedError)


def decode(payload: bytearray, decoder: msgspec.msgpack.Decoder[Any] = _plain_decoder) -> list[Any]:
    """The message in a frame's payload; raises ProtocolError."""
    try:
        message = decoder.decode(payload)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise ProtocolError(f"could not decode a frame: {error}") from error
    if not isinstance(message, list) or not message or not isinstance(message[0], str):
        raise ProtocolError("a frame does not contain a message")
    return message


class Channel:
    """Sends and receives frames over a connected socket.

    `wait` is called whenever the socket's own timeout expires; it may raise to give up. The channel
    stays usable after NotSendableError and FrameTooLargeError. `make_failure` converts the failures
    that are received.
    """

    def __init__(
        self,
        connection: socket.socket,
        limit: int = FRAME_LIMIT,
        wait: Callable[[], None] | None = None,
        make_failure: MakeFailure = FailedError,
    ) -> None:
        self.connection = connection
        self.limit = limit
        self.wait = wait
        self._decoder = _decoder(make_failure)

    def send(self, *message: Any) -> None:
        self.send_frame(self.frame(*message))

    def frame(self, *message: Any) -> bytearray:
        """The frame of a message. Raises NotSendableError or FrameTooLargeError."""
        frame = encode(list(message))
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
