"""Calling the user's functions: extra arguments are ignored, missing ones are null."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import repeat
from typing import Any

from engine.expressions.failures import Failure
from engine.expressions.limits import CALL_DEPTH, CALL_STEPS, charge
from engine.expressions.values import Function, kind_of


def call_value(function: Any, *arguments: Any) -> Any:
    """`function(arguments)` as the expression wrote it."""
    if function.__class__ is not Function:
        raise Failure(f"`{{here}}` calls {kind_of(function)}, which is not a function")
    with CALL_DEPTH:
        if len(arguments) == function.count:
            return function.call(*arguments)
        return function.call(*arguments_for(function, arguments))


def arguments_for(function: Function, arguments: tuple[Any, ...]) -> tuple[Any, ...]:
    return arguments if function.count < 0 else arguments[: function.count]


def as_function(value: Any, example: str = "x => x.name") -> Function:
    if value.__class__ is not Function:
        raise Failure(f"expected a function such as `{example}`, got {kind_of(value)}")
    return value


def results(
    function: Any, values: Iterable[Any], keys: Iterable[Any], container: Any
) -> Iterator[Any]:
    """The callback's result for each (value, key, container), lazily."""
    callback = as_function(function)
    call, count = callback.call, callback.count
    charge(CALL_STEPS)
    if count == 1:
        return map(call, values)
    if count == 2:
        return map(call, values, keys)
    if count == 0:
        return (call() for _ in values)
    return map(call, values, keys, repeat(container))


def each(function: Any, items: list[Any]) -> Iterator[Any]:
    """The callback's results for the elements that the array has now."""
    charge(len(items))
    return results(function, tuple(items), range(len(items)), items)


def each_entry(function: Any, entries: dict[str, Any]) -> Iterator[Any]:
    """The callback's results for (value, key, object)."""
    charge(len(entries))
    return results(function, tuple(entries.values()), tuple(entries), entries)
