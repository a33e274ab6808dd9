"""Members, indexes and method calls on any value: looked up in tables, never with Python's getattr.

These are the careful forms: they check each step and raise a `Failure` that says what is wrong.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from engine.expressions import functions
from engine.expressions.callables import call_value
from engine.expressions.failures import AbsentFailure, Failure, MissingFailure, MissingKeyFailure
from engine.expressions.foreign_syntax import METHOD_HINTS
from engine.expressions.functions import Declaration
from engine.expressions.limits import charge, check_elements
from engine.expressions.suggestions import did_you_mean, nearest
from engine.expressions.utf16 import length as text_length
from engine.expressions.utf16 import units
from engine.expressions.values import (
    NUMBERS,
    Function,
    kind_of,
    property_name,
    scalar_text,
    to_number,
)


def member(target: Any, name: str) -> Any:
    """`target.name`."""
    cls = target.__class__
    if cls is dict:
        if name in target:
            return target[name]
    elif name == "length" and (cls is str or cls is list or cls is bytes):
        return text_length(target) if cls is str else len(target)
    raise absent_member(target, name)


def absent_member(target: Any, name: str) -> Failure:
    """Why `target` has no such member."""
    if target.__class__ is dict:
        return _missing(target, name)
    return _of_null(f"`{name}`") if target is None else _no_property(target, name)


def _missing(target: dict[str, Any], name: str) -> Failure:
    method = functions.METHODS.get(name, {}).get(dict)
    if method is not None and not nearest(name, target):
        return Failure("`{here}` is a method, not a value", f"call it: {method.signature}")
    return MissingFailure(name, target)


def safe_member(target: Any, name: str) -> Any:
    """`target.name` with null-safe access: null if absent."""
    if target.__class__ is dict:
        return target.get(name)
    has_length = target.__class__ in (str, list, bytes)
    return member(target, name) if has_length and name == "length" else None


def _of_null(what: str) -> Failure:
    hint = "null-safe access returns null here; or test first, as in `$a != null && $a.b`"
    return AbsentFailure(f"`{{here}}` cannot be read: null has no {what}", hint)


def _no_property(target: Any, name: str) -> Failure:
    hint = ""
    if target.__class__ is list and target and target[0].__class__ is dict:
        hint = f"take one element, as in x[0].{name}, or all: x.map(e => e.{name})"
    elif method := functions.METHODS.get(name, {}).get(target.__class__):
        hint = f"`{name}` is a method; call it: {method.signature}"
    return AbsentFailure(f"{kind_of(target)} has no property `{name}`", hint)


def index(target: Any, key: Any) -> Any:
    """`target[key]`."""
    cls = target.__class__
    if cls is dict:
        name = property_name(key)
        if name in target:
            return target[name]
        raise MissingKeyFailure(name, target)
    if cls is list or cls is str or cls is bytes:
        return _element(target, key)
    if target is None:
        raise _of_null("an element")
    raise AbsentFailure(f"{kind_of(target)} has no elements")


def _element(target: Any, key: Any) -> Any:
    if key.__class__ is str and key == "length":
        return member(target, "length")
    number = to_number(key)
    if number != number or number != int(max(-1e15, min(1e15, number))):
        shown = scalar_text(key)[:80]
        raise AbsentFailure(f"`{shown}` is not a position in {kind_of(target)}")
    elements = units(target) if target.__class__ is str else target
    if not 0 <= number < len(elements):
        count = f"it has {len(elements)} element{'s' * (len(elements) != 1)}"
        hint = "count from the end with slice(-1)[0]" if number < 0 else ""
        raise AbsentFailure(f"`{{here}}` is out of range: {count}", hint)
    return elements[int(number)]


def safe_index(target: Any, key: Any) -> Any:
    """`target[key]` with null-safe access."""
    if target.__class__ is dict:
        return target.get(property_name(key))
    if target.__class__ not in (list, str, bytes) or key is None:
        return None
    if key.__class__ is str and key == "length":
        return member(target, "length")
    number = to_number(key)
    elements = units(target) if target.__class__ is str else target
    return elements[int(number)] if 0 <= number < len(elements) and number == int(number) else None


def call_method(target: Any, name: str, *arguments: Any) -> Any:
    """`target.name(arguments)`: a function stored in an object, or a method of its type."""
    if target.__class__ is dict:
        own = target.get(name)
        if own.__class__ is Function:
            return call_value(own, *arguments)
    method = functions.METHODS.get(name, {}).get(target.__class__)
    if method is None:
        raise _no_method(target, name)
    check_count(method, len(arguments))
    return method.call(target, *arguments)


def check_count(function: Declaration, count: int) -> None:
    if not function.accepts(count):
        message = f"`{function.name}` takes {function.arguments_text()}, got {count}"
        raise Failure(message, f"the signature is {function.signature}")


def _no_method(target: Any, name: str) -> Failure:
    if target is None:
        return _of_null(f"`{name}()`")
    if target.__class__ is dict and name in target:
        return Failure(f"`{name}` is {kind_of(target[name])}, which is not a function")
    message, hint = absent_method(kind_of(target), name, target.__class__)
    return Failure(message, _function_hint(target, name) or hint)


def absent_method(kind: str, name: str, cls: type) -> tuple[str, str]:
    """Message and hint for a method that values of a class do not have."""
    hint = METHOD_HINTS.get(name) or method_hint(name, cls) or _sample_hint(cls)
    return f"{kind} has no method `{name}`", hint


def _function_hint(target: Any, name: str) -> str:
    """A function that an object, such as a library, holds."""
    if target.__class__ is not dict:
        return ""
    return did_you_mean(name, [key for key, held in target.items() if held.__class__ is Function])


def method_hint(name: str, cls: type | None = None) -> str:
    known = [n for n, types in functions.METHODS.items() if cls is None or cls in types]
    if hint := did_you_mean(name, known):
        return hint
    others = functions.METHODS.get(name, {})
    kinds = sorted({kind_of_type(other) for other in others})
    if cls is not None and kind_of_type(cls) in kinds:  # a date, but not of this class
        kinds = sorted(other.__name__ for other in others if other.__name__[0].isupper())
    if kinds == ["arrays"] and cls is not None:  # of XML, for example, an element that is alone
        return f"it is a method of arrays; for one value or many, use [].concat(value).{name}(…)"
    return f"it is a method of {' and '.join(kinds)}" if kinds else ""


def _sample_hint(cls: type) -> str:
    """Some methods that values of a class have; empty if there are none."""
    known = [name for name, types in functions.METHODS.items() if cls in types]
    names = ", ".join(f"`{name}`" for name in known[:3])
    return f"{kind_of_type(cls)} have methods such as {names}" if known else ""


def kind_of_type(cls: type) -> str:
    names = {
        str: "strings",
        list: "arrays",
        dict: "objects",
        bytes: "binary data",
        bool: "booleans",
    }
    return names.get(cls, "numbers" if cls in NUMBERS else "dates")


# --- literals with spread ---


def spread_items(value: Any) -> Iterable[Any]:
    """The elements that `...value` stands for."""
    if value.__class__ is list:
        check_elements(len(value))
        return value
    if value.__class__ is str:
        check_elements(len(value))
        return list(value)
    raise Failure(f"`...` needs an array here, got {kind_of(value)}")


def safe_spread_items(value: Any) -> Iterable[Any]:
    return () if value is None else spread_items(value)


def spread_entries(value: Any) -> dict[str, Any]:
    """The properties that `...value` stands for; null has none."""
    if value.__class__ is dict:
        charge(len(value) // 4)
        return value
    if value is None:
        return {}
    if value.__class__ is list:
        check_elements(len(value))
        return {str(place): item for place, item in enumerate(value)}
    raise Failure(f"`...` needs an object here, got {kind_of(value)}")
