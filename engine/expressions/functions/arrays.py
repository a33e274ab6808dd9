"""Arrays, as in JavaScript. Methods that change the array say so."""

from __future__ import annotations

import functools
from collections.abc import Callable
from decimal import Decimal, getcontext
from itertools import islice
from typing import Any

from engine.expressions.callables import arguments_for, as_function, each
from engine.expressions.decimals import EXACT
from engine.expressions.failures import Failure
from engine.expressions.functions.declare import Example, Family
from engine.expressions.kinds import Callback, NumberLike, TextLike
from engine.expressions.limits import CALL_STEPS, charge, check_elements, check_integer, check_text
from engine.expressions.operators import add, equal
from engine.expressions.utf16 import join as utf16_joined
from engine.expressions.utf16 import joined, units
from engine.expressions.values import (
    Function,
    comma_text,
    kind_of,
    scalar_text,
    to_integer,
    to_number,
    truthy,
)

_SHORT = 10_000
ARRAYS = Family("Array", "Methods of arrays; positions count from 0.", receivers=(list,))


def _position(value: Any, length: int) -> int:
    position = to_integer(value)
    return max(0, length + position) if position < 0 else min(position, length)


@ARRAYS.method(
    "map",
    "A new array of the function's results for (element, index, array).",
    Example("[1, 2, 3].map(x => x * 2)", [2, 4, 6]),
    Example("['a', 'b'].map((x, i) => x + i)", ["a0", "b1"]),
)
def map_(items: list[Any], function: Callback) -> list[Any]:
    return list(each(function, items))


@ARRAYS.method(
    "filter",
    "A new array of the elements for which the function of (element, index, array) is true.",
    Example("[1, 6, 9].filter(x => x > 5)", [6, 9]),
    Example("['a', 'b', 'a'].filter((x, i, all) => all.indexOf(x) == i)", ["a", "b"]),
)
def filter_(items: list[Any], function: Callback) -> list[Any]:
    kept = zip(tuple(items), each(function, items), strict=False)
    return [item for item, keep in kept if keep is True or truthy(keep)]


@ARRAYS.method(
    "find",
    "The first element for which the function is true, or null.",
    Example("[1, 6, 5, 9].find(x => x > 5)", 6),
)
def find(items: list[Any], function: Callback) -> Any:
    for item, wanted in zip(tuple(items), each(function, items), strict=False):
        if truthy(wanted):
            return item
    return None


@ARRAYS.method(
    "findIndex",
    "The position of the first element for which the function is true, or -1.",
    Example("[1, 6, 5].findIndex(x => x > 5)", 1),
)
def find_index(items: list[Any], function: Callback) -> int:
    for index, wanted in enumerate(each(function, items)):
        if truthy(wanted):
            return index
    return -1


@ARRAYS.method(
    "reduce",
    "One value, accumulated by a function of (accumulated, element, index, array).",
    Example("[1, 2, 3].reduce((sum, x) => sum + x)", 6),
    Example("[[1], [2, 3]].reduce((all, x) => all.concat(x), [])", [1, 2, 3]),
)
def reduce(items: list[Any], function: Callback, *initial: Any) -> Any:
    return _gathered(items, function, list(enumerate(items)), initial)


@ARRAYS.method(
    "reduceRight",
    "Like reduce, from the last element to the first.",
    Example("['a', 'b', 'c'].reduceRight((text, x) => text + x, '')", "cba"),
)
def reduce_right(items: list[Any], function: Callback, *initial: Any) -> Any:
    return _gathered(items, function, list(enumerate(items))[::-1], initial)


def _gathered(items: list[Any], function: Any, pairs: list[Any], initial: tuple[Any, ...]) -> Any:
    callback = as_function(function, "(sum, x) => sum + x")
    if len(initial) > 1:
        raise Failure("reduce takes a function and one initial value")
    if not pairs and not initial:
        hint = "pass an initial value: reduce((sum, x) => sum + x, 0)"
        raise Failure("an empty array cannot be reduced without an initial value", hint)
    gathered = initial[0] if initial else pairs.pop(0)[1]
    charge(CALL_STEPS * len(pairs))
    call = callback.call
    if callback.count == 2:
        for _, item in pairs:
            gathered = call(gathered, item)
        return gathered
    for index, item in pairs:
        gathered = call(*arguments_for(callback, (gathered, item, index, items)))
    return gathered


# --- positions ---


@ARRAYS.method(
    "indexOf",
    "The position of the first equal element, or -1.",
    Example("['a', 'b'].indexOf('b')", 1),
)
def index_of(items: list[Any], value: Any, start: NumberLike = 0) -> int:
    charge(len(items) // 16 + 1)
    first = _position(start, len(items)) if start != 0 else 0
    kind = value.__class__
    is_plain = kind is str or kind is int or kind is Decimal
    for index, item in enumerate(islice(items, first, None) if first else items, first):
        if item == value if is_plain and item.__class__ is kind else equal(item, value):
            return index
    return -1


@ARRAYS.method(
    "lastIndexOf",
    "The position of the last equal element, or -1.",
    Example("[1, 2, 1].lastIndexOf(1)", 2),
)
def last_index_of(items: list[Any], value: Any, start: NumberLike = None) -> int:
    charge(len(items) // 16 + 1)
    last = len(items) - 1 if start is None else to_integer(start)
    last = len(items) + last if last < 0 else min(last, len(items) - 1)
    for index in range(last, -1, -1):
        if equal(items[index], value):
            return index
    return -1


# --- new arrays and strings ---


@ARRAYS.method(
    "concat",
    "A new array with further values appended; arrays among them contribute their elements.",
    Example("[1, 2].concat([3, 4], 5)", [1, 2, 3, 4, 5]),
)
def concat(items: list[Any], *others: Any) -> list[Any]:
    lists = [other if other.__class__ is list else [other] for other in others]
    check_elements(len(items) + sum(map(len, lists)))
    return [*items, *(item for one in lists for item in one)]


@ARRAYS.method(
    "slice",
    "A new array of the elements from a position up to another; negative ones count from the end.",
    Example("[1, 2, 3, 4].slice(1, 3)", [2, 3]),
    Example("[1, 2, 3].slice(-2)", [2, 3]),
)
def slice_(items: list[Any], start: NumberLike = 0, end: NumberLike = None) -> list[Any]:
    check_elements(len(items))
    last = len(items) if end is None else _position(end, len(items))
    return items[_position(start, len(items)) : last]


@ARRAYS.method(
    "join",
    "The elements as strings, joined by a separator.",
    Example("[1, 2].join(' ')", "1 2"),
)
def join(items: list[Any], separator: TextLike = ",") -> str:
    charge(len(items))
    between = "," if separator is None else scalar_text(separator, "a separator")
    try:
        text = between.join(items)
    except TypeError:  # not all of them are strings
        texts = [item if item.__class__ is str else comma_text(item) for item in items]
        check_text(sum(map(len, texts)) + len(between) * len(texts))
        return utf16_joined(texts, between)
    check_text(len(text))
    return joined(text)


def join_plainly(items: list[Any], between: str) -> str:
    """The same with a separator of ASCII characters, at which no halves of a character meet."""
    try:
        text = between.join(items)
    except TypeError:
        return join(items, between)
    if len(text) > _SHORT:
        check_text(len(text))
    return text


@ARRAYS.method(
    "toString", "The elements joined by commas.", Example("[1, 2, 3].toString()", "1,2,3")
)
def to_string(items: list[Any]) -> str:
    return comma_text(items)


@ARRAYS.method(
    "sum",
    "The sum of the elements, or of the function's results for them.",
    Example("[1, 2, 3].sum()", 6),
    Example("[{n: 1}, {n: 2}].sum(x => x.n)", 3),
)
def sum_(items: list[Any], function: Callback = None) -> Any:
    values = items if function is None else list(each(function, items))
    try:
        total = sum(values)
    except (TypeError, ArithmeticError):  # not all of them are numbers
        total = None
    if total.__class__ is int:  # all of them are integers or booleans
        return check_integer(total)
    if total.__class__ is Decimal and getcontext() is EXACT:  # none of them is a float
        return total
    return functools.reduce(lambda total, value: add(total, to_number(value)), values, 0)


# --- changes in place ---


@ARRAYS.method(
    "push",
    "Adds values at the end of the array; returns its new length.",
    Example("[1].push(2, 3)", 3),
    mutates=True,
)
def push(items: list[Any], *values: Any) -> int:
    check_elements(len(items) + len(values))
    items.extend(values)
    return len(items)


@ARRAYS.method(
    "pop", "Removes the last element and returns it.", Example("[1, 2].pop()", 2), mutates=True
)
def pop(items: list[Any]) -> Any:
    return items.pop() if items else None


@ARRAYS.method(
    "shift", "Removes the first element and returns it.", Example("[1, 2].shift()", 1), mutates=True
)
def shift(items: list[Any]) -> Any:
    return items.pop(0) if items else None


@ARRAYS.method(
    "unshift",
    "Adds values at the start of the array; returns its new length.",
    Example("[2, 3].unshift(1)", 3),
    mutates=True,
)
def unshift(items: list[Any], *values: Any) -> int:
    check_elements(len(items) + len(values))
    items[:0] = values
    return len(items)


@ARRAYS.method(
    "splice",
    "Removes elements from a position on and inserts others there; returns those removed.",
    Example("[1, 2, 3].splice(1, 1)", [2]),
    Example("[1, 2, 3].splice(1)", [2, 3]),
    mutates=True,
)
def splice(
    items: list[Any], start: NumberLike, count: NumberLike = None, *values: Any
) -> list[Any]:
    check_elements(len(items) + len(values))
    first = _position(start, len(items))
    most = len(items) - first
    number = most if count is None else max(0, min(to_integer(count), most))
    taken_out = items[first : first + number]
    items[first : first + number] = values
    return taken_out


@ARRAYS.method(
    "reverse",
    "Reverses the array in place.",
    Example("[1, 2, 3].reverse()", [3, 2, 1]),
    mutates=True,
)
def reverse(items: list[Any]) -> list[Any]:
    check_elements(len(items))
    items.reverse()
    return items


@ARRAYS.method(
    "sort",
    "Sorts the array: by the strings of the elements, or by a function of (a, b) that returns a "
    "negative number if a comes first.",
    Example("[10, 9, 1].sort()", [1, 10, 9]),
    Example("[3, 1, 2].sort((a, b) => a - b)", [1, 2, 3]),
    mutates=True,
)
def sort(items: list[Any], function: Callback = None) -> list[Any]:
    charge(len(items) * 4)
    if function is None:
        if _are_ascii(items):
            items.sort()
        else:
            items[:] = sorted(items, key=_sort_text)
        return items
    items[:] = sorted(items, key=functools.cmp_to_key(_comparator(function)))
    return items


def sort_by_number(
    items: list[Any], key: Callable[[Any], Any] | None, descending: bool
) -> list[Any]:
    """Sorts by `a - b`, or `b - a`, of the keys; a Failure unless all of them are exact numbers."""
    charge(len(items) * 4)
    keys = items if key is None else list(map(key, items))
    if sum(keys).__class__ not in (int, Decimal):  # floats among them, or other values
        raise Failure("only numbers can be sorted by their difference")
    if key is None:
        items.sort(reverse=descending)
    else:
        order = sorted(range(len(keys)), key=keys.__getitem__, reverse=descending)
        items[:] = [items[place] for place in order]
    return items


def _are_ascii(items: list[Any]) -> bool:
    try:
        return "".join(items).isascii()
    except TypeError:  # not all of them are strings
        return False


def _sort_text(value: Any) -> tuple[bool, str]:
    return value is None, units(comma_text(value))


def _comparator(function: Any) -> Any:
    callback: Function = as_function(function, "(a, b) => a - b")

    def compare(left: Any, right: Any) -> int:
        charge(CALL_STEPS)
        order = to_number(callback.call(*arguments_for(callback, (left, right))))
        return (order > 0) - (order < 0)

    return compare


BINARIES = Family("Binary", "Methods of binary data.", receivers=(bytes,))


@BINARIES.method(
    "concat",
    "The bytes followed by other bytes.",
    Example(
        "Base64.encode(Base64.decodeAsBinary('YQ==').concat(Base64.decodeAsBinary('Yg==')))",
        "YWI=",
    ),
)
def concat_bytes(data: bytes, *others: Any) -> bytes:
    for other in others:
        if other.__class__ is not bytes:
            raise Failure(f"binary data can be joined with binary data only, not {kind_of(other)}")
    check_text(len(data) + sum(map(len, others)))
    return data + b"".join(others)
