"""Values as JSON: dates become ISO text, bytes Base64, and what is endless is refused."""

from __future__ import annotations

import base64
import json
import math
from datetime import date, datetime, time
from typing import Any

import msgspec

from engine.errors import EvaluationError
from engine.expressions.dates import iso_text, utc_text
from engine.expressions.failures import Failure
from engine.expressions.limits import WALK_STEPS, charge, check_text
from engine.expressions.values import Function, kind_of


def json_hook(value: Any) -> Any:
    """For `msgspec.json.encode(x, enc_hook=json_hook)`: what stands for a value of ours."""
    if isinstance(value, datetime):
        return utc_text(value)
    if isinstance(value, date | time):
        return iso_text(value)
    raise EvaluationError(f"{kind_of(value)} cannot be written as JSON")


def to_json(value: Any) -> bytes:
    """Compact JSON in UTF-8; raises EvaluationError for functions and the like."""
    try:
        return msgspec.json.encode(value, enc_hook=json_hook)
    except (RecursionError, UnicodeEncodeError, ValueError, OverflowError) as error:
        raise EvaluationError(f"the value cannot be written as JSON: {error}") from None


def compact_json(value: Any) -> str:
    """As `JSON.stringify(value)`."""
    return json.dumps(_plain(value), ensure_ascii=False, separators=(",", ":"))


def indented_json(value: Any, indent: str) -> str:
    return json.dumps(_plain(value), ensure_ascii=False, indent=indent)


def _plain(value: Any) -> Any:
    """`value` of nothing but what JSON has; as large as the step budget allows."""
    charge(WALK_STEPS)
    cls = value.__class__
    if cls is str:
        check_text(len(value))
        return value
    if cls is dict:
        return {key: _plain(item) for key, item in value.items() if item.__class__ is not Function}
    if cls is list:
        return [_plain(item) for item in value]
    if cls is float:
        return _plain_float(value)
    if cls is bytes:
        return {"_snaptype_binary_base64": base64.b64encode(value).decode()}
    if isinstance(value, date | time):
        return json_hook(value)
    if cls is int or cls is bool or value is None:
        return value
    raise Failure(f"{kind_of(value)} cannot be written as JSON")


def _plain_float(value: float) -> float | int | None:
    if not math.isfinite(value):
        return None
    return int(value) if value.is_integer() and abs(value) < 1e15 else value
