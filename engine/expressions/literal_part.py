"""The beginning of a string that the author of an expression wrote, and what data adds to it.

`'files/' + $name` begins with `files/` whatever the document holds. So a file reader can keep
names from the document inside the folder that the author chose. Nothing is evaluated twice: the
expression is taken apart before it is compiled.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from itertools import takewhile
from typing import Any

from engine.documents import copied
from engine.errors import DataError
from engine.expressions.compilation import compile_node, context_of
from engine.expressions.compiler.names import Names
from engine.expressions.nodes import (
    ArrayLiteral,
    Binary,
    Call,
    Conditional,
    Literal,
    Member,
    MethodCall,
    Name,
    Node,
    Root,
    Spread,
)
from engine.expressions.parsed import parse
from engine.expressions.scope import Scope

Parts = Callable[[Any], tuple[Any, Any]]
"""A document to (literal part, what data adds); the second is None if all of it is literal."""


def compile_parts(
    text: str, *, scope: Scope, data_parameters: Collection[str] = ()
) -> Parts | None:
    """The expression in two parts, which joined are its value; None if data cannot affect it.

    Data is the document with all its values, and the parameters in `data_parameters`.
    """
    data = _Data(frozenset(f"_{name}" for name in data_parameters))
    node = parse(text)
    if not data.decides(node):
        return None
    pair = compile_node(text, data.split(node), Names(context_of(scope, False), {}), False)

    def parts(document: Any) -> tuple[Any, Any]:
        literal, added = pair(copied(document) if pair.mutates else document)  # type: ignore[attr-defined]
        return literal, added

    return parts


def fixed_beginning(
    text: str, *, scope: Scope, data_parameters: Collection[str] = ()
) -> tuple[str, bool]:
    """The beginning of a string that is the same in all of a run, and whether that is all of it.

    It depends neither on documents nor on parameters in `data_parameters`, nor on what changes from
    call to call, such as `Date.now()` and `snap.out`. Empty if there is none, or if it cannot be
    computed, which whoever uses the expression will find out.
    """
    fixed = _Varying(frozenset(f"_{name}" for name in data_parameters))
    node = parse(text)
    is_complete = not fixed.decides(node)
    if not is_complete:
        pair = fixed.split(node)
        if not isinstance(pair, ArrayLiteral):
            return "", False
        node = pair.items[0]
    try:
        value = compile_node(text, node, Names(context_of(scope, False), {}), False)(None)
    except DataError:
        return "", False
    return (value, is_complete) if isinstance(value, str) else ("", False)


class _Data:
    """What counts as data; `parameters` include their underscore."""

    def __init__(self, parameters: frozenset[str]) -> None:
        self._parameters = parameters

    def decides(self, node: Node) -> bool:
        """Whether data can change the value. Access to all parameters includes those from data."""
        if isinstance(node, Root):
            return True
        if (
            isinstance(node, Call)
            and isinstance(node.function, Name)
            and node.function.name == "eval"
        ):
            return True
        if self._parameters and isinstance(node, Member) and _is_pipe(node.target):
            return node.name == "args"
        if self._parameters and isinstance(node, Name):
            return node.name in self._parameters or node.name in ("lib", "pipe")
        return any(map(self.decides, node.children()))

    def split(self, node: Node) -> Node:
        """An expression for the pair of both parts."""
        if not self.decides(node):
            return _pair(node, Literal(node.offset, node.length, None))
        if isinstance(node, Conditional):
            return Conditional(
                node.offset, node.length, node.test, self.split(node.yes), self.split(node.no)
            )
        literal, added = self._split_sum(node)
        return _pair(literal, added)

    def _split_sum(self, node: Node) -> tuple[Node, Node]:
        """`a + $b + c` as `a` and `'' + $b + c`."""
        if isinstance(node, Binary) and node.operator == "+":
            if not self.decides(node.left):
                return node.left, _plus(node, _empty(node.left), node.right)
            literal, added = self._split_sum(node.left)
            if added is not node.left:
                return literal, _plus(node, added, node.right)
        if isinstance(node, MethodCall) and (parts := self._split_call(node)):
            return parts
        return _empty(node), node

    def _split_call(self, node: MethodCall) -> tuple[Node, Node] | None:
        """`'a'.concat($b)`, `'a%s'.sprintf($b)` and `['a', $b].join('/')` as `'a'` and the rest."""
        target = node.target
        if node.name == "concat" and not self.decides(target):
            before, rest = self._before_data(node.arguments)
            literal = MethodCall(node.offset, node.length, target, node.name, before)
            return literal, MethodCall(node.offset, node.length, _empty(target), node.name, rest)
        if node.name == "sprintf" and isinstance(target, Literal) and isinstance(target.value, str):
            start, percent, end = target.value.partition("%")
            return _text(target, start), _with_target(node, _text(target, percent + end))
        if node.name == "join" and isinstance(target, ArrayLiteral):
            return self._split_join(node, target)
        return None

    def _split_join(self, node: MethodCall, array: ArrayLiteral) -> tuple[Node, Node] | None:
        if any(map(self.decides, node.arguments)):
            return None
        before, rest = self._before_data(array.items)
        if not before:
            return None
        first = (*before, _empty(node))  # so that it ends with a separator
        literal = _with_target(node, ArrayLiteral(array.offset, array.length, first))
        return literal, _with_target(node, ArrayLiteral(array.offset, array.length, rest))

    def _before_data(self, items: Sequence[Node]) -> tuple[tuple[Node, ...], tuple[Node, ...]]:
        """The items before the first that data can change, and those from there on."""
        before = tuple(
            takewhile(lambda item: not self.decides(item) and not isinstance(item, Spread), items)
        )
        return before, tuple(items[len(before) :])


class _Varying(_Data):
    """Data, and all names but parameters and `pipe`: dates, random numbers, counts of the snap."""

    def decides(self, node: Node) -> bool:
        if isinstance(node, Name) and not node.name.startswith("_") and node.name != "pipe":
            return True
        return super().decides(node)


def _is_pipe(node: Node) -> bool:
    return isinstance(node, Name) and node.name == "pipe"


def _pair(first: Node, second: Node) -> ArrayLiteral:
    return ArrayLiteral(first.offset, first.length, (first, second))


def _plus(like: Node, left: Node, right: Node) -> Binary:
    return Binary(like.offset, like.length, "+", left, right)


def _with_target(call: MethodCall, target: Node) -> MethodCall:
    return MethodCall(call.offset, call.length, target, call.name, call.arguments)


def _empty(like: Node) -> Literal:
    return _text(like, "")


def _text(like: Node, text: str) -> Literal:
    return Literal(like.offset, like.length, text)
