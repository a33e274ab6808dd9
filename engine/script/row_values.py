"""The values of rows on their way to a script."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from math import isfinite
from typing import Any

from msgspec.msgpack import Encoder, Ext

from engine.documents import Document, RawJson
from engine.script.child.encoding import DECIMAL, JSON, wire_form


def _row_form(value: Any) -> Any:
    return Ext(JSON, value.text) if value.__class__ is RawJson else wire_form(value)


encoder = Encoder(decimal_format="number", enc_hook=_row_form)
"""Writes decimals as the nearest floats, and JSON text for the script's process to decode."""


def with_exact_numbers(rows: Iterable[Document]) -> list[Document]:
    """The rows with decimals, and floats as the decimals that they count as, as extensions.

    NaN and Infinity stay floats. Raises RecursionError.
    """
    return [_exact(row) for row in rows]


def _exact(value: Any) -> Any:
    kind = value.__class__
    if kind is dict:
        return {key: _exact(item) for key, item in value.items()}
    if kind is list:
        return [_exact(item) for item in value]
    if kind is Decimal or (kind is float and isfinite(value)):
        return Ext(DECIMAL, str(value).encode())
    return value
