"""The declared types of what is at a path of some settings: whether it is an expression, and so on.

A type is followed where the value may have several, so the answer is a list.
"""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping
from typing import Any, Union, get_args, get_origin

from engine.sdk.settings import Evaluated, KeyPath, Settings, settings_of


def types_at(kind: Any, path: KeyPath) -> list[Any]:
    """The types that a value at the path of a value of type `kind` may have."""
    found = list(_alternatives(kind))
    for step in path:
        found = [inner for each in found for inner in _inside(each, step)]
    return found


def key_types_at(kind: Any, path: KeyPath) -> list[Any]:
    """The types of the keys that the map at the path may have."""
    maps = [each for each in types_at(kind, path) if get_origin(each) in (dict, Mapping)]
    return [key for each in maps for key in _alternatives(get_args(each)[0])]


def _inside(kind: Any, step: str | int) -> Iterator[Any]:
    origin, arguments = get_origin(kind), get_args(kind)
    if isinstance(kind, type) and issubclass(kind, Settings):
        fact = settings_of(kind).get(str(step))
        yield from _alternatives(fact.type) if fact else ()
    elif origin in (tuple, list) and isinstance(step, int):
        yield from _alternatives(arguments[0])
    elif origin in (dict, Mapping) and isinstance(step, str):
        yield from _alternatives(arguments[1])
    elif origin is Evaluated and arguments[0] is not Any:
        yield from _inside(arguments[0], step)


def _alternatives(kind: Any) -> Iterator[Any]:
    if get_origin(kind) in (Union, types.UnionType):
        for each in get_args(kind):
            yield from _alternatives(each)
    elif kind is not types.NoneType:
        yield kind
