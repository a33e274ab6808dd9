"""The steps of a path, and which places of a container each one selects."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from engine.errors import AbsentError
from engine.expressions.limits import CALL_DEPTH, charge
from engine.expressions.values import property_name, to_integer, truthy

Key = str | int
Embedded = Callable[..., Any]


class Child(msgspec.Struct, frozen=True):
    """`.name` or `['name']`."""

    name: str
    definite = True

    def keys(self, container: Any, root: Any) -> Iterator[Key]:
        if container.__class__ is dict and self.name in container:
            yield self.name


class Position(msgspec.Struct, frozen=True):
    """`[n]`, negative from the end."""

    index: int
    definite = True

    def keys(self, container: Any, root: Any) -> Iterator[Key]:
        if container.__class__ is dict and str(self.index) in container:
            yield str(self.index)
        elif container.__class__ is list:
            place = self.index + len(container) if self.index < 0 else self.index
            if 0 <= place < len(container):
                yield place


class Computed(msgspec.Struct, frozen=True):
    """`[(expression)]`; `value` is the container."""

    expression: Embedded
    definite = True

    def key(self, container: Any, root: Any) -> Key:
        found = self.expression(root, [] if container is None else container, None)
        if found.__class__ is str:
            return found
        if container.__class__ is dict:
            return property_name(found)
        return to_integer(found)

    def keys(self, container: Any, root: Any) -> Iterator[Key]:
        key = self.key(container, root)
        step = Child(key) if isinstance(key, str) else Position(key)
        return step.keys(container, root)


class Wildcard(msgspec.Struct, frozen=True):
    """`[*]` or `.*`."""

    definite = False

    def keys(self, container: Any, root: Any) -> Iterator[Key]:
        return all_keys(container)


class Slice(msgspec.Struct, frozen=True):
    """`[start:end:step]`."""

    start: int | None
    end: int | None
    step: int | None
    definite = False

    def keys(self, container: Any, root: Any) -> Iterator[Key]:
        if container.__class__ is list:
            yield from range(*slice(self.start, self.end, self.step).indices(len(container)))


class Union(msgspec.Struct, frozen=True):
    """`[a, b]`."""

    parts: tuple[Any, ...]
    definite = False

    def keys(self, container: Any, root: Any) -> Iterator[Key]:
        for part in self.parts:
            yield from part.keys(container, root)


class Filter(msgspec.Struct, frozen=True):
    """`[?(expression)]`; `value` is the element, `key` its place.

    A filter that `searches`, after `..`, meets values of every kind: it skips those that lack what
    the condition reads. Any other failure fails the entire path.
    """

    expression: Embedded
    searches: bool = False
    definite = False

    def keys(self, container: Any, root: Any) -> Iterator[Key]:
        for key in all_keys(container):
            try:
                with CALL_DEPTH:
                    wanted = self.expression(root, container[key], key)
            except AbsentError:
                if not self.searches:
                    raise
                continue
            if truthy(wanted):
                yield key


class Descend(msgspec.Struct, frozen=True):
    """`..`: the container itself and everything below it, for the step that follows."""

    definite = False


class Method(msgspec.Struct, frozen=True):
    """`.name(arguments)`, applied to what was found so far."""

    name: str
    arguments: tuple[Embedded, ...]
    apply: Callable[..., Any]
    definite = True


Step = Child | Position | Computed | Wildcard | Slice | Union | Filter | Descend | Method


def all_keys(container: Any) -> Iterator[Key]:
    charge(1)
    if container.__class__ is dict:
        return iter(list(container))
    return iter(range(len(container) if container.__class__ is list else 0))


def descendants(value: Any) -> Iterator[Any]:
    """`value` and everything below it, outermost first."""
    charge(1)
    yield value
    if value.__class__ is not dict and value.__class__ is not list:
        return
    for inner in list(value.values()) if value.__class__ is dict else value:
        if inner.__class__ is dict or inner.__class__ is list:
            yield from descendants(inner)
