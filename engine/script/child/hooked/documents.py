"""Documents as scripts for Java know them: maps, lists and decimals with the methods of both."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from .java_math import BigDecimal
from .java_types import JavaObject
from .java_util import ArrayList, HashSet, LinkedHashMap

_SCALARS = frozenset((str, int, float, bool, type(None)))


def java_value(value: Any) -> Any:
    """A value of a row with the methods of Java's classes."""
    kind = type(value)
    if kind in _SCALARS:
        return value
    if kind is dict:
        made = LinkedHashMap(value)
        for key, item in value.items():
            if type(item) not in _SCALARS:
                made[key] = java_value(item)
        return made
    if kind is list:
        return ArrayList(map(java_value, value))
    return BigDecimal(value) if kind is Decimal else value


def plain_copy(value: Any) -> Any:
    """A copy in maps, lists and plain values; what cannot be converted stays as it is."""
    if type(value) in _SCALARS:
        return value
    if isinstance(value, HashSet):  # it is a map of Python's
        return [plain_copy(item) for item in value]
    if isinstance(value, Mapping):
        return {key: plain_copy(value[key]) for key in value}
    if isinstance(value, list | tuple | set | frozenset | range):
        return [plain_copy(item) for item in value]
    if isinstance(value, Decimal):
        return Decimal(value)
    if isinstance(value, JavaObject | datetime.tzinfo):
        return str(value)
    if isinstance(value, Iterable) and not isinstance(value, str | bytes | bytearray | memoryview):
        return [plain_copy(item) for item in value]
    return value
