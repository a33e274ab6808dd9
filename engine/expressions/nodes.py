"""What an expression consists of: plain frozen data, each piece with its place in the text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any


@dataclass(frozen=True, slots=True)
class Node:
    offset: int
    length: int

    def children(self) -> Iterator[Node]:
        for field in fields(self):
            value = getattr(self, field.name)
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


@dataclass(frozen=True, slots=True)
class Literal(Node):
    """A number, string, boolean or null."""

    value: Any


@dataclass(frozen=True, slots=True)
class Regex(Node):
    pattern: str
    flags: str


@dataclass(frozen=True, slots=True)
class Root(Node):
    """`$`, the document."""


@dataclass(frozen=True, slots=True)
class Name(Node):
    """A bare name: a variable, a `_parameter`, `lib`, `Math`, `this`, ..."""

    name: str


@dataclass(frozen=True, slots=True)
class Member(Node):
    """`target.name`; `$name` is a member of `$`."""

    target: Node
    name: str


@dataclass(frozen=True, slots=True)
class Index(Node):
    """`target[key]`."""

    target: Node
    key: Node


@dataclass(frozen=True, slots=True)
class Spread(Node):
    value: Node


@dataclass(frozen=True, slots=True)
class Call(Node):
    """`function(arguments)`."""

    function: Node
    arguments: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class MethodCall(Node):
    """`target.name(arguments)`."""

    target: Node
    name: str
    arguments: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Unary(Node):
    """`! - + typeof`."""

    operator: str
    operand: Node


@dataclass(frozen=True, slots=True)
class Binary(Node):
    """Arithmetic, comparison and `in`."""

    operator: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class InstanceOf(Node):
    value: Node
    type_name: str


@dataclass(frozen=True, slots=True)
class Logical(Node):
    """`&&` and `||`, which give one of their operands."""

    operator: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Conditional(Node):
    test: Node
    yes: Node
    no: Node


@dataclass(frozen=True, slots=True)
class ArrayLiteral(Node):
    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Property(Node):
    """`key: value` in an object literal."""

    key: Node
    value: Node


@dataclass(frozen=True, slots=True)
class ObjectLiteral(Node):
    """`entries` are properties and spreads."""

    entries: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Parameter(Node):
    name: str
    default: Node | None = None
    rest: bool = False


@dataclass(frozen=True, slots=True)
class Arrow(Node):
    parameters: tuple[Parameter, ...]
    body: Node


@dataclass(frozen=True, slots=True)
class AnyPattern(Node):
    """`_` matches anything."""


@dataclass(frozen=True, slots=True)
class LiteralPattern(Node):
    value: Any


@dataclass(frozen=True, slots=True)
class RangePattern(Node):
    low: Any
    high: Any
    closed: bool


@dataclass(frozen=True, slots=True)
class RegexPattern(Node):
    pattern: str
    flags: str


@dataclass(frozen=True, slots=True)
class TypePattern(Node):
    type_name: str


@dataclass(frozen=True, slots=True)
class NamePattern(Node):
    """A bare name matches anything and binds it."""

    name: str


@dataclass(frozen=True, slots=True)
class EitherPattern(Node):
    """`a | b` within another pattern."""

    alternatives: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class RestPattern(Node):
    """`...rest` at the end of an array or object pattern; the name may be empty."""

    name: str


@dataclass(frozen=True, slots=True)
class ArrayPattern(Node):
    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class FieldPattern(Node):
    """`key: pattern` in an object pattern."""

    key: str
    pattern: Node


@dataclass(frozen=True, slots=True)
class ObjectPattern(Node):
    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Arm(Node):
    """`pattern | pattern if guard => body`."""

    patterns: tuple[Node, ...]
    guard: Node | None
    body: Node


@dataclass(frozen=True, slots=True)
class Match(Node):
    subject: Node
    arms: tuple[Arm, ...]
