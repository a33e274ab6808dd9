"""The values of rows on their way to a script."""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal
from math import isfinite
from typing import Any

from msgspec.msgpack import Encoder, Ext

from engine.documents import Document, RawJson
from engine.late_regex import late_regex
from engine.script.child.encoding import DECIMAL, JSON, wire_form

_UNCHANGED = frozenset({str, int, bool, type(None)})
_FLOAT = b"\xcb"
_NOT_FINITE = (
    late_regex(rb"\x7f(?<=\xcb.)[\xf0-\xff]", re.DOTALL),
    late_regex(rb"\xff(?<=\xcb.)[\xf0-\xff]", re.DOTALL),
)
"""How NaN and infinity begin in MessagePack: the mark of a float, its sign, an exponent of ones.

Each expression begins with one byte, for which Python searches fastest. The mark would do as well,
but lists of floats are full of it."""


def _row_form(value: Any) -> Any:
    return Ext(JSON, value.text) if value.__class__ is RawJson else wire_form(value)


encoder = Encoder(decimal_format="number", enc_hook=_row_form)
"""Writes decimals as the nearest floats, and JSON text for the script's process to decode."""


def may_not_be_finite(frame: bytearray) -> bool:
    """Whether NaN or infinity may occur in an encoded frame. Other data may look like them."""
    return _FLOAT in frame and any(pattern.search(frame) for pattern in _NOT_FINITE)


def with_exact_numbers(rows: Iterable[Document]) -> list[Document]:
    """The rows with decimals, and floats as the decimals that they count as, as extensions.

    NaN and Infinity stay floats. Raises RecursionError.
    """
    return [_exact(row) for row in rows]


def _exact(value: Any) -> Any:
    kind = value.__class__
    if kind is Decimal or (kind is float and isfinite(value)):
        return Ext(DECIMAL, str(value).encode())
    if kind is dict:
        return {
            key: item if item.__class__ in _UNCHANGED else _exact(item)
            for key, item in value.items()
        }
    if kind is list:
        return [item if item.__class__ in _UNCHANGED else _exact(item) for item in value]
    return value
