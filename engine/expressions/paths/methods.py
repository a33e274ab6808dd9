"""The methods of paths: `$.children.sort_asc(value.age).map(value.name)`.

An argument is an expression in which `value` is an element (for `eval` and `default`: the result so
far) and `key` its index.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from engine.expressions import utf16
from engine.expressions.failures import Failure
from engine.expressions.limits import charge
from engine.expressions.operators import less
from engine.expressions.values import kind_of, property_name, truthy

Evaluate = Callable[[Any, Any], Any]


def _elements(value: Any, name: str) -> list[Any]:
    if value.__class__ is dict:
        return list(value.values())
    if value.__class__ is not list:
        raise Failure(f"`.{name}()` needs an array, got {kind_of(value)}")
    charge(len(value))
    return value


def length(value: Any) -> int:
    if value.__class__ is str:
        return utf16.length(value)
    if value.__class__ in (list, dict):
        return len(value)
    raise Failure(f"`.length()` needs an array, got {kind_of(value)}")


def first(value: Any) -> Any:
    items = _elements(value, "first")
    if not items:
        raise Failure("`.first()` finds nothing: the array is empty")
    return items[0]


def last(value: Any) -> Any:
    items = _elements(value, "last")
    if not items:
        raise Failure("`.last()` finds nothing: the array is empty")
    return items[-1]


def map_(value: Any, evaluate: Evaluate) -> list[Any]:
    return [evaluate(item, place) for place, item in enumerate(_elements(value, "map"))]


def filter_(value: Any, evaluate: Evaluate) -> Any:
    if value.__class__ is dict:
        return {key: item for key, item in value.items() if truthy(evaluate(item, key))}
    items = enumerate(_elements(value, "filter"))
    return [item for place, item in items if truthy(evaluate(item, place))]


def find(value: Any, evaluate: Evaluate) -> Any:
    for place, item in enumerate(_elements(value, "find")):
        if truthy(evaluate(item, place)):
            return item
    return None


def _sorted(value: Any, evaluate: Evaluate, descending: bool) -> list[Any]:
    items = _elements(value, "sort_asc")
    charge(len(items) * 8)
    keyed = [(evaluate(item, place), item) for place, item in enumerate(items)]
    order = functools.cmp_to_key(_compare)
    keyed.sort(key=lambda pair: order(pair[0]), reverse=descending)
    return [item for _, item in keyed]


def _compare(left: Any, right: Any) -> int:
    if left is None or right is None:
        return (right is None) - (left is None)
    return less(right, left) - less(left, right)


def sort_asc(value: Any, evaluate: Evaluate) -> list[Any]:
    return _sorted(value, evaluate, descending=False)


def sort_desc(value: Any, evaluate: Evaluate) -> list[Any]:
    return _sorted(value, evaluate, descending=True)


def group_by(value: Any, evaluate: Evaluate) -> dict[str, Any]:
    groups: dict[str, Any] = {}
    for place, item in enumerate(_elements(value, "group_by")):
        groups.setdefault(property_name(evaluate(item, place)), []).append(item)
    return groups


def eval_(value: Any, evaluate: Evaluate) -> Any:
    return evaluate(value, None)


WITHOUT_ARGUMENT: dict[str, Callable[[Any], Any]] = {"length": length, "first": first, "last": last}
WITH_ARGUMENT: dict[str, Callable[[Any, Evaluate], Any]] = {
    "map": map_,
    "filter": filter_,
    "find": find,
    "sort_asc": sort_asc,
    "sort_desc": sort_desc,
    "group_by": group_by,
    "eval": eval_,
}
TESTING = frozenset({"filter", "find"})
"""The methods whose argument is a condition."""
