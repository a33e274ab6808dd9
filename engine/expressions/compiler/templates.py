"""Python expressions with holes, and the rules by which calls become such expressions.

A rule says for which class of receiver (the first argument of a function), and under which further
test, an expression of plain Python returns what the declared function returns. In its templates `t`
is the receiver and `a`, `b` are the arguments. Where no rule applies, the function is called.
"""

from __future__ import annotations

import ast
import functools
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from engine.expressions.compiler.unit import Unit

UNKNOWN: Any = type("Unknown", (), {"__slots__": ()})()
"""Stands for an argument that is not constant when a rule is asked if it accepts them."""


class Template:
    """A Python expression; names that are neither holes nor local stand for `values`."""

    def __init__(self, text: str, values: Mapping[str, Any]) -> None:
        self._text = text
        self._values = values

    @functools.cached_property
    def _tree(self) -> ast.expr:
        """Parsed when it is first used: a pipeline uses few of the templates."""
        tree = ast.parse(self._text, mode="eval").body
        for node in ast.walk(tree):
            for name in node._attributes:  # the place is that of the user's text
                if hasattr(node, name):
                    delattr(node, name)
        return tree

    def filled(self, unit: Unit, holes: Mapping[str, ast.expr]) -> ast.expr:
        made: ast.expr = _Filling(unit, holes, self._values).copied(self._tree)
        return made


class _Filling:
    """Copies the Python of a template with its names replaced."""

    def __init__(
        self, unit: Unit, holes: Mapping[str, ast.expr], values: Mapping[str, Any]
    ) -> None:
        self._unit = unit
        self._holes = holes
        self._values = values

    def copied(self, node: Any) -> Any:
        if isinstance(node, ast.Name):
            return self._replaced(node)
        if isinstance(node, ast.AST):
            return node.__class__(*[self.copied(getattr(node, name)) for name in node._fields])
        return [self.copied(item) for item in node] if isinstance(node, list) else node

    def _replaced(self, node: ast.Name) -> ast.expr:
        if node.id in self._holes:
            hole = self._holes[node.id]
            if isinstance(node.ctx, ast.Store):
                assert isinstance(hole, ast.Name)
                return ast.Name(hole.id, ast.Store())
            return hole
        return self._unit.constant(self._values[node.id])


class Rule(msgspec.Struct, frozen=True):
    """`value` instead of a call, for receivers of exactly this class that pass the test.

    `accepts` gets the constant arguments, and UNKNOWN for the others. What `grows` is not used in
    loops, where the functions count steps and sizes.
    """

    receiver: type
    value: Template
    test: Template | None = None
    accepts: Callable[..., bool] = lambda *arguments: True
    grows: bool = False
