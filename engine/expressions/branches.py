"""Which branches of the conditionals (`a ? b : c`) in an expression a document takes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

from engine.errors import ExpressionError
from engine.expressions.compilation import compile_node, context_of
from engine.expressions.compiler.names import Names
from engine.expressions.decimals import exact_decimals
from engine.expressions.nodes import Arrow, Conditional, Logical, Match, Node
from engine.expressions.parsed import parse
from engine.expressions.scope import Scope
from engine.expressions.values import truthy

Branch = tuple[int, bool]
"""The offset of a conditional in the text, and whether its condition holds."""


class Branches:
    """The conditionals of an expression, except those in functions and matches: what these look at
    is known only while they run."""

    def __init__(self, text: str, scope: Scope) -> None:
        self._text = text
        self._node = parse(text)
        self._names = Names(context_of(scope, null_safe=True), {})
        self._compiled: dict[int, Callable[[Any], Any]] = {}

    @property
    def all(self) -> list[Branch]:
        """Both branches of each conditional, in the order of the text."""
        offsets = sorted(node.offset for node in _conditionals(self._node))
        return [(offset, value) for offset in offsets for value in (True, False)]

    def taken(self, document: Any) -> list[Branch]:
        """The branches that the document takes, up to the first mistake in its evaluation."""
        found: list[Branch] = []
        with suppress(ExpressionError), exact_decimals():  # the snap has reported it
            self._follow(self._node, document, found)
        return found

    def _follow(self, node: Node, document: Any, found: list[Branch]) -> None:
        if isinstance(node, Conditional):
            self._follow(node.test, document, found)
            holds = self._holds(node.test, document)
            found.append((node.offset, holds))
            self._follow(node.yes if holds else node.no, document, found)
        elif isinstance(node, Logical) and any(_conditionals(node)):
            self._follow(node.left, document, found)
            if self._holds(node.left, document) == (node.operator == "&&"):
                self._follow(node.right, document, found)
        elif not isinstance(node, Arrow | Match):
            for child in node.children():
                self._follow(child, document, found)

    def _holds(self, node: Node, document: Any) -> bool:
        function = self._compiled.get(id(node))
        if function is None:
            function = compile_node(self._text, node, self._names, null_safe=True)
            self._compiled[id(node)] = function
        return truthy(function(document))


def _conditionals(node: Node) -> Iterator[Conditional]:
    if isinstance(node, Arrow | Match):
        return
    if isinstance(node, Conditional):
        yield node
    for child in node.children():
        yield from _conditionals(child)
