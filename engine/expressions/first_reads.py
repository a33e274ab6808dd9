"""The paths that an expression reads before anything else can fail.

If one of them is missing, that is the failure, so the careful code need not run to find it. Most
documents that fail lack a field, and there may be many of them.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable
from typing import Any

from engine.expressions import functions, nodes
from engine.expressions.access import absent_member
from engine.expressions.failures import Place, failed_at
from engine.expressions.nodes import Node

_Path = list[tuple[str, Place]]
"""The names from the document inwards, each with the place in the text that reads it."""


def first_reads(
    text: str, node: Node, constants: Container[str], target: str = ""
) -> Callable[[Any], None] | None:
    """A function of the document that raises EvaluationError if one of these paths is missing;
    None if there is no such path."""
    paths, _ = paths_read_first(text, node, constants)
    if not paths:
        return None

    def read(document: Any) -> None:
        for path in paths:
            owner = document
            for name, place in path:
                if owner.__class__ is not dict or name not in owner:
                    raise failed_at(place, absent_member(owner, name), target) from None
                owner = owner[name]

    return read


def paths_read_first(text: str, node: Node, constants: Container[str]) -> tuple[list[_Path], bool]:
    """These paths in the order in which they are read, and whether nothing else can fail."""
    finder = _Finder(text, constants)
    return finder.paths, finder.add(node)


class _Finder:
    def __init__(self, text: str, constants: Container[str]) -> None:
        self.paths: list[_Path] = []
        self._text = text
        self._constants = constants

    def add(self, node: Node) -> bool:
        """Add what `node` reads first; returns whether nothing else in it can fail."""
        if isinstance(node, nodes.Member):
            return self._add_member(node)
        if isinstance(node, nodes.Binary):
            self._add_all((node.left, node.right))
        elif isinstance(node, nodes.Logical):
            self.add(node.left)
        elif isinstance(node, nodes.Conditional):
            self.add(node.test)
        elif isinstance(node, nodes.Unary):
            self.add(node.operand)
        elif isinstance(node, nodes.Index):
            self.add(node.target)
        elif isinstance(node, nodes.MethodCall):
            self._add_all((node.target, *node.arguments))
        elif isinstance(node, nodes.Call) and isinstance(node.function, nodes.Name):
            self._add_all(node.arguments)
        elif isinstance(node, nodes.ArrayLiteral):
            return self._add_all(node.items)
        return self._is_constant(node)

    def _add_all(self, parts: Iterable[Node]) -> bool:
        return all(map(self.add, parts))

    def _is_constant(self, node: Node) -> bool:
        if isinstance(node, nodes.Name):
            return node.name in self._constants or node.name in functions.NAMESPACES
        return isinstance(node, nodes.Literal | nodes.Root)

    def _add_member(self, node: nodes.Member) -> bool:
        path: _Path = []
        inner: Node = node
        while isinstance(inner, nodes.Member) and inner.name != "length":
            path.append((inner.name, Place(self._text, inner.offset, inner.length)))
            inner = inner.target
        if not isinstance(inner, nodes.Root):
            self.add(inner.target if isinstance(inner, nodes.Member) else inner)
            return False
        self.paths.append(path[::-1])
        return True
