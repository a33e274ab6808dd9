"""A piece of generated Python: its constants, its names, and the source places of its lines.

Generated code has no builtins; it can reach only the constants stored here.
"""

from __future__ import annotations

import ast
import itertools
from collections.abc import Callable, Sequence
from decimal import Decimal
from types import CodeType, FunctionType
from typing import Any

from engine.expressions.failures import SOURCE_MAP, SourceMap

DOCUMENT = "document"


class DecimalName(ast.Name):
    """The name of a decimal constant, for which Python has no literal."""

    value: Decimal


KNOWN = (ast.Constant, DecimalName)
"""Python whose `value` is known at compile time."""


class Unit:
    def __init__(self) -> None:
        self.source_map = SourceMap()
        self.globals: dict[str, Any] = {"__builtins__": {}, SOURCE_MAP: self.source_map}
        self._names: dict[int, str] = {}
        self._numbers = itertools.count()

    def new_name(self) -> str:
        return f"v{next(self._numbers)}"

    def constant(self, value: Any) -> ast.expr:
        """`value` as an expression: a literal if Python has one, else a global name."""
        if value is None or value.__class__ in (str, int, float, bool):
            return ast.Constant(value)
        if id(value) not in self._names:
            name = f"k{len(self._names)}"
            self._names[id(value)] = name
            self.globals[name] = value
        if value.__class__ is not Decimal:
            return load(self._names[id(value)])
        named = DecimalName(self._names[id(value)], ast.Load())
        named.value = value
        return named

    def call(self, function: Callable[..., Any], *arguments: ast.expr) -> ast.Call:
        return ast.Call(self.constant(function), list(arguments), [])

    def function(
        self, body: list[ast.stmt], parameters: Sequence[str] = (DOCUMENT,)
    ) -> Callable[..., Any]:
        """The function with these statements."""
        given = ast.arguments([], [ast.arg(name) for name in parameters], None, [], [], None, [])
        definition = ast.FunctionDef("expression", given, body, [], None, None)
        definition.lineno, definition.col_offset = 1, 0
        module = ast.Module([definition], [])
        _place(module, 1)
        code = compile(module, "<expression>", "exec")
        inner = next(part for part in code.co_consts if isinstance(part, CodeType))
        return FunctionType(inner, self.globals)


def load(name: str) -> ast.Name:
    return ast.Name(name, ast.Load())


def bind(name: str, value: ast.expr) -> ast.NamedExpr:
    return ast.NamedExpr(ast.Name(name, ast.Store()), value)


def class_of(value: ast.expr) -> ast.expr:
    return ast.Attribute(value, "__class__", ast.Load())


def is_(left: ast.expr, *rights: ast.expr) -> ast.expr:
    """`left is right is ...`."""
    return ast.Compare(left, [ast.Is() for _ in rights], list(rights))


def item(target: ast.expr, key: ast.expr) -> ast.expr:
    return ast.Subscript(target, key, ast.Load())


def lambda_function(parameters: list[str], body: ast.expr) -> ast.expr:
    """`lambda parameters: body`."""
    given = ast.arguments([], [ast.arg(name) for name in parameters], None, [], [], None, [])
    return ast.Lambda(given, body)


def lambda_(parameters: list[str], body: ast.expr, *arguments: ast.expr) -> ast.expr:
    """`(lambda parameters: body)(arguments)`."""
    return ast.Call(lambda_function(parameters, body), list(arguments), [])


def let(name: str, value: ast.expr) -> ast.expr:
    """A condition that is always true and binds `value` to a name."""
    return ast.Tuple([bind(name, value)], ast.Load())


def _place(tree: ast.AST, line: int) -> None:
    """A piece without a line gets that of the piece around it."""
    pending: list[tuple[ast.AST, int]] = [(tree, line)]
    while pending:
        node, around = pending.pop()
        if "lineno" in node._attributes:
            own = getattr(node, "lineno", around)
            node.lineno = node.end_lineno = around = own  # type: ignore[attr-defined]
            node.col_offset = node.end_col_offset = 0  # type: ignore[attr-defined]
        for name in node._fields:  # ast.iter_child_nodes takes twice as long
            field = getattr(node, name, None)
            if isinstance(field, ast.AST):
                pending.append((field, around))
            elif field.__class__ is list:
                pending += [(part, around) for part in field if isinstance(part, ast.AST)]
