"""An expression, parsed once: what checks, warnings, analysis and the compiler share.

`parsed(text)` keeps what was used recently, up to a bounded number of characters. So every part of
the engine gets the same value for an expression, and a program that checks a file again after an
edit parses only what the edit changed.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Generic, TypeVar

from engine.errors import ExpressionSyntaxError
from engine.expressions.nodes import Broken, Node
from engine.expressions.parser import read
from engine.expressions.reads import (
    Steps,
    fields_expected_by,
    path_moved_by,
    paths_read_by,
    sees_counts_in,
)

T = TypeVar("T")
MAX_REMEMBERED = 400_000
"""Characters of the texts whose values are kept; more than those of ten pipelines of 200 snaps."""

_LONGEST_REMEMBERED = 5_000
_OVERHEAD = 20
"""What a value costs besides its text, in characters."""


class Memo(Generic[T]):
    """Values made from texts. When it is full, those not used recently are dropped."""

    def __init__(self, make: Callable[[str], T], limit: int = MAX_REMEMBERED) -> None:
        self._make = make
        self._limit = limit // 2
        self._size = 0
        self._recent: dict[str, T] = {}
        self._older: dict[str, T] = {}

    def __call__(self, text: str) -> T:
        found = self._recent.get(text)
        if found is None:
            found = self._older.get(text)
            if found is None:
                found = self._make(text)
            if len(text) <= _LONGEST_REMEMBERED:
                self._keep(text, found)
        return found

    def clear(self) -> None:
        """Forget everything."""
        self._size, self._recent, self._older = 0, {}, {}

    def _keep(self, text: str, value: T) -> None:
        self._size += len(text) + _OVERHEAD
        if self._size > self._limit:
            self._older, self._recent, self._size = self._recent, {}, len(text) + _OVERHEAD
        self._recent[text] = value


class Parsed:
    """The nodes of an expression and its mistakes in syntax; facts are computed when they are used.

    With mistakes, `node` is what could be read, with `Broken` nodes in the places of the rest.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.node: Node
        self.errors: tuple[ExpressionSyntaxError, ...]
        try:
            self.node, errors = read(text)
            self.errors = ExpressionSyntaxError.of(errors).all if errors else ()
        except ExpressionSyntaxError as error:  # too long, or nested too deeply
            self.node, self.errors = Broken(0, max(len(text), 1)), (error,)

    def whole(self) -> Node:
        """The node; raises ExpressionSyntaxError with all mistakes."""
        if self.errors:
            raise ExpressionSyntaxError.of(self.errors)
        return self.node

    @cached_property
    def reads(self) -> frozenset[Steps] | None:
        """The document paths that it reads; None if they are unknown."""
        return paths_read_by(self.whole())

    @cached_property
    def moved(self) -> Steps | None:
        """The path `$.a.b` that is the whole expression; None for any other expression."""
        return None if self.errors else path_moved_by(self.node)

    @cached_property
    def sees_counts(self) -> bool:
        """Whether its value may depend on how many documents the snap has had."""
        return sees_counts_in(self.node) if not self.errors else "snap" in self.text

    @cached_property
    def fields_expected(self) -> tuple[tuple[str, int, int], ...]:
        """The fields of the document that it reads as if they were always there, and their places
        (offset, length)."""
        return () if self.errors else tuple(fields_expected_by(self.node, self.text))


parsed = Memo(Parsed)


def parse(text: str) -> Node:
    """The nodes of an expression; raises ExpressionSyntaxError with all its mistakes."""
    return parsed(text).whole()
