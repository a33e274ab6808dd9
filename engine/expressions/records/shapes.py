"""Patterns of lines that may be passed on as they are.

A line may, if decoding and encoding it again would give the same bytes: no spaces, no escapes, no
key twice, numbers as they are written. A pattern made from one line recognises the lines with the
same keys in the same order for which that is so. It does not recognise invalid JSON: its caller has
decoded the lines.
"""

from __future__ import annotations

import re
from typing import Any

_STRING = rb'"[^"]*"'
_ZERO = rb"(?:\.(?!000000)[0-9]{1,4000}+)"  # 0.0000001 is written with an exponent
_DIGITS = rb"[1-9][0-9.]{0,4000}+"  # a number beyond the bounds is an error
_NUMBER = rb"%b|0%b?+|-(?:%b|0%b)" % (_DIGITS, _ZERO, _DIGITS, _ZERO)
_OTHER = rb"true|false|null"
_ORDERS = {
    str: (_STRING, _NUMBER, _OTHER),
    bool: (_OTHER, _STRING, _NUMBER),
    type(None): (_OTHER, _STRING, _NUMBER),
}
_NUMBER_FIRST = (_NUMBER, _STRING, _OTHER)
_MAX_KEYS = 1000
_MAX_ELEMENT = 5000
_SAMPLED_ELEMENTS = 5


class UnknownShapeError(Exception):
    """A document whose lines cannot be recognised."""


class LineShape:
    """The lines with the keys of a sample. Raises UnknownShapeError."""

    def __init__(self, sample: dict[str, Any]) -> None:
        self._matches = re.compile(rb"(?:%b\n)*+" % _pattern(sample, [_MAX_KEYS])).fullmatch

    def covers(self, lines: bytes) -> bool:
        """Whether all of the lines may be passed on as they are; each ends in a newline."""
        return b"\\" not in lines and self._matches(lines) is not None


def _pattern(value: Any, keys_left: list[int]) -> bytes:
    if value.__class__ is dict:
        keys_left[0] -= len(value)
        if keys_left[0] < 0:
            raise UnknownShapeError
        members = [
            b'"%b":%b' % (_key(key), _pattern(item, keys_left)) for key, item in value.items()
        ]
        return rb"\{%b\}" % b",".join(members)
    if value.__class__ is list:
        element = _element(value, keys_left)
        if len(element) > _MAX_ELEMENT:  # it is there twice, so it would grow with every level
            raise UnknownShapeError
        return rb"\[(?:%b(?:,%b)*+)?+\]" % (element, element)
    return rb"(?:%b)" % b"|".join(_ORDERS.get(value.__class__, _NUMBER_FIRST))


def _element(items: list[Any], keys_left: list[int]) -> bytes:
    """The pattern of the elements of an array: they must be alike."""
    patterns = {_pattern(item, keys_left) for item in items[:_SAMPLED_ELEMENTS]}
    structured = [pattern for pattern in patterns if pattern[:1] == b"\\"]
    if structured and len(patterns) > 1:
        raise UnknownShapeError
    return patterns.pop() if patterns else rb"(?:%b)" % b"|".join(_NUMBER_FIRST)


def _key(key: str) -> bytes:
    if not key.isprintable() or '"' in key or "\\" in key:
        raise UnknownShapeError
    return re.escape(key.encode())
