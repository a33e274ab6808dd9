"""The kinds of values, as functions declare them and as they follow from an expression alone."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from engine.expressions.dates import DateTime, LocalDate, LocalDateTime, LocalTime

Kind = Literal[
    "any",
    "array",
    "binary",
    "boolean",
    "date",
    "function",
    "local date",
    "local date-time",
    "local time",
    "null",
    "number",
    "object",
    "string",
]

TextLike = Any
NumberLike = Any
DateLike = Any
Callback = Any
RegexLike = Any
Same = Any
"""Annotations of functions: `TextLike` is converted to a string, and so on; a method that returns
`Same` returns the kind of its receiver."""

SAME: Literal["same"] = "same"
_OF_ANNOTATIONS: dict[str, Kind] = {
    "Callback": "function",
    "DateLike": "date",
    "DateTime": "date",
    "LocalDate": "local date",
    "LocalDateTime": "local date-time",
    "LocalTime": "local time",
    "Number": "number",
    "NumberLike": "number",
    "RegexLike": "string",
    "TextLike": "string",
    "bool": "boolean",
    "bytes": "binary",
    "dict": "object",
    "float": "number",
    "int": "number",
    "list": "array",
    "str": "string",
}
RECEIVERS: dict[Kind, type] = {
    "array": list,
    "binary": bytes,
    "boolean": bool,
    "date": DateTime,
    "local date": LocalDate,
    "local date-time": LocalDateTime,
    "local time": LocalTime,
    "number": int,
    "string": str,
}
"""A class of each kind whose methods are known; an object may hold functions of its own."""


class Inferred(msgspec.Struct, frozen=True):
    """The kind of a value. It is certain if the value cannot be null or anything else, whatever
    the document holds."""

    kind: Kind
    is_certain: bool = False


UNKNOWN = Inferred("any")


def certain(kind: Kind) -> Inferred:
    return Inferred(kind, True)


def kind_of_annotation(annotation: object) -> Kind:
    """The kind that an annotation of a Python signature, such as `list[Any]`, stands for."""
    name = annotation if isinstance(annotation, str) else getattr(annotation, "__name__", "")
    return _OF_ANNOTATIONS.get(name.partition("[")[0] if "|" not in name else "", "any")


def in_words(kind: Kind) -> str:
    """`a string`, `an array`, `binary data`, as in the messages of failures."""
    if kind in ("binary", "null"):
        return {"binary": "binary data", "null": "null"}[kind]
    if kind.startswith("local") or kind == "date":
        return "a date"
    return f"{'an' if kind[0] in 'ao' else 'a'} {kind}"


def returned(result: Kind | Literal["same"], receiver: Inferred) -> Inferred:
    """What a function declared with this `result` returns, called on a receiver that it accepts."""
    kind = receiver.kind if result == "same" else result
    return Inferred(kind, receiver.is_certain and kind != "any")


def both(left: Inferred, right: Inferred) -> Inferred:
    """The kind of a value that is one of two."""
    if left.kind != right.kind:
        return UNKNOWN
    return Inferred(left.kind, left.is_certain and right.is_certain)
