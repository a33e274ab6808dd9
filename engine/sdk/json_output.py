"""Writing documents as JSON: one rule for files, requests, responses and standard output.

NaN, Infinity, halves of surrogate pairs, functions and values that are nested too deeply are errors
that name the field: nothing is replaced.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from math import isfinite
from typing import Any

import msgspec

from engine.documents import Value
from engine.errors import DataError
from engine.expressions import json_hook
from engine.late_regex import late_regex
from engine.numbers import MAX_DIGITS, is_finite, is_too_long
from engine.sdk.json_nulls import Nulls

_ENCODER = msgspec.json.Encoder(enc_hook=json_hook, decimal_format="number")
_NULLS = Nulls()
_REFUSALS = (TypeError, ValueError, OverflowError, RecursionError, NotImplementedError, DataError)
_KEY = late_regex(rb'^( *"(?:[^"\\]|\\.)*"): ', re.MULTILINE)
_EMPTY = late_regex(rb"(?:\{\}|\[\])(?=,?$)", re.MULTILINE)
_SPACED = {b"{}": b"{ }", b"[]": b"[ ]"}
_TOO_DEEP = "it is nested too deeply"

CHANGE_IT_FIRST = "change the value first, for example with a Mapper"
_IS_NAN = " is NaN, which JSON cannot represent"
_REPLACE_NAN = (
    "text that is not a number becomes NaN; replace it in a Mapper, as in isNaN($n) ? null : $n"
)
"""What to do about a value that cannot be written."""


def to_json(value: Value, what: str = "the document", *, pretty: bool = False) -> bytes:
    """The value as JSON in UTF-8, without a newline at the end.

    Raises DataError, which calls the value `what` and names the field that JSON cannot represent.
    """
    try:
        text = _ENCODER.encode(value)
        is_exact = b"null" not in text or is_finite(value)
    except _REFUSALS:
        is_exact = False
    if not is_exact:
        raise _refusal(value, what)
    return prettified(text) if pretty else text


def to_json_lines(values: Sequence[Value]) -> bytes | None:
    """Each value as JSON followed by a newline; None if `to_json` refuses one of them."""
    try:
        lines = _ENCODER.encode_lines(values)
        return lines if _NULLS.are_all(values, lines) else None
    except _REFUSALS:
        return None


def prettified(text: bytes) -> bytes:
    """Indented JSON as on the platform: two spaces per level, `"key" : value`, and
    every element of an array on a line of its own (reference, JSON text)."""
    spread = _KEY.sub(rb"\1 : ", msgspec.json.format(text, indent=2))
    return _EMPTY.sub(lambda found: _SPACED[found[0]], spread)


def unwritable_part(value: Value) -> str:
    """The first part of the value that JSON cannot represent, and why; empty if there is none."""
    try:
        return next(_unwritable_parts(value, "$"), "")
    except RecursionError:
        return _TOO_DEEP


def _refusal(value: Value, what: str) -> DataError:
    reason = unwritable_part(value) or _TOO_DEEP
    resolution = _REPLACE_NAN if reason.endswith(_IS_NAN) else CHANGE_IT_FIRST
    return DataError(f"cannot write {what} as JSON", reason, resolution)


def _unwritable_parts(value: Value, path: str) -> Iterator[str]:
    """The parts of the value that cannot be written, each with its path."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _refused({key: None}, f"the key {key!r} of {path}")
            yield from _unwritable_parts(item, f"{path}.{key}")
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from _unwritable_parts(item, f"{path}[{index}]")
    elif isinstance(value, float) and not isfinite(value):
        name = "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"
        yield f"{path} is {name}, which JSON cannot represent"
    elif isinstance(value, int) and is_too_long(value):
        yield f"{path} is an integer of more than {MAX_DIGITS:,} digits"
    else:
        yield from _refused(value, path)


def _refused(value: Any, path: str) -> Iterable[str]:
    try:
        _ENCODER.encode(value)
    except UnicodeEncodeError as error:
        yield f"{path} holds half of a surrogate pair at character {error.start}"
    except _REFUSALS as error:
        yield f"{path}: {error}"
