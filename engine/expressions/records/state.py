"""What is known about the document at one place of a run: which part of the input or which local
variable each path stands for.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from typing import NamedTuple, Protocol

from engine.expressions.compiler.unit import load

Steps = tuple[str, ...]
Field = "ast.expr | Made"


class Elements(NamedTuple):
    """An array of which only some fields of the elements are read: the array, the attribute of
    each field, and the classes that the fields probably have."""

    array: ast.expr
    attributes: Mapping[str, str]
    classes: Mapping[str, type]


class UnfusableError(Exception):
    """These steps cannot run over records; the plain way must be taken."""


class State(Protocol):
    """A document while the code for it is being generated."""

    def read(self, path: Steps, null_safe: bool) -> ast.expr | None:
        """The value at the path; None if only a shorter path is known as a whole."""
        ...

    def elements(self, path: Steps, fields: set[str]) -> Elements | None:
        """The array at the path, of whose elements only these fields are read; None if it is read
        as a whole."""
        ...


class Incoming:
    """The document as it was read: `leaf` and `elements` give the variables of the record."""

    def __init__(
        self,
        leaf: Callable[[Steps, bool], ast.expr | None],
        elements: Callable[[Steps, set[str]], Elements | None],
    ) -> None:
        self._leaf = leaf
        self._elements = elements

    def elements(self, path: Steps, fields: set[str]) -> Elements | None:
        return self._elements(path, fields)

    def read(self, path: Steps, null_safe: bool) -> ast.expr | None:
        return self._leaf(path, null_safe)


class Inside:
    """The object at a path of another state."""

    def __init__(self, state: State, path: Steps) -> None:
        self._state = state
        self._path = path

    def read(self, path: Steps, null_safe: bool) -> ast.expr | None:
        return self._state.read((*self._path, *path), null_safe)

    def elements(self, path: Steps, fields: set[str]) -> Elements | None:
        return self._state.elements((*self._path, *path), fields)


class Made:
    """An object made by a Mapper: its fields, over the object that it started from."""

    def __init__(self, fields: Mapping[str, ast.expr | Made], base: State | None = None) -> None:
        self.fields = fields
        self.base = base

    def read(self, path: Steps, null_safe: bool) -> ast.expr | None:
        name, rest = path[0], path[1:]
        field = self.fields.get(name)
        if field is None:
            if self.base is not None:
                return self.base.read(path, null_safe)
            if null_safe:
                return ast.Constant(None) if not rest else None
            raise UnfusableError(f"the field {name!r} does not exist here")
        if isinstance(field, Made):
            return field.read(rest, null_safe) if rest else field.display()
        return None if rest else again(field)

    def elements(self, path: Steps, fields: set[str]) -> Elements | None:
        field = self.fields.get(path[0])
        if isinstance(field, Made) and len(path) > 1:
            return field.elements(path[1:], fields)
        return self.base.elements(path, fields) if field is None and self.base else None

    def display(self) -> ast.Dict:
        """The object as a dict. Raises UnfusableError if it holds what is not known."""
        if self.base is not None:
            raise UnfusableError("an object of the input is used as a whole")
        values = [
            field.display() if isinstance(field, Made) else again(field)
            for field in self.fields.values()
        ]
        return ast.Dict([ast.Constant(name) for name in self.fields], values)

    def with_field(self, names: Steps, value: ast.expr) -> Made:
        """The same object with another value at a path of names."""
        name, rest = names[0], names[1:]
        if not rest:
            return Made({**self.fields, name: value}, self.base)
        inner = self.fields.get(name)
        if inner is None:
            inner = Made({}, None if self.base is None else Inside(self.base, (name,)))
        if not isinstance(inner, Made):
            raise UnfusableError("a target is inside a value")
        return Made({**self.fields, name: inner.with_field(rest, value)}, self.base)


def overlap(one: Steps, other: Steps) -> bool:
    """Whether one of the paths begins with the other."""
    size = min(len(one), len(other))
    return one[:size] == other[:size]


def again(value: ast.expr) -> ast.expr:
    """A variable or constant once more: a tree must not hold the same node twice."""
    if isinstance(value, ast.Name):
        return load(value.id)
    assert isinstance(value, ast.Constant)  # all other values have been bound to a variable
    return ast.Constant(value.value)
