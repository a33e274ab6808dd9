"""The frame of a compiler: each node becomes Python through the method of its kind.

The line number of each piece of Python is the number of its node; see `failures`. Nodes with a
mistake are in `faults` (see `checks`): only a lenient scope makes code for them, which fails.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from typing import Any, NoReturn

from engine.errors import ExpressionSyntaxError
from engine.expressions import nodes
from engine.expressions.checks import Faults
from engine.expressions.compiler.names import Names
from engine.expressions.compiler.unit import KNOWN, Unit
from engine.expressions.dates import DateTime
from engine.expressions.failures import Failure
from engine.expressions.nodes import Node

_METHODS: dict[type, str] = {
    nodes.Literal: "literal",
    nodes.Root: "root",
    nodes.Name: "name",
    nodes.Member: "member",
    nodes.Index: "index",
    nodes.Presence: "presence",
    nodes.Spread: "spread",
    nodes.Call: "call_node",
    nodes.MethodCall: "method_call",
    nodes.Unary: "unary",
    nodes.Binary: "binary",
    nodes.InstanceOf: "instance_of",
    nodes.Logical: "logical",
    nodes.Conditional: "conditional",
    nodes.ArrayLiteral: "array",
    nodes.ObjectLiteral: "object",
    nodes.Arrow: "arrow",
    nodes.Match: "match",
}


_CONSTANTS = frozenset({str, int, Decimal, float, bool, DateTime})


class Emitter:
    def __init__(self, unit: Unit, text: str, names: Names, null_safe: bool) -> None:
        self.unit = unit
        self.text = text
        self.names = names
        self.null_safe = null_safe
        self.faults: Faults = {}
        self.variables: Sequence[str] = ()
        self.locals: dict[str, str] = {}
        self.objects: list[str] = []
        self.loops = 0

    def emit(self, node: Node) -> ast.expr:
        fault = self.faults.get(id(node))
        made: ast.expr = (
            getattr(self, _METHODS[type(node)])(node) if fault is None else self.fail(fault)
        )
        if not hasattr(made, "lineno"):
            line = self.unit.source_map.line_of(self.text, node.offset, node.length)
            made.lineno = line
        return made

    def fail(self, fault: ExpressionSyntaxError) -> ast.expr:
        """Python that raises Failure, for a node with a mistake in a lenient scope."""
        return self.call(_fail, ast.Constant(fault.message), ast.Constant(str(fault.hint)))

    def call(self, function: Callable[..., Any], *arguments: ast.expr) -> ast.Call:
        return self.unit.call(function, *arguments)

    def folded(self, function: Callable[..., Any], *arguments: ast.expr) -> ast.expr:
        """`function(arguments)`, computed now if all are constants, otherwise at run time."""
        if all(isinstance(argument, KNOWN) for argument in arguments):
            try:
                value = function(*(argument.value for argument in arguments))  # type: ignore[attr-defined]
            except Failure:
                return self.call(function, *arguments)
            if value is None or value.__class__ in _CONSTANTS:
                return self.unit.constant(value)
        return self.call(function, *arguments)

    @contextmanager
    def with_locals(self, found: Mapping[str, str]) -> Iterator[None]:
        before = self.locals
        self.locals = {**before, **found}
        yield
        self.locals = before


def _fail(message: str, hint: str) -> NoReturn:
    raise Failure(message, hint)
