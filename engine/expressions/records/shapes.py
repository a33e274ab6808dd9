"""Patterns of lines that may be passed on as they are.

A line may, if decoding and encoding it again would give the same bytes: no spaces, no escapes, no
key twice, numbers as they are written. A pattern made from one line recognises the lines with the
same keys in the same order for which that is so. It does not recognise invalid JSON: its caller has
decoded the lines.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from typing import Any

Scalar = Callable[[Any], bytes]
"""The pattern for a string, number, boolean or null of the sample."""

_STRING = rb'"[^"]*+"'
_ZERO = rb"(?:\.(?!000000)[0-9]{1,4000}+)"  # 0.0000001 is written with an exponent
_DIGITS = rb"[1-9][0-9.]{0,4000}+"  # a number beyond the bounds is an error
_NUMBER = rb"%b|0%b?+|-(?:%b|0%b)" % (_DIGITS, _ZERO, _DIGITS, _ZERO)
_INTEGER = rb"[0-9]{1,4000}+"
_SHORT = 8
_SHORT_NUMBER = rb"[0-9.]{1,%d}+" % _SHORT  # longer than that is 0.0000001
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


def _any(value: Any) -> bytes:
    """A string, a number, true, false or null, whatever the value is."""
    return rb"(?:%b)" % b"|".join(_ORDERS.get(value.__class__, _NUMBER_FIRST))


def _alike(value: Any) -> bytes:
    """A value of the same kind, which is faster to recognise."""
    if value.__class__ is str:
        return _STRING
    if value.__class__ is bool:
        return rb"(?:true|false)"
    if value is None or value < 0:
        return _any(value)
    if value.__class__ is int:
        return _INTEGER
    return _SHORT_NUMBER if len(str(value)) <= _SHORT else rb"(?:%b)" % _NUMBER


class LineShape:
    """The lines with the keys of a sample. Raises UnknownShapeError.

    As long as all lines have values of the same kinds as well, it recognises them faster.
    """

    def __init__(self, sample: dict[str, Any]) -> None:
        self._sample = sample
        self._are_alike = True
        self._matches = _matcher(sample, _alike)

    def covers(self, lines: bytes) -> bool:
        """Whether all of the lines may be passed on as they are; each ends in a newline."""
        if b"\\" in lines:
            return False
        if self._are_alike:
            if self._matches(lines) is not None:
                return True
            self._are_alike = False
            with suppress(UnknownShapeError):  # it may be too long
                self._matches = _matcher(self._sample, _any)
        return self._matches(lines) is not None


def _matcher(sample: dict[str, Any], scalar: Scalar) -> Callable[[bytes], Any]:
    return re.compile(rb"(?:%b\n)*+" % _pattern(sample, scalar, [_MAX_KEYS])).fullmatch


def _pattern(value: Any, scalar: Scalar, keys_left: list[int]) -> bytes:
    if value.__class__ is dict:
        keys_left[0] -= len(value)
        if keys_left[0] < 0:
            raise UnknownShapeError
        members = [
            b'"%b":%b' % (_key(key), _pattern(item, scalar, keys_left))
            for key, item in value.items()
        ]
        return rb"\{%b\}" % b",".join(members)
    if value.__class__ is list:
        element = _element(value, scalar, keys_left)
        if len(element) > _MAX_ELEMENT:  # it is there twice, so it would grow with every level
            raise UnknownShapeError
        return rb"\[(?:%b(?:,%b)*+)?+\]" % (element, element)
    return scalar(value)


def _element(items: list[Any], scalar: Scalar, keys_left: list[int]) -> bytes:
    """The pattern of the elements of an array: they must be alike."""
    patterns = {_pattern(item, scalar, keys_left) for item in items[:_SAMPLED_ELEMENTS]}
    structured = [pattern for pattern in patterns if pattern[:1] == b"\\"]
    if structured and len(patterns) > 1:
        raise UnknownShapeError
    return patterns.pop() if len(patterns) == 1 else _any(0)


def _key(key: str) -> bytes:
    if not key.isprintable() or '"' in key or "\\" in key:
        raise UnknownShapeError
    return re.escape(key.encode())
