"""`sl`: SnapLogic's own helper functions."""

from __future__ import annotations

import itertools
import math
import socket
from typing import Any

from engine.expressions.failures import Failure
from engine.expressions.functions.declare import Example, Family
from engine.expressions.functions.objects import zip_object
from engine.expressions.kinds import NumberLike, TextLike
from engine.expressions.limits import MAX_ELEMENTS, charge, check_elements
from engine.expressions.operators import add, divide, multiply, subtract
from engine.expressions.values import kind_of, number_text, scalar_text, to_number

_SHORT = 10_000
SL = Family("sl", "Helpers for arrays and more.", namespace="sl")


@SL.function(
    "ensureArray",
    "The array itself, or an array of the one value.",
    Example("sl.ensureArray([1, 2])", [1, 2]),
    Example("sl.ensureArray('a')", ["a"]),
)
def ensure_array(value: Any) -> list[Any]:
    return value if value.__class__ is list else [value]


@SL.function(
    "range",
    "The numbers from start (default 0) up to but excluding stop, by step (default 1).",
    Example("sl.range(5)", [0, 1, 2, 3, 4]),
    Example("sl.range(1, 6)", [1, 2, 3, 4, 5]),
    Example("sl.range(0, 10, 2)", [0, 2, 4, 6, 8]),
)
def range_(start: NumberLike, stop: NumberLike = None, step: NumberLike = 1) -> list[Any]:
    if start.__class__ is int and stop is None and step == 1 and start <= _SHORT:
        charge(start * 2 if start > 0 else 0)
        return list(range(start))
    first, last = (0, to_number(start)) if stop is None else (to_number(start), to_number(stop))
    by = to_number(step)
    if not all(map(math.isfinite, map(_float, (first, last, by)))):
        raise Failure("start, stop and step must be numbers")
    if by == 0:
        raise Failure("the step must not be 0")
    count = max(0, math.ceil(divide(subtract(last, first), by)))
    if count > MAX_ELEMENTS:
        message = f"the range would have {number_text(count)} elements (limit {MAX_ELEMENTS:,})"
        raise Failure(message)
    charge(count * 2)
    if all(number.__class__ is int for number in (first, last, by)):
        return list(range(int(first), int(last), int(by)))
    return [add(first, multiply(index, by)) for index in range(count)]


def _float(number: Any) -> float:
    try:
        return float(number)
    except OverflowError:
        return math.inf


def _arrays(values: tuple[Any, ...]) -> None:
    for value in values:
        if value.__class__ is not list:
            raise Failure(f"expected an array, got {kind_of(value)}")


@SL.function(
    "zip",
    "Arrays combined element by element, as long as the shortest.",
    Example("sl.zip([1, 2], ['a', 'b'])", [[1, "a"], [2, "b"]]),
)
def zip_(*arrays: Any) -> list[list[Any]]:
    _arrays(arrays)
    check_elements(sum(map(len, arrays)))
    return [list(items) for items in zip(*arrays, strict=False)]


@SL.function(
    "zipObject",
    "An object from an array of names and one of values.",
    Example("sl.zipObject(['a', 'b'], [1, 2])", {"a": 1, "b": 2}),
)
def zip_to_object(names: Any, values: Any) -> dict[str, Any]:
    _arrays((names, values))
    check_elements(len(names))
    return zip_object(names, values)


@SL.function(
    "gethostbyname",
    "The addresses of a host, as objects with address, family and hostname.",
    Example("sl.gethostbyname('127.0.0.1')[0].family", "ipv4"),
)
def gethostbyname(host: TextLike) -> list[dict[str, str]]:
    name = scalar_text(host, "the name of a host")
    try:
        found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError, ValueError):
        raise Failure(f"the host `{name[:100]}` is not known") from None
    families = {socket.AF_INET: "ipv4", socket.AF_INET6: "ipv6"}
    return [
        {"address": str(address[0]), "family": families[family], "hostname": name}
        for family, _, _, _, address in itertools.islice(found, 100)
        if family in families
    ]
