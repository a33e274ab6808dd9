"""The syntax nodes of an expression: plain frozen data, each with its place in the text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec


class Node(msgspec.Struct, frozen=True):
    offset: int
    length: int

    def children(self) -> Iterator[Node]:
        for name in self.__struct_fields__:
            value = getattr(self, name)
            if isinstance(value, Node):
                yield value
            elif isinstance(value, tuple):
                yield from (item for item in value if isinstance(item, Node))

    def walk(self) -> Iterator[Node]:
        """This node and all below it, outermost first."""
        pending = [self]
        while pending:
            node = pending.pop()
            yield node
            pending.extend(reversed(list(node.children())))


TYPE_NAMES = frozenset(
    [
        "Null",
        "Boolean",
        "String",
        "Number",
        "Object",
        "Array",
        "Date",
        "DateTime",
        "LocalDate",
        "LocalDateTime",
        "LocalTime",
    ]
)


class Literal(Node, frozen=True):
    """A number, string, boolean or null."""

    value: Any


class Regex(Node, frozen=True):
    pattern: str
    flags: str


class Root(Node, frozen=True):
    """`$`, the document."""


class Invalid(Node, frozen=True):
    """Stands for an expression that cannot be parsed."""

    message: str
    hint: str


class Name(Node, frozen=True):
    """A bare name: a variable, a `_parameter`, `lib`, `Math`, `this`, ..."""

    name: str


class Member(Node, frozen=True):
    """`target.name`; `$name` is a member of `$`."""

    target: Node
    name: str


class Broken(Node, frozen=True):
    """An invalid part of an expression; `parts` are the pieces that could be read.

    With `lacks_name` it is `part.`, without the name of a member or method.
    """

    parts: tuple[Node, ...] = ()
    lacks_name: bool = False


class Presence(Node, frozen=True):
    """A member or element that is null if missing, as a bare test in a path's filter."""

    value: Node


class Index(Node, frozen=True):
    """`target[key]`."""

    target: Node
    key: Node


class Spread(Node, frozen=True):
    value: Node


class Call(Node, frozen=True):
    """`function(arguments)`."""

    function: Node
    arguments: tuple[Node, ...]


class MethodCall(Node, frozen=True):
    """`target.name(arguments)`."""

    target: Node
    name: str
    arguments: tuple[Node, ...]


class Unary(Node, frozen=True):
    """`! - + typeof`."""

    operator: str
    operand: Node


class Binary(Node, frozen=True):
    """Arithmetic, comparison and `in`."""

    operator: str
    left: Node
    right: Node


class InstanceOf(Node, frozen=True):
    value: Node
    type_name: str


class Logical(Node, frozen=True):
    """`&&` and `||`, which return one of their operands."""

    operator: str
    left: Node
    right: Node


class Conditional(Node, frozen=True):
    test: Node
    yes: Node
    no: Node


class ArrayLiteral(Node, frozen=True):
    items: tuple[Node, ...]


class Property(Node, frozen=True):
    """`key: value` in an object literal."""

    key: Node
    value: Node


class ObjectLiteral(Node, frozen=True):
    """`entries` are properties and spreads."""

    entries: tuple[Node, ...]


class Parameter(Node, frozen=True):
    name: str
    default: Node | None = None
    rest: bool = False


class Arrow(Node, frozen=True):
    parameters: tuple[Parameter, ...]
    body: Node


class AnyPattern(Node, frozen=True):
    """`_` matches anything."""


class LiteralPattern(Node, frozen=True):
    value: Any


class RangePattern(Node, frozen=True):
    low: Any
    high: Any
    closed: bool


class RegexPattern(Node, frozen=True):
    pattern: str
    flags: str


class TypePattern(Node, frozen=True):
    type_name: str


class NamePattern(Node, frozen=True):
    """A bare name matches anything and binds it."""

    name: str


class EitherPattern(Node, frozen=True):
    """`a | b` within another pattern."""

    alternatives: tuple[Node, ...]


class RestPattern(Node, frozen=True):
    """`...rest` at the end of an array or object pattern; the name may be empty."""

    name: str


class ArrayPattern(Node, frozen=True):
    items: tuple[Node, ...]


class FieldPattern(Node, frozen=True):
    """`key: pattern` in an object pattern."""

    key: str
    pattern: Node


class ObjectPattern(Node, frozen=True):
    items: tuple[Node, ...]


class Arm(Node, frozen=True):
    """`pattern | pattern if guard => body`."""

    patterns: tuple[Node, ...]
    guard: Node | None
    body: Node


class Match(Node, frozen=True):
    subject: Node
    arms: tuple[Arm, ...]
