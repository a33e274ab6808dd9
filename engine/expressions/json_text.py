"""Values as JSON: dates become ISO text, bytes Base64; NaN and infinity are refused."""

from __future__ import annotations

import base64
import math
from collections.abc import Callable, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

import msgspec

from engine.documents import RawJson
from engine.errors import EvaluationError
from engine.expressions.dates import iso_text, utc_text
from engine.expressions.decimals import scaled_text
from engine.expressions.failures import Failure
from engine.expressions.limits import WALK_STEPS, charge, check_text
from engine.expressions.values import Function, kind_of, number_text
from engine.late_regex import late_regex

_HALF = late_regex("[\ud800-\udfff]")


def json_hook(value: Any) -> Any:
    """For `msgspec.json.encode(x, enc_hook=json_hook)`: the replacement for one of our values."""
    if value.__class__ is RawJson:
        return msgspec.Raw(value.text) if value.canonical else value.value()
    if isinstance(value, datetime):
        return utc_text(value)
    if isinstance(value, date | time):
        return iso_text(value)
    raise EvaluationError(f"{kind_of(value)} cannot be written as JSON")


_ENCODER = msgspec.json.Encoder(enc_hook=json_hook, decimal_format="number")


def to_json(value: Any) -> bytes:
    """Compact JSON in UTF-8; raises EvaluationError for functions and other non-JSON values."""
    try:
        return _ENCODER.encode(value)
    except UnicodeEncodeError:
        message = "the value cannot be written as JSON: it holds half of a surrogate pair"
        raise EvaluationError(message) from None
    except (RecursionError, ValueError, OverflowError) as error:
        raise EvaluationError(f"the value cannot be written as JSON: {error}") from None


class JsonWriter:
    """Writes a value as `JSON.stringify` does, within the step budget.

    `replacer` returns what to write for a key and a value. `names`, if given, are the only
    properties written, in that order. `indent` begins each line, once for each level.
    """

    def __init__(
        self,
        indent: str = "",
        names: Sequence[str] | None = None,
        replacer: Callable[[str, Any], Any] | None = None,
    ) -> None:
        self._indent = indent
        self._names = names
        self._replacer = replacer
        self._colon = ": " if indent else ":"

    def text(self, value: Any) -> str:
        if self._replacer is not None:
            value = self._replacer("", value)
        text = self._value(value, "\n")
        check_text(len(text))
        return text

    def _value(self, value: Any, line: str) -> str:
        charge(WALK_STEPS)
        cls = value.__class__
        if cls is str:
            return json_string(value)
        if cls is dict:
            return self._object(value, line)
        if cls is list:
            return self._array(value, line)
        if cls is Decimal:
            return scaled_text(value)  # what is parsed again is the same to the last zero
        if cls is int or cls is float:
            return number_text(value) if cls is int or math.isfinite(value) else "null"
        if value is None or cls is bool:
            return "null" if value is None else ("true" if value else "false")
        if cls is bytes:
            return self._object({"_snaptype_binary_base64": base64.b64encode(value).decode()}, line)
        if isinstance(value, date | time):
            return json_string(json_hook(value))
        raise Failure(f"{kind_of(value)} cannot be written as JSON")

    def _object(self, entries: dict[str, Any], line: str) -> str:
        names = entries if self._names is None else (n for n in self._names if n in entries)
        inner = line + self._indent
        written: list[str] = []
        for name in names:
            value = entries[name]
            if self._replacer is not None:
                value = self._replacer(name, value)
            if value.__class__ is not Function:
                written.append(f"{json_string(name)}{self._colon}{self._value(value, inner)}")
        return self._between("{", written, "}", line)

    def _array(self, items: list[Any], line: str) -> str:
        inner = line + self._indent
        written: list[str] = []
        for place, value in enumerate(items):
            if self._replacer is not None:
                value = self._replacer(str(place), value)
            is_function = value.__class__ is Function
            written.append("null" if is_function else self._value(value, inner))
        return self._between("[", written, "]", line)

    def _between(self, opening: str, written: list[str], closing: str, line: str) -> str:
        check_text(sum(map(len, written)))
        if not self._indent or not written:
            return opening + ",".join(written) + closing
        inner = line + self._indent
        return opening + inner + f",{inner}".join(written) + line + closing


_COMPACT = JsonWriter()


def compact_json(value: Any) -> str:
    """The same as `JSON.stringify(value)`."""
    return _COMPACT.text(value)


def json_string(text: str) -> str:
    """The string in quotes; a lone half of a surrogate pair is escaped."""
    try:
        return _ENCODER.encode(text).decode()
    except UnicodeEncodeError:
        from json.encoder import encode_basestring  # few strings have such a half

        return _HALF.sub(lambda h: f"\\u{ord(h[0]):04x}", encode_basestring(text))
