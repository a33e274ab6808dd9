"""The fast code of an expression, with the document's paths as variables."""

from __future__ import annotations

import ast

from engine.expressions import nodes
from engine.expressions.compilation import mutates
from engine.expressions.compiler import facts
from engine.expressions.compiler.fast import Fast
from engine.expressions.compiler.names import Names
from engine.expressions.compiler.unit import Unit
from engine.expressions.functions import Declaration
from engine.expressions.limits import bounded
from engine.expressions.nodes import Node
from engine.expressions.parser import parse
from engine.expressions.records.state import State, Steps, UnfusableError


class RecordEmitter(Fast):
    """`$a.b` is what the state says; an expression that needs `$` itself cannot be emitted."""

    state: State

    def root(self, node: nodes.Root) -> ast.expr:
        raise UnfusableError("the whole document is used")

    def member(self, node: nodes.Member) -> ast.expr:
        if node.name != "length" and (path := constant_path(node)):
            known = self.state.read(path, self.null_safe)
            if known is not None:
                return known
        return super().member(node)

    def index(self, node: nodes.Index) -> ast.expr:
        path = constant_path(node)
        if path and path[-1] != "length":
            known = self.state.read(path, self.null_safe)
            if known is not None:
                return known
        return super().index(node)

    def name(self, node: nodes.Name) -> ast.expr:
        if node.name == "snap" and node.name not in self.locals:
            raise UnfusableError("the counts of the snap are used")
        return super().name(node)

    def in_exact(self) -> ast.expr:
        return ast.Constant(True)  # a run sets the context once for a block

    def declared_call(self, node: nodes.Call | nodes.MethodCall, declared: Declaration) -> ast.expr:
        if "document" in declared.handed_in:
            raise UnfusableError(f"`{declared.name}` may look at the whole document")
        return super().declared_call(node, declared)


def constant_path(node: Node) -> Steps:
    """The path of `$a.b['c d']`; empty for anything else."""
    steps: list[str] = []
    while True:
        if isinstance(node, nodes.Member):
            steps.append(node.name)
        elif (
            isinstance(node, nodes.Index)
            and isinstance(node.key, nodes.Literal)
            and node.key.value.__class__ is str
        ):
            steps.append(node.key.value)
        elif isinstance(node, nodes.Root):
            return tuple(reversed(steps))
        else:
            return ()
        node = node.target


def emit(
    text: str, unit: Unit, names: Names, null_safe: bool, state: State
) -> tuple[ast.expr, Node]:
    """The Python of an expression in this state. Raises UnfusableError."""
    node = parse(text)
    if mutates(node, names):
        raise UnfusableError("it may change the document")
    emitter = RecordEmitter(unit, text, names, null_safe)
    emitter.state = state
    made = emitter.emit(node)
    if emitter.problems:
        raise UnfusableError("it has mistakes")
    return (emitter.call(bounded, made) if facts.may_multiply(node) else made), node
