"""Values on the wire: MessagePack, with extensions for what it lacks.

Integers beyond 64 bits, decimals, JSON text that the script's process decodes, and failures in
place of answers are extension types. Date-times become ISO 8601 text, as JSON would hold them.
"""

from __future__ import annotations

import datetime
import decimal
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
from msgspec.msgpack import Encoder, Ext

BIG_INTEGER, FAILURE, DECIMAL, JSON = 1, 2, 3, 4
"""The codes of the extension types."""

MAX_DIGITS, MAX_EXPONENT = 4_300, 10_000
"""Bounds of the numbers that a script returns: those of `engine.numbers`, which a script's process
cannot import."""

Failure = tuple[str, str, str, str]
"""Error, reason, resolution, stack trace."""

TOO_DEEP = "a value is nested too deeply, or contains itself"
ENCODING_ERRORS = (OverflowError, UnicodeEncodeError, RecursionError, TypeError)

_BOUNDED = decimal.Context(
    prec=MAX_DIGITS,
    Emin=-MAX_EXPONENT,
    Emax=MAX_EXPONENT,
    traps=[
        *(decimal.Clamped, decimal.Inexact, decimal.InvalidOperation, decimal.Overflow),
        *(decimal.Rounded, decimal.Subnormal, decimal.Underflow),
    ],
)
_FEW_DIGITS, _SMALL_EXPONENT = 1_000, 5_000
"""A decimal within these bounds need not be compared with the others."""

_TOO_LARGE = 10**MAX_DIGITS
_TIMESTAMPS = (b"\xd6\xff", b"\xd7\xff", b"\xc7\x0c\xff")

Restore = Callable[[int, memoryview], Any]
"""Makes a value from the code and the bytes of an extension."""


class NotSendableError(Exception):
    """A value cannot be encoded; the message says which and why."""


class FailedError(Exception):
    """A script's answer in place of documents; its arguments are a Failure."""

    def __init__(self, *failure: str) -> None:
        super().__init__(*failure)


def restore_number(code: int, data: memoryview) -> Any:
    """The integer or decimal in an extension."""
    if code == DECIMAL:
        return decimal.Decimal(str(data, "ascii"))
    if code == BIG_INTEGER:
        return int.from_bytes(data, "little", signed=True)
    raise ValueError(f"unknown extension type {code}")


def restore_row_value(*, exact: bool) -> Restore:
    """For the rows of a script: numbers, and JSON text as the values that it denotes.

    Numbers with a point or an exponent are decimals if `exact`, and otherwise floats.
    """
    decode = msgspec.json.Decoder(float_hook=decimal.Decimal if exact else None).decode
    # Without a hook, numbers beyond the range of a float are refused.
    decode_any = msgspec.json.Decoder(float_hook=decimal.Decimal if exact else float).decode

    def restore(code: int, data: memoryview) -> Any:
        if code != JSON:
            return restore_number(code, data)
        try:
            return decode(data)
        except msgspec.ValidationError:
            return decode_any(data)

    return restore


def restore_answer(make_failure: Callable[..., Exception]) -> Restore:
    """For the answers of a script; `make_failure` makes an exception from a failure's texts."""

    def restore(code: int, data: memoryview) -> Any:
        if code == FAILURE:
            return make_failure(*msgspec.msgpack.decode(data, type=Failure))
        return restore_number(code, data)

    return restore


def wire_form(value: Any) -> Any:
    """Encodes types that MessagePack lacks: failures, and dates of expressions (subclasses)."""
    if isinstance(value, Exception):
        texts = (*map(str, value.args), "", "", "", "")[:4]
        return Ext(FAILURE, msgspec.msgpack.encode(texts))
    if isinstance(value, datetime.datetime):
        return value.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if isinstance(value, datetime.time):
        return value.isoformat(timespec="milliseconds")
    if isinstance(value, datetime.date):
        return value.isoformat()
    raise TypeError(f"a value of type {type(value).__name__} cannot be sent")


def decimal_form(value: decimal.Decimal) -> Ext | float:
    """A decimal as an extension; NaN and Infinity as floats. Raises ValueError if out of bounds."""
    if not value.is_finite():
        return float("nan") if value.is_nan() else float(value)
    text = str(value)
    if len(text) > _FEW_DIGITS or not -_SMALL_EXPONENT < value.adjusted() < _SMALL_EXPONENT:
        try:
            _BOUNDED.create_decimal(value)
        except ArithmeticError:
            raise ValueError(
                f"a decimal with more than {MAX_DIGITS:,} digits "
                f"or an exponent beyond {MAX_EXPONENT:,}"
            ) from None
    return Ext(DECIMAL, text.encode())


encoder = Encoder(decimal_format="number", enc_hook=wire_form)
"""Writes decimals as the nearest floats; those that must stay exact are extensions already."""

encode_value = encoder.encode
"""Encodes one value without date-times. If it raises, use `encode_again`."""


def encode_again(value: Any, error: Exception) -> bytes:
    """Encode a value for which `encode_value` raised `error`, with large integers as extensions.

    Raises NotSendableError if large integers were not the cause.
    """
    if isinstance(error, OverflowError):
        return encoder.encode(_sendable(value))
    raise _not_sendable(error, value) from error


def encoded_size(value: Any, by: Encoder = encoder) -> int:
    """Bytes that a value takes on the wire; 0 if it cannot be encoded at once."""
    try:
        return len(by.encode(value))
    except ENCODING_ERRORS:
        return 0


def encode_into(frame: bytearray, start: int, message: Any, by: Encoder = encoder) -> None:
    """Write a message into a frame from `start`, to the frame's end. Raises NotSendableError."""
    try:
        by.encode_into(message, frame, start)
        # MessagePack has its own date-time type. Searching the frame for its marks is cheaper than
        # inspecting every value.
        if b"\xff" in frame and any(mark in frame for mark in _TIMESTAMPS):
            by.encode_into(_sendable(message), frame, start)
    except OverflowError:
        by.encode_into(_sendable(message), frame, start)
    except (UnicodeEncodeError, RecursionError, TypeError) as error:
        raise _not_sendable(error, message) from error


def _not_sendable(error: Exception, value: Any) -> NotSendableError:
    if isinstance(error, UnicodeEncodeError):
        holder = _holder_of_half(value, "it")
        return NotSendableError(
            f"{holder} holds a string that is not valid Unicode ({error.reason})"
        )
    if isinstance(error, RecursionError):
        return NotSendableError(TOO_DEEP)
    return NotSendableError(str(error))


def _holder_of_half(value: Any, holder: str) -> str:
    """What holds a string with half of a surrogate pair; empty if nothing does."""
    if isinstance(value, str):
        return "" if value.isascii() or _is_valid(value) else holder
    found: Iterator[str] = iter(())
    if isinstance(value, dict):
        found = (
            _holder_of_half(key, holder) or _holder_of_half(item, f"the key {key!r}")
            for key, item in value.items()
        )
    elif isinstance(value, list | tuple):
        found = (_holder_of_half(item, holder) for item in value)
    return next(filter(None, found), "")


def _is_valid(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _sendable(value: Any, holder: str = "it") -> Any:
    """The value with large integers as extensions and date-times as text.

    `holder` says what holds the value, for messages.
    """
    if isinstance(value, dict):
        return {key: _sendable(item, f"the key {key!r}") for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_sendable(item, holder) for item in value]
    if type(value) is int and not -(1 << 63) <= value < 1 << 64:
        if abs(value) >= _TOO_LARGE:
            raise NotSendableError(f"{holder} holds an integer of more than {MAX_DIGITS:,} digits")
        size = value.bit_length() // 8 + 1
        return Ext(BIG_INTEGER, value.to_bytes(size, "little", signed=True))
    if isinstance(value, datetime.datetime):
        return value.isoformat().replace("+00:00", "Z")
    return value
