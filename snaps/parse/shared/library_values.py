"""Values of libraries (Avro, Parquet) as documents hold them."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from math import isfinite
from typing import Any
from uuid import UUID

from engine.sdk import Value


def document_value(value: Any) -> Value:
    """Floats become their shortest decimals, identifiers and durations text; NaN becomes null."""
    if value.__class__ is float:
        return Decimal(repr(value)) if isfinite(value) else None
    if isinstance(value, dict):
        return {str(key): document_value(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [document_value(item) for item in value]
    if isinstance(value, UUID | timedelta):
        return str(value)
    return value
