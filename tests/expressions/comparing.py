"""Values in the notation of the vectors, and when two of them count as equal."""

from __future__ import annotations

import base64
import math
from datetime import date, time
from decimal import Decimal
from typing import Any

from engine.expressions import json_hook


def plain(value: Any) -> Any:
    """`value` as the vectors write it in JSON."""
    if isinstance(value, float) and not math.isfinite(value):
        return {"$special": str(value).replace("nan", "NaN").replace("inf", "Infinity")}
    if isinstance(value, bytes):
        return {"_snaptype_binary_base64": base64.b64encode(value).decode()}
    if isinstance(value, date | time):
        return json_hook(value)
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list) else value


def is_same(value: Any, expected: Any) -> bool:
    if isinstance(value, bool) or isinstance(expected, bool):
        return value is expected
    if isinstance(value, int | Decimal | float) and isinstance(expected, int | Decimal | float):
        return value == expected or math.isclose(value, expected, rel_tol=1e-9)
    if isinstance(value, dict) and isinstance(expected, dict):
        return value.keys() == expected.keys() and all(
            is_same(value[key], expected[key]) for key in value
        )
    if isinstance(value, list) and isinstance(expected, list):
        return len(value) == len(expected) and all(map(is_same, value, expected))
    return type(value) is type(expected) and bool(value == expected)
