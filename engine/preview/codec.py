"""Documents as bytes and back, without any change: for files that outlive the process.

MessagePack, as anybody may have written the file: reading it makes nothing but values. What it does
not know is an extension: decimals with their scale, long integers, dates and times.
"""

from __future__ import annotations

from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

import msgspec

from engine.documents import StreamStart
from engine.expressions.dates import DateTime, LocalDate, LocalDateTime, LocalTime, zone

_DECIMAL, _INTEGER, _STREAM, _FIRST_DATE = 1, 2, 3, 10
_DATES: tuple[type[date] | type[time], ...] = (
    datetime,
    DateTime,
    LocalDateTime,
    date,
    LocalDate,
    time,
    LocalTime,
)
_SMALLEST, _LARGEST = -(2**63), 2**64 - 1


def pack(value: Any) -> bytes:
    """The value as bytes. Raises TypeError for what a document cannot hold."""
    return _encoder.encode(_packed(value))


def unpack(data: bytes | msgspec.Raw) -> Any:
    """The value of bytes that `pack` made. Raises ValueError, or an error of msgspec."""
    return _decoder.decode(data)


def _packed(value: Any) -> Any:
    cls = value.__class__
    if cls is dict:
        return {key: _packed(item) for key, item in value.items()}
    if cls is list:
        return [_packed(item) for item in value]
    if cls is int and not _SMALLEST <= value <= _LARGEST:
        return msgspec.msgpack.Ext(_INTEGER, hex(value).encode())
    if isinstance(value, Decimal):
        return msgspec.msgpack.Ext(_DECIMAL, str(value).encode())
    if cls in _DATES:
        return msgspec.msgpack.Ext(_FIRST_DATE + _DATES.index(cls), _date_text(value).encode())
    if cls is StreamStart:
        return msgspec.msgpack.Ext(_STREAM, pack(value.header))
    return value


def _date_text(value: datetime | date | time) -> str:
    """ISO 8601, and for an instant in a named zone its name."""
    zone_name = getattr(getattr(value, "tzinfo", None), "key", "")
    return f"{value.isoformat()} {zone_name}".rstrip()


def _extension(code: int, data: memoryview) -> Any:
    content = bytes(data)
    if code == _STREAM:
        return StreamStart(unpack(content))
    text = content.decode()
    if code == _DECIMAL:
        return Decimal(text)
    if code == _INTEGER:
        return int(text, 16)
    if not 0 <= code - _FIRST_DATE < len(_DATES):
        raise ValueError(f"there is no extension {code}")
    iso, _, zone_name = text.partition(" ")
    value: Any = _DATES[code - _FIRST_DATE].fromisoformat(iso)
    return _in_zone(value, zone_name) if zone_name else value


def _in_zone(value: datetime, name: str) -> datetime:
    """The same time of day in a named zone; of two hours with the same name, the right one."""
    moved = value.replace(tzinfo=zone(name))
    return moved if moved.utcoffset() == value.utcoffset() else moved.replace(fold=1)


_encoder = msgspec.msgpack.Encoder()
_decoder: msgspec.msgpack.Decoder[Any] = msgspec.msgpack.Decoder(ext_hook=_extension)
