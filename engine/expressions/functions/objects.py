"""Objects. All methods leave the object unchanged and return new ones."""

from __future__ import annotations

import functools
import re
from typing import Any

from engine.expressions.callables import each_entry
from engine.expressions.failures import Failure
from engine.expressions.functions.declare import Example, Family
from engine.expressions.kinds import Callback, TextLike
from engine.expressions.limits import charge, check_elements
from engine.expressions.values import MISSING, kind_of, property_name, scalar_text, to_text, truthy

OBJECTS = Family(
    "Object",
    "Methods of objects. A property of the same name is reached with brackets: `$['filter']`.",
    receivers=(dict,),
    namespace="Object",
)
_LONG = 1_000
_STEP = re.compile(r"""\[\s*'([^']*)'\s*\]|\[\s*"([^"]*)"\s*\]|\[\s*(\d+)\s*\]|([^.\[\]]+)""")


def _object(value: Any) -> dict[str, Any]:
    if value.__class__ is not dict:
        raise Failure(f"expected an object, got {kind_of(value)}")
    charge(len(value))
    return value


@OBJECTS.method(
    "keys",
    "The names of the properties.",
    Example("$user.keys()", ["name", "age"], {"user": {"name": "John", "age": 30}}),
)
@OBJECTS.function("keys", "The names of the properties.", Example("Object.keys({a: 1})", ["a"]))
def keys(entries: Any) -> list[str]:
    return list(_object(entries))


@OBJECTS.method("values", "The values of the properties.", Example("{a: 1, b: 2}.values()", [1, 2]))
@OBJECTS.function("values", "The values of the properties.", Example("Object.values({a: 1})", [1]))
def values(entries: Any) -> list[Any]:
    return list(_object(entries).values())


@OBJECTS.method(
    "entries",
    "The properties as [name, value] pairs.",
    Example("{name: 'John', age: 30}.entries()", [["name", "John"], ["age", 30]]),
)
@OBJECTS.function(
    "entries",
    "The properties as [name, value] pairs.",
    Example("Object.entries({a: 1})", [["a", 1]]),
)
def entries_(entries: Any) -> list[list[Any]]:
    return [[key, value] for key, value in _object(entries).items()]


@OBJECTS.method(
    "get",
    "The value of a property, or the default (null) if it is absent; a stored null stays null.",
    Example("$.get('optional', 5)", 5, {}),
    Example("$.get('optional', 5)", None, {"optional": None}),
)
def get(entries: dict[str, Any], name: TextLike, default: Any = None) -> Any:
    return entries.get(name if name.__class__ is str else property_name(name), default)


@OBJECTS.method(
    "getFirst",
    "Like get, but the first element if the property is an array.",
    Example("$.getFirst('tags', 'none')", "x", {"tags": ["x", "y"]}),
)
def get_first(entries: dict[str, Any], name: TextLike, default: Any = None) -> Any:
    value = entries.get(property_name(name), default)
    if value.__class__ is list:
        return value[0] if value else default
    return value


def follow(value: Any, path: str) -> Any:
    """The value at a dotted path such as `a.b`, `$.a.b` or `a[0]['x y']`; MISSING if absent."""
    steps = _steps(path) if len(path) < _LONG else _steps.__wrapped__(path)
    if not steps and path != "$":
        return MISSING
    for step in steps:
        if value.__class__ is dict and str(step) in value:
            value = value[str(step)]
        elif value.__class__ is list and step.__class__ is int and step < len(value):
            value = value[step]
        else:
            return MISSING
    return value


@functools.lru_cache(maxsize=512)
def _steps(path: str) -> tuple[str | int, ...]:
    return tuple(
        int(found[3][:9])
        if found[3] is not None
        else next(part for part in (found[1], found[2], found[4]) if part is not None)
        for found in _STEP.finditer(path.removeprefix("$"))
    )


@OBJECTS.method(
    "hasOwnProperty",
    "Whether there is a property of this name, or a value at this dotted path.",
    Example("$.hasOwnProperty('lastname')", True, {"lastname": None}),
    Example("$.hasOwnProperty('customer.lastname')", True, {"customer": {"lastname": "Doe"}}),
)
def has_own_property(entries: dict[str, Any], name: TextLike) -> bool:
    text = property_name(name)
    return text in entries or follow(entries, text) is not MISSING


@OBJECTS.method(
    "hasPath",
    "Whether there is a value other than null at this dotted path.",
    Example("$.hasPath('a.b')", True, {"a": {"b": 1}}),
    Example("$.hasPath('a.b')", False, {"a": {"b": None}}),
)
def has_path(entries: dict[str, Any], path: TextLike) -> bool:
    text = property_name(path)
    if entries.get(text) is not None:
        return True
    return follow(entries, text) not in (MISSING, None)


@OBJECTS.method("isEmpty", "Whether the object has no properties.", Example("{}.isEmpty()", True))
def is_empty(entries: dict[str, Any]) -> bool:
    return not entries


@OBJECTS.method(
    "extend",
    "A new object with the properties of others, or of [name, value] pairs; later ones win.",
    Example("{a: 1, b: 1}.extend({b: 2})", {"a": 1, "b": 2}),
    Example("{}.extend([['a', 1], ['b', 2]])", {"a": 1, "b": 2}),
    Example("{}.extend(...$list)", {"a": 1, "b": 2}, {"list": [{"a": 1}, {"b": 2}]}),
)
def extend(entries: dict[str, Any], *others: Any) -> dict[str, Any]:
    merged = dict(_object(entries))
    for other in others:
        merged.update(_properties(other))
        check_elements(len(merged))
    return merged


def _properties(value: Any) -> dict[str, Any]:
    if value is None:
        return {}
    if value.__class__ is not list:
        return _object(value)
    charge(len(value))
    found: dict[str, Any] = {}
    for item in value:
        if item.__class__ is dict:
            found.update(_object(item))
        elif item.__class__ is list and len(item) == 2:
            found[property_name(item[0])] = item[1]
        else:
            raise Failure("expected [name, value] pairs or objects in the array")
    return found


@OBJECTS.method(
    "merge",
    "A new object with others merged into it, nested objects included.",
    Example("{k: {x: 1}}.merge({k: {y: 2}})", {"k": {"x": 1, "y": 2}}),
)
def merge(entries: dict[str, Any], *others: Any) -> dict[str, Any]:
    merged = entries
    for other in others:
        merged = _merged(merged, _properties(other))
    return merged if others else dict(merged)


def _merged(base: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    charge(len(base) + len(other))
    found = {**base, **other}
    for key, value in other.items():
        if value.__class__ is dict and (before := base.get(key)).__class__ is dict:
            found[key] = _merged(before, value)
    return found


@OBJECTS.method(
    "filter",
    "A new object of the properties for which the function of (value, key, object) is true.",
    Example("$.filter((value, key) => value > 1)", {"b": 2}, {"a": 1, "b": 2}),
)
def filter_(entries: dict[str, Any], function: Callback) -> dict[str, Any]:
    kept = zip(tuple(entries.items()), each_entry(function, entries), strict=False)
    return {key: value for (key, value), keep in kept if truthy(keep)}


@OBJECTS.method(
    "mapKeys",
    "A new object with the names that the function of (value, key, object) returns.",
    Example("{a: 1}.mapKeys((value, key) => key.toUpperCase())", {"A": 1}),
)
def map_keys(entries: dict[str, Any], function: Callback) -> dict[str, Any]:
    named = zip(tuple(entries.values()), each_entry(function, entries), strict=False)
    return {property_name(key): value for value, key in named}


@OBJECTS.method(
    "mapValues",
    "A new object with the values that the function of (value, key, object) returns.",
    Example("{a: 1, b: 2}.mapValues(value => value * 2)", {"a": 2, "b": 4}),
)
def map_values(entries: dict[str, Any], function: Callback) -> dict[str, Any]:
    return dict(zip(tuple(entries), each_entry(function, entries), strict=False))


@OBJECTS.method(
    "toString", "The object as Java's toString() writes it.", Example("{a: 1}.toString()", "{a=1}")
)
def to_string(entries: dict[str, Any]) -> str:
    return to_text(entries)


def zip_object(names: list[Any], values: list[Any]) -> dict[str, Any]:
    """An object of the names with their values; a name without a value gets null."""
    padded = [*values, *[None] * (len(names) - len(values))]
    return {scalar_text(name): value for name, value in zip(names, padded, strict=False)}
